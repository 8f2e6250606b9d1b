//! A closure that is transformed: `value_and_grad!(|params| { … }, &state.params)`, `jvp!(|x| { … }, x, tangent)`.

use super::body::{BodyParser, Place};
use super::pattern::Wanted;
use super::scope::Binding;
use super::vmap::{VmapCall, is_vmap};
use crate::diag::Diagnostics;
use crate::ir::transform::{Closure, Nest, Transform};
use crate::ir::{Arg, Body, Call, Var};
use crate::messages;
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprClosure, ExprMacro, Pat, Result, Stmt, Token};

/// What stands in the macro of a transformation.
pub struct ClosureCall {
    transform: Transform,
    closure: ExprClosure,
    primals: Vec<Expr>,
    tangents: Vec<Expr>,
}

impl ClosureCall {
    /// A parser of what a transformation takes: a closure, its arguments, and their tangents.
    pub fn parser(transform: Transform) -> impl Parser<Output = Self> {
        move |input: ParseStream| {
            let parts = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
            let mut parts = parts.into_iter();
            let closure = match parts.next() {
                Some(Expr::Closure(closure)) => closure,
                Some(other) => return Err(Error::new(other.span(), messages::form(transform))),
                None => return Err(input.error(messages::form(transform))),
            };
            let (count, given) = (closure.inputs.len(), parts.collect::<Vec<_>>());
            let wrong = || Error::new(closure.inputs.span(), messages::count(transform));
            let [primals, tangents] = match given.as_slice() {
                [primals, tangents] if transform.takes_tangents() => {
                    [primals, tangents].map(|of| spread(of, count))
                }
                _ if transform.takes_tangents() => return Err(wrong()),
                primals => [primals.to_vec(), Vec::new()],
            };
            let whole = primals.len() == count && (tangents.len() == count || !transform.takes_tangents());
            if !whole || count == 0 {
                return Err(wrong());
            }
            if transform.is_repeated() && count > 1 {
                return Err(Error::new(closure.inputs.span(), messages::one_argument(transform)));
            }
            Ok(ClosureCall { transform, closure, primals, tangents })
        }
    }

    /// The values that the closure ends in.
    fn outputs(&self) -> Vec<Nest> {
        results_of(tail(&self.closure.body))
    }

