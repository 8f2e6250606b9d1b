//! `vmap!(|x, y| { … }, xs, ys, in_axes = (0, 1), out_axes = (0, None), axis = batch)`.
//!
//! The closure's equations become equations of the body around it, between those that take an axis of each argument and
//! those that put the results of all examples together. What a closure reads of the body around it is shared by all examples.
//!
//! ```text
//! x_1 = batch<batch, 0>(xs_0)
//! w_3 = share<batch>(w_2)
//! add_4 = add(x_1, w_3)
//! vmap_5 = leave(add_4)
//! vmap_6 = unbatch<0>(vmap_5)
//! ```

use super::body::{BodyParser, Place};
use super::closure::{results_of, tail};
use super::dims::digits;
use super::expression::strip_reference;
use super::pattern::Wanted;
use super::scope::Binding;
use crate::diag::Diagnostics;
use crate::ir::{Arg, Body, Call, Setup, Var};
use crate::messages;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use std::collections::BTreeMap;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprClosure, Ident, Lit, Macro, Pat, Path, Result, Token};

/// Which axis of a tensor is mapped over, and where that is written; none of a value that all examples share.
type MapAxis = Option<(usize, Span)>;

/// The level of a state that `apply_mut` returns: no `vmap!` maps over it.
const STATE: usize = usize::MAX;

/// What stands in `vmap!(…)`.
pub struct VmapCall {
    closure: ExprClosure,
    arguments: Vec<Expr>,
    in_axes: Vec<MapAxis>,
    out_axes: Vec<MapAxis>,
    axis: TokenStream,
}

impl Parse for VmapCall {
    fn parse(input: ParseStream) -> Result<Self> {
        let form = |span| Error::new(span, messages::VMAP_FORM);
        let closure = match input.parse::<Expr>() {
            Ok(Expr::Closure(closure)) => closure,
            Ok(other) => return Err(form(other.span())),
            Err(_) => return Err(form(input.span())),
        };
        let (mut arguments, mut keywords) = (Vec::new(), BTreeMap::new());
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
                let name: Ident = input.parse()?;
                input.parse::<Token![=]>()?;
                if !["in_axes", "out_axes", "axis"].contains(&name.to_string().as_str()) {
                    return Err(Error::new(name.span(), messages::VMAP_KEYWORD));
                }
                keywords.insert(name.to_string(), input.parse::<Expr>()?);
            } else if !input.is_empty() {
                arguments.push(input.parse()?);
            }
        }
        let (count, results) = (closure.inputs.len(), results_of(tail(&closure.body)).len());
        if count != arguments.len() || count == 0 {
            return Err(Error::new(closure.inputs.span(), messages::VMAP_COUNT));
        }
        let axes = |name: &str, count| match keywords.get(name) {
            Some(expr) => axes(expr, count),
            None => Ok(vec![Some((0, Span::call_site())); count]),
        };
        let (in_axes, out_axes) = (axes("in_axes", count)?, axes("out_axes", results)?);
        if in_axes.iter().all(Option::is_none) {
            return Err(form(closure.inputs.span()));
        }
        let axis = match keywords.get("axis") {
            Some(Expr::Path(axis)) => quote!(#axis),
            Some(other) => return Err(Error::new(other.span(), messages::VMAP_AXIS)),
            None => quote!(::flaxen::batching::Unnamed),
        };
        Ok(VmapCall { closure, arguments, in_axes, out_axes, axis })
    }
}

/// `0`, `None`, or a tuple of them, one for each of `count` values; one that is no tuple is for all.
fn axes(expr: &Expr, count: usize) -> Result<Vec<MapAxis>> {
    match expr {
        Expr::Tuple(tuple) if tuple.elems.len() == count => tuple.elems.iter().map(axis).collect(),
        Expr::Tuple(tuple) => Err(Error::new(tuple.span(), messages::vmap_axes(count))),
        one => Ok(vec![axis(one)?; count]),
    }
}

