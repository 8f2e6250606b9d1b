//! Plain expressions whose value is known while the macro runs: in a loop that is unrolled its variable is a number.

use super::compact::Name;
use super::scope::{Binding, Scope};
use syn::{BinOp, Expr, Lit, UnOp};

/// A value that is known.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    Number(i128),
    Bool(bool),
}

/// Whether a condition holds, if that is known.
pub fn condition(expr: &Expr, scope: &Scope) -> Option<bool> {
    match known(expr, scope)? {
        Known::Bool(holds) => Some(holds),
        Known::Number(_) => None,
    }
}

/// A number, if it is known.
pub fn number(expr: &Expr, scope: &Scope) -> Option<i128> {
    match known(expr, scope)? {
        Known::Number(number) => Some(number),
        Known::Bool(_) => None,
    }
}

fn known(expr: &Expr, scope: &Scope) -> Option<Known> {
    match expr {
        Expr::Paren(inner) => known(&inner.expr, scope),
        Expr::Group(inner) => known(&inner.expr, scope),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(int) => int.base10_parse().ok().map(Known::Number),
            Lit::Bool(bool) => Some(Known::Bool(bool.value)),
            _ => None,
        },
        Expr::Path(path) => match scope.get(&path.path.get_ident()?.to_string())? {
            Binding::Number(number) => Some(Known::Number(number)),
            _ => None,
        },
        Expr::Unary(unary) => match (&unary.op, known(&unary.expr, scope)?) {
            (UnOp::Not(_), Known::Bool(value)) => Some(Known::Bool(!value)),
            (UnOp::Neg(_), Known::Number(value)) => Some(Known::Number(-value)),
            _ => None,
        },
        Expr::Binary(binary) => both(&binary.op, known(&binary.left, scope), known(&binary.right, scope)),
        _ => None,
    }
}

/// Of `&&` and `||` one side may be enough.
fn both(op: &BinOp, left: Option<Known>, right: Option<Known>) -> Option<Known> {
    let bool = |value| Some(Known::Bool(value));
    match (op, left, right) {
        (BinOp::And(_), Some(Known::Bool(false)), _) | (BinOp::And(_), _, Some(Known::Bool(false))) => {
            bool(false)
        }
        (BinOp::Or(_), Some(Known::Bool(true)), _) | (BinOp::Or(_), _, Some(Known::Bool(true))) => bool(true),
        (BinOp::And(_) | BinOp::Or(_), Some(Known::Bool(_)), Some(right @ Known::Bool(_))) => Some(right),
        (_, Some(Known::Number(a)), Some(Known::Number(b))) => numbers(op, a, b),
        _ => None,
    }
}

fn numbers(op: &BinOp, a: i128, b: i128) -> Option<Known> {
    let (number, bool) = (|value: Option<i128>| value.map(Known::Number), |value| Some(Known::Bool(value)));
    match op {
        BinOp::Add(_) => number(a.checked_add(b)),
        BinOp::Sub(_) => number(a.checked_sub(b)),
        BinOp::Mul(_) => number(a.checked_mul(b)),
        BinOp::Div(_) => number(a.checked_div(b)),
        BinOp::Rem(_) => number(a.checked_rem(b)),
        BinOp::Eq(_) => bool(a == b),
        BinOp::Ne(_) => bool(a != b),
        BinOp::Lt(_) => bool(a < b),
        BinOp::Le(_) => bool(a <= b),
        BinOp::Gt(_) => bool(a > b),
        BinOp::Ge(_) => bool(a >= b),
        _ => None,
    }
}

/// A name that `format!` makes.
pub enum Formatted {
    /// All that goes into it is known.
    Known(String),
    /// A name and the number of a loop's pass: `layers_{i}`.
    OfPass { prefix: String, pass: usize },
}

/// What `format!` makes of a name; `None` if that is neither known nor a name with the number of a pass at its end.
pub fn formatted(name: &Name, scope: &Scope) -> Option<Formatted> {
    let (text, mut arguments) = (name.text.value(), name.arguments.iter());
    let (mut made, mut rest) = (String::new(), text.as_str());
    while let Some((before, after)) = rest.split_once('{') {
        let (place, after) = after.split_once('}')?;
        made.push_str(before);
        let value: Expr = match place {
            "" => arguments.next()?.clone(),
            name => syn::parse_str(name).ok()?,
        };
        match (number(&value, scope), pass(&value, scope), after) {
            (Some(number), ..) => made.push_str(&number.to_string()),
            (None, Some(pass), "") => {
                let prefix = made.strip_suffix('_')?.to_string();
                return Some(Formatted::OfPass { prefix, pass });
            }
            _ => return None,
        }
        rest = after;
    }
    Some(Formatted::Known(made + rest))
}

fn pass(expr: &Expr, scope: &Scope) -> Option<usize> {
    let Expr::Path(path) = expr else { return None };
    match scope.get(&path.path.get_ident()?.to_string())? {
        Binding::Pass(of) => Some(of),
        _ => None,
    }
}
