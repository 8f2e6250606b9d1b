//! Expressions to equations.

use super::arguments::op_of;
use super::body::{BodyParser, Place};
use super::closure::{nest_of, transformation};
use super::fields::{held, is_self};
use super::pattern::Wanted;
use super::scope::Binding;
use super::vmap::is_vmap;
use crate::ir::{Arg, Call, Eqn, Var};
use crate::messages;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{BinOp, Expr, ExprCall, ExprMethodCall, Ident, UnOp};

pub(super) enum Argument {
    Tensor(Arg),
    Value(TokenStream),
}

impl BodyParser<'_> {
    /// The variables that an expression yields, as many as are wanted.
    pub(super) fn expression(&mut self, expr: &Expr, wanted: &[Wanted]) -> Option<Vec<Var>> {
        if wanted.is_empty() {
            return self.effect(expr).map(|()| Vec::new());
        }
        match expr {
            Expr::Paren(inner) => self.expression(&inner.expr, wanted),
            Expr::Group(inner) => self.expression(&inner.expr, wanted),
            Expr::Reference(inner) if inner.mutability.is_none() => self.expression(&inner.expr, wanted),
            Expr::Block(block) if block.label.is_none() => self.inner_block(&block.block, wanted),
            Expr::Tuple(tuple) if nest_of(expr).count() == wanted.len() => {
                let mut rest = wanted;
                let vars = tuple.elems.iter().map(|part| {
                    let (own, others) = rest.split_at(nest_of(part).count());
                    rest = others;
                    self.expression(part, own)
                });
                let vars: Vec<_> = vars.collect();
                vars.into_iter().collect::<Option<Vec<_>>>().map(|vars| vars.concat())
            }
            Expr::Field(field) if self.variable_of(field).is_some() => {
                self.variable_of(field).map(|variable| vec![self.values[variable]])
            }
            Expr::Path(path) => self.name(path).map(|var| vec![var]),
            Expr::Call(call) => self.call(call, wanted),
            Expr::MethodCall(call) => self.method(call, wanted),
            Expr::Binary(binary) => self.binary(binary, wanted),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
                let operand = self.one(&unary.expr, &Wanted::anything(unary.expr.span()))?;
                self.operator("neg", unary.op.span(), vec![Arg::Var(operand)], None, wanted)
            }
            Expr::Macro(call) if call.mac.path.is_ident("param") => self.param(call, wanted),
            Expr::If(branch) => self.branch_if(branch, wanted),
            Expr::Match(branch) => self.branch_match(branch, wanted),
            Expr::Macro(call) if is_vmap(&call.mac.path) => self.vmap(&call.mac, wanted),
            Expr::Macro(call) if call.mac.path.is_ident("make_rng") => self.make_rng(call, wanted),
            Expr::Macro(call) if call.mac.path.is_ident("variable") => {
                self.mistake(call.span(), messages::VARIABLE_BOUND);
                None
            }
            Expr::Macro(call) => match transformation(call) {
                Some(transform) => self.transform(transform, call, wanted),
                None => {
                    self.mistake(call.span(), messages::NOT_A_CALL);
                    None
                }
            },
            Expr::Return(_) => {
                self.mistake(expr.span(), self.why_not("return"));
                None
            }
            other => {
                self.mistake(other.span(), refusal(other));
                None
            }
        }
    }

    pub(super) fn one(&mut self, expr: &Expr, wanted: &Wanted) -> Option<Var> {
        self.expression(expr, std::slice::from_ref(wanted)).and_then(|vars| vars.first().copied())
    }

    fn name(&mut self, path: &syn::ExprPath) -> Option<Var> {
        let binding = path.path.get_ident().and_then(|name| self.scope.get(&name.to_string()));
        match binding {
            Some(Binding::Tensor(var)) if !self.body.info(var).is_tree => return Some(self.shared(var)),
            Some(Binding::Tensor(_)) => self.mistake(path.span(), messages::TREE_AS_TENSOR),
            Some(Binding::Submodule(_)) => self.mistake(path.span(), messages::SUBMODULE_AS_VALUE),
            Some(Binding::Variable(_)) => self.mistake(path.span(), messages::VARIABLE_AS_VALUE),
            None if self.is_phase(&path.path) => return self.phase(&path.path),
            _ => self.mistake(path.span(), messages::NOT_A_TENSOR),
        }
        None
    }

    fn call(&mut self, call: &ExprCall, wanted: &[Wanted]) -> Option<Vec<Var>> {
        match &*call.func {
            Expr::Macro(callee) if callee.mac.path.is_ident("compact") => {
                let index = self.declare(&callee.mac);
                let args = self.tensors(call.args.iter())?;
                self.submodule_call(index?, args, wanted)
            }
            Expr::Path(path) if path.qself.is_none() => {
                let binding = path.path.get_ident().and_then(|name| self.scope.get(&name.to_string()));
                if let Some(Binding::Submodule(index)) = binding {
                    let args = self.tensors(call.args.iter())?;
                    return self.submodule_call(index, args, wanted);
                }
                if let Some(Binding::Held(index)) = binding {
                    let held = self.held[index].clone();
                    return self.call_held(&held, call.args.iter(), wanted);
                }
                let (args, values) = self.arguments(call.args.iter())?;
                let name = path.path.segments.last()?.ident.clone();
                let op = Call::Op { ty: op_of(&path.path), values };
                Some(self.equation(&name.to_string(), name.span(), op, args, wanted))
            }
            Expr::Paren(inner) => {
                let unwrapped = ExprCall { func: inner.expr.clone(), ..call.clone() };
                self.call(&unwrapped, wanted)
            }
            other => match held(other) {
                Some(held) => self.call_held(&held, call.args.iter(), wanted),
                None => {
                    self.mistake(other.span(), messages::CALLEE);
                    None
                }
            },
        }
    }

    /// Arguments that are all tensors.
    pub(super) fn tensors<'e>(&mut self, args: impl Iterator<Item = &'e Expr>) -> Option<Vec<Arg>> {
        let args: Vec<_> =
            args.map(|arg| self.one(arg, &Wanted::anything(arg.span())).map(Arg::Var)).collect();
        args.into_iter().collect()
    }

    /// Arguments of an op: the tensors, and the values for its `new`.
    pub(super) fn arguments<'e>(
        &mut self,
        exprs: impl Iterator<Item = &'e Expr>,
    ) -> Option<(Vec<Arg>, Vec<TokenStream>)> {
        let (mut args, mut values, mut whole) = (Vec::new(), Vec::new(), true);
        for expr in exprs {
            match self.argument(expr) {
                Some(Argument::Tensor(arg)) => args.push(arg),
                Some(Argument::Value(value)) => values.push(value),
                None => whole = false,
            }
        }
        whole.then_some((args, values))
    }

    pub(super) fn argument(&mut self, expr: &Expr) -> Option<Argument> {
        if self.scope.touches_tensor(expr) {
            return self.one(expr, &Wanted::anything(expr.span())).map(|var| Argument::Tensor(Arg::Var(var)));
        }
        match self.place == Place::Closure && !is_constant(expr) {
            true => {
                let outside = Arg::Outside(without_parentheses(expr));
                Some(Argument::Tensor(self.at_this_level(outside, expr.span())))
            }
            false => Some(Argument::Value(without_parentheses(expr))),
        }
    }

    fn method(&mut self, call: &ExprMethodCall, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let name = &call.method;
        let applies = name == "apply" || name == "apply_mut";
        if self.place == Place::Closure && applies && !self.scope.touches_tensor(&call.receiver) {
            return self.apply(call, wanted);
        }
        if self.module.is_some() && is_self(&call.receiver) {
            return self.method_of_self(call, wanted);
        }
        if self.module.is_some() && held(&call.receiver).is_some() {
            self.mistake(name.span(), messages::SUBMODULE_METHOD);
            return None;
        }
        if name == "clone" {
            return self.expression(&call.receiver, wanted);
        }
        let exprs = std::iter::once(&*call.receiver).chain(&call.args);
        let (args, values) = self.arguments(exprs)?;
        let generics = &call.turbofish;
        let room: syn::Path = syn::parse_quote_spanned!(name.span()=> ::flaxen::ops::#name #generics);
        let op = Call::Op { ty: op_of(&room), values };
        Some(self.equation(&name.to_string(), name.span(), op, args, wanted))
    }

    fn binary(&mut self, binary: &syn::ExprBinary, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let (room, into_value) = match binary.op {
            BinOp::Add(_) => ("add", "Scalar"),
            BinOp::Sub(_) => ("sub", "FromScalar"),
            BinOp::Mul(_) => ("mul", "Scalar"),
            BinOp::Div(_) => ("div", "IntoScalar"),
            BinOp::AddAssign(_) | BinOp::SubAssign(_) | BinOp::MulAssign(_) | BinOp::DivAssign(_) => {
                self.mistake(binary.op.span(), messages::ASSIGNMENT);
                return None;
            }
            BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => {
                self.mistake_over(binary, messages::COMPARISON);
                return None;
            }
            _ => {
                self.mistake(binary.op.span(), messages::NOT_A_CALL);
                return None;
            }
        };
        let (left, right) = (self.argument(&binary.left), self.argument(&binary.right));
        let span = binary.op.span();
        match (left?, right?) {
            (Argument::Tensor(left), Argument::Tensor(right)) => {
                self.operator(room, span, vec![left, right], None, wanted)
            }
            (Argument::Tensor(left), Argument::Value(value)) => {
                self.operator(room, span, vec![left], Some(("Scalar", value)), wanted)
            }
            (Argument::Value(value), Argument::Tensor(right)) => {
                self.operator(room, span, vec![right], Some((into_value, value)), wanted)
            }
            (Argument::Value(_), Argument::Value(_)) => {
                self.mistake(binary.span(), messages::NOT_A_TENSOR);
                None
            }
        }
    }

    /// Rust's own operators are the ops that the macro knows by name.
    pub(super) fn operator(
        &mut self,
        room: &str,
        span: Span,
        args: Vec<Arg>,
        scalar: Option<(&str, TokenStream)>,
        wanted: &[Wanted],
    ) -> Option<Vec<Var>> {
        let module = Ident::new(room, span);
        let op = Ident::new(scalar.as_ref().map_or("Op", |(form, _)| form), span);
        let ty = quote_spanned!(span=> ::flaxen::ops::#module::#op);
        let values = scalar.into_iter().map(|(_, value)| value).collect();
        Some(self.equation(room, span, Call::Op { ty, values }, args, wanted))
    }

    pub(super) fn equation(
        &mut self,
        name: &str,
        span: Span,
        call: Call,
        args: Vec<Arg>,
        wanted: &[Wanted],
    ) -> Vec<Var> {
        match self.along.clone() {
            Some(axes) => self.equation_along(&axes, name, span, call, args, wanted),
            None => self.plain_equation(name, span, call, args, wanted),
        }
    }

    pub(super) fn plain_equation(
        &mut self,
        name: &str,
        span: Span,
        call: Call,
        args: Vec<Arg>,
        wanted: &[Wanted],
    ) -> Vec<Var> {
        let outs = wanted
            .iter()
            .map(|wanted| {
                let out = wanted.name.clone().unwrap_or_else(|| name.to_string());
                self.body.var(out, wanted.span, wanted.declared.clone())
            })
            .collect::<Vec<_>>();
        let count = self.labels.entry(name.to_string()).or_default();
        let label = format!("{name}_{count}");
        *count += 1;
        self.body.eqns.push(Eqn { label, outs: outs.clone(), call, args, span });
        self.note_levels();
        outs
    }

    pub(super) fn submodule_call(
        &mut self,
        index: usize,
        args: Vec<Arg>,
        wanted: &[Wanted],
    ) -> Option<Vec<Var>> {
        let submodule = &self.body.submodules[index];
        let (name, span) = (submodule.field.to_string(), submodule.span);
        Some(self.equation(&name, span, Call::Submodule(index), args, wanted))
    }
}

/// The tokens of an expression of the surroundings, which need no parentheses where they are put.
fn without_parentheses(expr: &Expr) -> TokenStream {
    match expr {
        Expr::Paren(inner) => without_parentheses(&inner.expr),
        other => quote!(#other),
    }
}

pub(super) fn strip_reference(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(reference) => strip_reference(&reference.expr),
        other => other,
    }
}

/// Numbers, and constants by their name.
fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => is_constant(&unary.expr),
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            !name.contains(char::is_lowercase) && name.len() > 1
        }),
        _ => false,
    }
}

/// What to say of an expression that is not lowered.
fn refusal(expr: &Expr) -> &'static str {
    match expr {
        Expr::Closure(_) => messages::CLOSURE,
        Expr::Break(_) | Expr::Continue(_) => messages::BREAK,
        Expr::While(_) | Expr::Loop(_) => messages::WHILE,
        Expr::ForLoop(_) => messages::FOR_VALUE,
        Expr::Try(_) => messages::QUESTION_MARK,
        Expr::Assign(_) => messages::ASSIGNMENT,
        Expr::Index(_) => messages::INDEXING,
        Expr::Field(_) => messages::FIELD,
        _ => messages::NOT_A_CALL,
    }
}
