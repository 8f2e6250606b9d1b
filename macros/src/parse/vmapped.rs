//! `#[module(vmap)]`, `#[module(axis = batch)]`: a method for the values of a `vmap!`.
//!
//! The equations stay what they are. The inputs are values along axes, and what the method reads from the module itself, its
//! parameters, is shared by all examples:
//!
//! ```text
//! kernel_3 = param kernel
//! kernel_1 = share_all<L>(kernel_3)
//! add_2 = add(x_0, kernel_1)
//! ```

use crate::diag::Diagnostics;
use crate::ir::{Arg, Body, Call, Eqn, InputType, Method, Signature, Var};
use crate::messages;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, GenericParam, ItemImpl, Meta, Path, Result, Token, parenthesized, parse_quote};

/// Which values of `vmap!`s a module takes.
#[derive(Clone)]
pub enum Vmap {
    /// Those along any axes, besides tensors.
    Any,
    /// Only those along these axes, the outermost first: the module names them.
    Axes(Vec<Path>),
}

impl Parse for Vmap {
    fn parse(input: ParseStream) -> Result<Self> {
        let wrong = || Error::new(input.span(), messages::ARGUMENTS);
        let key: Ident = input.parse().map_err(|_| wrong())?;
        let vmap = if key == "vmap" {
            Vmap::Any
        } else if key == "axis" && input.parse::<Option<Token![=]>>()?.is_some() {
            if input.peek(syn::token::Paren) {
                let inside;
                parenthesized!(inside in input);
                let paths = inside.parse_terminated(Path::parse_mod_style, Token![,])?;
                Vmap::Axes(paths.into_iter().collect())
            } else {
                Vmap::Axes(vec![input.call(Path::parse_mod_style)?])
            }
        } else {
            return Err(Error::new(key.span(), messages::ARGUMENTS));
        };
        match input.is_empty() {
            true => Ok(vmap),
            false => Err(wrong()),
        }
    }
}

/// Writes the arguments of `#[module]` on the `impl` itself, so that they go where it goes.
pub fn attach(arguments: TokenStream, item: &mut ItemImpl) {
    if !arguments.is_empty() {
        item.attrs.push(parse_quote!(#[flaxen_vmap(#arguments)]));
    }
}

/// The arguments that [`attach`] has written.
pub fn attached(item: &ItemImpl, diagnostics: &mut Diagnostics) -> Option<Vmap> {
    let is_attached = |attribute: &&Attribute| attribute.path().is_ident("flaxen_vmap");
    match &item.attrs.iter().find(is_attached)?.meta {
        Meta::List(list) => diagnostics.keep(list.parse_args()),
        _ => None,
    }
}

/// The method for values along axes.
pub fn vmapped(method: &Method, vmap: &Vmap, diagnostics: &mut Diagnostics) -> Method {
    let (generics, axes) = axes(vmap);
    let mut signature = Signature { inner: method.signature.inner.clone(), ..method.signature.clone() };
    signature.inner.params.extend(generics);
    for (_, ty) in &mut signature.inputs {
        if let InputType::Tensor(tensor) = ty {
            tensor.axes = Some(axes.clone());
        }
    }
    let body = body(&method.body, &axes, diagnostics);
    Method { name: method.name.clone(), attributes: method.attributes.clone(), signature, body }
}

/// The generics that stand for axes and their sizes, and the list of the axes.
fn axes(vmap: &Vmap) -> (Vec<GenericParam>, TokenStream) {
    let Vmap::Axes(names) = vmap else {
        return (vec![parse_quote!(__Axes: ::flaxen::batching::Axes)], quote!(__Axes));
    };
    let sizes: Vec<Ident> = (0..names.len()).map(|index| format_ident!("__Size{index}")).collect();
    let along =
        |outer, (name, size): (&Path, &Ident)| quote!(::flaxen::batching::Along<#name, #size, #outer>);
    let axes = names.iter().zip(&sizes).fold(quote!(()), along);
    let generics = sizes.iter().map(|size| -> GenericParam { parse_quote!(#size: ::flaxen::shape::Batch) });
    (generics.collect(), axes)
}

fn body(of: &Body, axes: &TokenStream, diagnostics: &mut Diagnostics) -> Body {
    let mut body = Body { eqns: Vec::new(), setup: Vec::new(), ..of.clone() };
    let mut setup = of.setup.iter().peekable();
    for (index, eqn) in of.eqns.iter().enumerate() {
        while let Some((_, statement)) = setup.next_if(|(before, _)| *before <= index) {
            body.setup.push((body.eqns.len(), statement.clone()));
        }
        match &eqn.call {
            Call::Param(_) | Call::Variable(_) => share(&mut body, eqn, axes),
            Call::Write { .. } => write(&mut body, eqn),
            Call::MakeRng(_) => diagnostics.at(eqn.span, messages::VMAP_EFFECT),
            call if call.bodies().into_iter().any(has_variables) => {
                diagnostics.at(eqn.span, messages::VMAP_CONTROL);
            }
            _ => body.eqns.push(eqn.clone()),
        }
    }
    body.setup.extend(setup.map(|(_, statement)| (body.eqns.len(), statement.clone())));
    body
}

/// Whether a nested body reads or writes variables of the module itself.
fn has_variables(body: &Body) -> bool {
    let own = |call: &Call| {
        matches!(call, Call::Param(_) | Call::Variable(_) | Call::Write { .. } | Call::MakeRng(_))
    };
    body.all_eqns().into_iter().any(|eqn| own(&eqn.call))
}

/// Reads a variable of the module, and shares it.
fn share(body: &mut Body, eqn: &Eqn, axes: &TokenStream) {
    let names: Vec<String> = eqn.outs.iter().map(|&out| body.info(out).name.clone()).collect();
    let read: Vec<Var> = names.into_iter().map(|name| body.var(name, eqn.span, None)).collect();
    body.eqns.push(Eqn { outs: read.clone(), ..eqn.clone() });
    for (&out, read) in eqn.outs.iter().zip(read) {
        let op = Call::Op { ty: quote!(::flaxen::batching::share_all::Op<#axes>), values: Vec::new() };
        let label = format!("share_{}", out.0);
        body.eqns.push(Eqn { label, outs: vec![out], call: op, args: vec![Arg::Var(read)], span: eqn.span });
    }
}

/// Writes a variable of the module, with a value that all examples share.
fn write(body: &mut Body, eqn: &Eqn) {
    let args = eqn.args.iter().map(|arg| {
        let op = Call::Op {
            ty: quote_spanned!(eqn.span=> ::flaxen::batching::unshare_all::Op),
            values: Vec::new(),
        };
        let out = body.var("unshare", eqn.span, None);
        let label = format!("unshare_{}", out.0);
        body.eqns.push(Eqn { label, outs: vec![out], call: op, args: vec![arg.clone()], span: eqn.span });
        Arg::Var(out)
    });
    let args = args.collect();
    body.eqns.push(Eqn { args, ..eqn.clone() });
}