fn axis(expr: &Expr) -> Result<MapAxis> {
    match expr {
        Expr::Lit(literal) if let Lit::Int(int) = &literal.lit => Ok(Some((int.base10_parse()?, int.span()))),
        Expr::Path(path) if path.path.is_ident("None") => Ok(None),
        other => Err(Error::new(other.span(), messages::VMAP_AXIS_NUMBER)),
    }
}

impl VmapCall {
    /// The number of results.
    pub fn results(&self) -> usize {
        self.out_axes.len()
    }

    /// Lowers a `vmap!` that stands in no other body.
    pub fn lower(&self, diagnostics: &mut Diagnostics) -> Body {
        let mut parser = BodyParser::new(Place::Closure, diagnostics);
        let wanted = vec![Wanted::anything(Span::call_site()); self.results()];
        parser.body.outputs = parser.mapped(self, &wanted).unwrap_or_default();
        parser.finish()
    }
}

/// Whether this is a `vmap!`.
pub fn is_vmap(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident == "vmap")
}

impl BodyParser<'_> {
    /// A `vmap!` in this body.
    pub(super) fn vmap(&mut self, call: &Macro, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let parsed = self.diagnostics.keep(call.parse_body::<VmapCall>())?;
        if parsed.results() != wanted.len() {
            self.mistake(call.path.span(), messages::vmap_results(parsed.results()));
            return None;
        }
        self.mapped(&parsed, wanted)
    }

    fn mapped(&mut self, call: &VmapCall, wanted: &[Wanted]) -> Option<Vec<Var>> {
        let (mark, before) = (self.scope.mark(), self.body.setup.len());
        self.body.setup.push((self.body.eqns.len(), Setup::Enter));
        let arguments: Vec<_> = call.arguments.iter().map(|argument| self.handed_on(argument)).collect();
        self.axes.push(call.axis.clone());
        let inputs = call.closure.inputs.iter().zip(arguments).zip(&call.in_axes);
        for ((input, argument), axis) in inputs {
            match (input, argument) {
                (Pat::Ident(name), Some(argument)) => self.enter(&name.ident, argument, *axis),
                (Pat::Ident(_), None) => {}
                (other, _) => self.mistake(other.span(), messages::INPUT_NAME),
            }
        }
        let body = &*call.closure.body;
        let results: Vec<_> = match tail(body) {
            Expr::Tuple(tuple) => tuple.elems.iter().map(|result| Wanted::anything(result.span())).collect(),
            one => vec![Wanted::anything(one.span()); call.results()],
        };
        let outputs = match body {
            Expr::Block(block) => self.block(&block.block, &results),
            other => self.expression(other, &results),
        };
        let outputs = outputs.map(|outputs| self.leave(call, &outputs, &results, wanted));
        self.scope.leave(mark);
        match self.body.setup.len() - before {
            1 => self.body.setup.truncate(before),
            _ => self.body.setup.push((self.body.eqns.len(), Setup::Leave)),
        }
        outputs
    }

    /// Binds an argument of the closure.
    fn enter(&mut self, name: &Ident, argument: Arg, axis: MapAxis) {
        let binding = match (axis, argument) {
            (None, Arg::Var(var)) => Binding::Tensor(var),
            (None, Arg::Outside(tokens)) => {
                self.setup(&quote!(let #name = #tokens;));
                Binding::Value
            }
            (Some((number, span)), argument) => {
                let (along, number) = (self.axes.pop().unwrap_or_default(), digits(number, span));
                let argument = self.at_this_level(argument, name.span());
                let ty = quote_spanned!(name.span()=> ::flaxen::batching::batch::Op<#along, #number>);
                self.axes.push(along);
                Binding::Tensor(self.border(ty, argument, Some(name.to_string()), name.span()))
            }
        };
        self.scope.bind(name.to_string(), binding);
    }

    /// The results of all examples.
    fn leave(&mut self, call: &VmapCall, outputs: &[Var], results: &[Wanted], wanted: &[Wanted]) -> Vec<Var> {
        let outputs = outputs.iter().zip(results).zip(call.out_axes.iter().zip(wanted));
        let outputs = outputs.map(|((&output, result), (axis, wanted))| {
            let span = result.span;
            if self.levels.get(&output) == Some(&STATE) {
                if axis.is_some() {
                    self.mistake(span, messages::VMAP_STATE);
                }
                return output;
            }
            let output = Arg::Var(self.shared(output));
            let leaving =
                self.border(quote_spanned!(span=> ::flaxen::batching::leave::Op), output, None, span);
            let ty = match axis {
                Some((number, _)) => {
                    let number = digits(*number, span);
                    quote_spanned!(span=> ::flaxen::batching::unbatch::Op<#number>)
                }
                None => quote_spanned!(span=> ::flaxen::batching::unshare::Op),
            };
            let wanted = [Wanted { span, ..wanted.clone() }];
            let op = Call::Op { ty, values: Vec::new() };
            let left = self.equation("vmap", span, op, vec![Arg::Var(leaving)], &wanted)[0];
            self.levels.insert(left, self.axes.len() - 1);
            left
        });
        let outputs = outputs.collect();
        self.axes.pop();
        outputs
    }

    /// Notes in how many `vmap!`s the last equation binds its variables.
    pub(super) fn note_levels(&mut self) {
        let Some(eqn) = self.body.eqns.last() else { return };
        let level = match &eqn.call {
            Call::Param(_) | Call::Variable(_) | Call::MakeRng(_) | Call::Phase(_) => 0,
            _ => self.axes.len(),
        };
        self.levels.extend(eqn.outs.iter().map(|&out| (out, STATE)));
        self.levels.extend(eqn.results().iter().map(|&out| (out, level)));
    }

    fn border(&mut self, ty: TokenStream, argument: Arg, name: Option<String>, span: Span) -> Var {
        let wanted = [Wanted { name, ..Wanted::anything(span) }];
        self.equation("vmap", span, Call::Op { ty, values: Vec::new() }, vec![argument], &wanted)[0]
    }

    /// A value of this body, where it is read: in a `vmap!` that it comes from outside of, all examples share it.
    pub(super) fn shared(&mut self, var: Var) -> Var {
        let level = self.levels.get(&var).copied().unwrap_or(0);
        let mut var = var;
        for depth in level..self.axes.len() {
            let inner = self.axes.split_off(depth + 1);
            let (along, span) = (self.axes[depth].clone(), self.body.info(var).span);
            let ty = quote!(::flaxen::batching::share::Op<#along>);
            let name = self.body.info(var).name.clone();
            var = self.border(ty, Arg::Var(var), Some(name), span);
            self.axes.extend(inner);
        }
        var
    }

    /// An argument of an equation, which in a `vmap!` all examples share if it comes from outside of it.
    pub(super) fn at_this_level(&mut self, argument: Arg, span: Span) -> Arg {
        match argument {
            Arg::Var(var) => Arg::Var(self.shared(var)),
            Arg::Outside(tokens) if self.axes.is_empty() => Arg::Outside(tokens),
            Arg::Outside(tokens) => {
                let inner = self.axes.split_off(1);
                let along = &self.axes[0];
                let ty = quote!(::flaxen::batching::share::Op<#along>);
                let var = self.border(ty, Arg::Outside(tokens), None, span);
                self.axes.extend(inner);
                Arg::Var(self.shared(var))
            }
        }
    }

    /// What stands for a value that is handed on as it is: a tensor, or a tree of variables.
    pub(super) fn handed_on(&mut self, expr: &Expr) -> Option<Arg> {
        if let Expr::Path(path) = strip_reference(expr)
            && let Some(Binding::Tensor(var)) =
                path.path.get_ident().and_then(|name| self.scope.get(&name.to_string()))
        {
            return Some(Arg::Var(var));
        }
        match self.scope.touches_tensor(expr) {
            true => self.one(expr, &Wanted::anything(expr.span())).map(Arg::Var),
            false => Some(Arg::Outside(quote!(#expr))),
        }
    }
}