    /// Lowers the closure's body to equations. Its arguments, and their tangents, are expressions of the surroundings.
    pub fn lower(&self, diagnostics: &mut Diagnostics) -> (Closure, Vec<Arg>) {
        let mut parser = BodyParser::new(Place::Closure, diagnostics);
        self.read(&mut parser);
        let args = self.primals.iter().chain(&self.tangents).map(|expr| Arg::Outside(quote!(#expr)));
        (self.closure_of(parser.finish()), args.collect())
    }

    fn closure_of(&self, body: Body) -> Closure {
        Closure { transform: self.transform, body, arguments: self.primals.len(), results: self.outputs() }
    }

    /// Reads the closure's arguments and body.
    fn read(&self, parser: &mut BodyParser) {
        for input in &self.closure.inputs {
            match input {
                Pat::Ident(name) => parser.input(&name.ident, None),
                other => parser.mistake(other.span(), messages::INPUT_NAME),
            }
        }
        let (tail, results) = (tail(&self.closure.body), self.outputs());
        let may_nest = self.transform.has_loss();
        let fit = results.first() == Some(&Nest::One)
            && (may_nest || results.iter().all(|nest| *nest == Nest::One));
        if !fit || results.len() > self.transform.most_results() {
            return parser.mistake(tail.span(), messages::results(self.transform));
        }
        parser.closure_body(&self.closure.body, tail.span(), results.iter().map(Nest::count).sum());
    }
}

/// The parts of a tuple as long as the closure has arguments; one argument is written without a tuple.
fn spread(expr: &Expr, count: usize) -> Vec<Expr> {
    match expr {
        Expr::Tuple(tuple) if count > 1 => tuple.elems.iter().cloned().collect(),
        one => vec![one.clone()],
    }
}

/// The expression that a closure ends in.
pub fn tail(body: &Expr) -> &Expr {
    match body {
        Expr::Block(block) => match block.block.stmts.last() {
            Some(Stmt::Expr(tail, None)) => self::tail(tail),
            _ => body,
        },
        other => other,
    }
}

/// The values of an expression.
pub(super) fn results_of(expr: &Expr) -> Vec<Nest> {
    match expr {
        Expr::Tuple(tuple) => tuple.elems.iter().map(nest_of).collect(),
        Expr::Macro(call) if is_vmap(&call.mac.path) => {
            vec![Nest::One; call.mac.parse_body::<VmapCall>().map_or(1, |call| call.results())]
        }
        Expr::Macro(call) => {
            match transformation(call).map(|transform| (transform, parse(transform, call))) {
                Some((transform, Ok(nested))) => {
                    let outputs = nested.outputs().iter().map(Nest::count).sum();
                    vec![Nest::One; transform.results(nested.primals.len(), outputs)]
                }
                _ => vec![Nest::One],
            }
        }
        _ => vec![Nest::One],
    }
}

/// How the values of an expression stand in tuples.
pub(super) fn nest_of(expr: &Expr) -> Nest {
    match expr {
        Expr::Tuple(tuple) => Nest::Tuple(tuple.elems.iter().map(nest_of).collect()),
        _ => Nest::One,
    }
}

/// The transformation that a macro names.
pub fn transformation(call: &ExprMacro) -> Option<Transform> {
    call.mac.path.segments.last().and_then(|last| Transform::named(&last.ident.to_string()))
}

fn parse(transform: Transform, call: &ExprMacro) -> Result<ClosureCall> {
    call.mac.parse_body_with(ClosureCall::parser(transform))
}

impl BodyParser<'_> {
    /// A transformation in a closure: an equation. What its closure reads of the closure around it becomes its arguments too.
    pub(super) fn transform(
        &mut self,
        transform: Transform,
        call: &ExprMacro,
        wanted: &[Wanted],
    ) -> Option<Vec<Var>> {
        let name = &call.mac.path.segments.last()?.ident;
        if self.place != Place::Closure || transform == Transform::Vjp {
            let message = match self.place {
                Place::Closure => messages::NESTED_VJP,
                _ => messages::TRANSFORM_OUTSIDE,
            };
            self.mistake(name.span(), message);
            return None;
        }
        if !self.axes.is_empty() && !matches!(transform, Transform::Grad | Transform::ValueAndGrad) {
            self.mistake(name.span(), messages::VMAP_TRANSFORM);
            return None;
        }
        let call = self.diagnostics.keep(parse(transform, call))?;
        let args: Vec<_> =
            call.primals.iter().chain(&call.tangents).map(|expr| self.handed_on(expr)).collect();
        let (closure, captures) = self.nested(&call);
        let mut args = args.into_iter().collect::<Option<Vec<_>>>()?;
        for (arg, &input) in args.iter_mut().zip(&closure.body.inputs) {
            let is_tree = closure.body.info(input).is_tree;
            if let Arg::Var(var) = arg {
                self.body.vars[var.0].is_tree |= is_tree;
            }
            if is_tree && !self.axes.is_empty() {
                self.mistake(name.span(), messages::VMAP_TREE);
            } else if !is_tree {
                *arg = self.at_this_level(arg.clone(), name.span());
            }
        }
        let results = transform.results(closure.arguments, closure.body.outputs.len());
        if results != wanted.len() {
            self.mistake(name.span(), messages::bound(transform, results));
            return None;
        }
        args.extend(captures.into_iter().map(Arg::Var));
        Some(self.equation(transform.name(), name.span(), Call::Transform(Box::new(closure)), args, wanted))
    }

    /// Lowers a closure in this one, and finds the variables that it reads of this one.
    fn nested(&mut self, call: &ClosureCall) -> (Closure, Vec<Var>) {
        let mut nested = BodyParser::new(Place::Closure, self.diagnostics);
        nested.axes = self.axes.clone();
        let mut captures: Vec<(Var, Var)> = Vec::new();
        for (name, binding) in self.scope.all() {
            let Binding::Tensor(outer) = binding else {
                nested.scope.bind(name, binding);
                continue;
            };
            let known = captures.iter().find(|(of, _)| *of == outer).map(|(_, inner)| *inner);
            let inner = known.unwrap_or_else(|| {
                let info = self.body.info(outer);
                let inner = nested.body.var(info.name.clone(), info.span, None);
                nested.body.vars[inner.0].is_tree = info.is_tree;
                nested.levels.extend(self.levels.get(&outer).map(|&level| (inner, level)));
                captures.push((outer, inner));
                inner
            });
            nested.scope.bind(name, Binding::Tensor(inner));
        }
        call.read(&mut nested);
        let mut body = nested.finish();
        captures.retain(|(_, inner)| body.reads(*inner));
        for (outer, inner) in &captures {
            self.body.vars[outer.0].is_tree |= body.info(*inner).is_tree;
            body.inputs.push(*inner);
        }
        (call.closure_of(body), captures.into_iter().map(|(outer, _)| outer).collect())
    }
}
