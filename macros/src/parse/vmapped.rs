//! `#[module(vmap)]`, `#[module(axis = batch)]`: a method for the values of a `vmap!`.
//!
//! It is read again, with inputs that are values along axes. What it reads from the module itself, its parameters, is shared by
//! all examples:
//!
//! ```text
//! kernel_1 = param kernel
//! kernel_2 = share_all<__Axes>(kernel_1)
//! add_3 = add(x_0, kernel_2)
//! ```

use super::body::BodyParser;
use super::pattern::Wanted;
use crate::diag::Diagnostics;
use crate::ir::{Arg, Call, InputType, Signature, Var};
use crate::messages;
use proc_macro2::{Ident, Span, TokenStream};
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

/// The signature for values along axes, and the axes.
pub fn vmapped(signature: &Signature, vmap: &Vmap) -> (Signature, TokenStream) {
    let (generics, axes) = axes(vmap);
    let mut signature = signature.clone();
    signature.inner.params.extend(generics);
    let inputs = signature.inputs.iter_mut().filter_map(|(_, ty)| match ty {
        InputType::Tensor(tensor) => Some(&mut **tensor),
        InputType::Phase(_) => None,
    });
    inputs.chain(&mut signature.outputs).for_each(|tensor| tensor.axes = Some(axes.clone()));
    (signature, axes)
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

impl BodyParser<'_> {
    /// An equation of a module along axes: what it reads from the module is shared by all examples, and so is what it writes.
    pub(super) fn equation_along(
        &mut self,
        axes: &TokenStream,
        name: &str,
        span: Span,
        call: Call,
        args: Vec<Arg>,
        wanted: &[Wanted],
    ) -> Vec<Var> {
        match &call {
            Call::Param(_) | Call::Variable(_) => {
                let read =
                    self.plain_equation(name, span, call, args, &vec![Wanted::anything(span); wanted.len()]);
                let share = quote!(::flaxen::batching::share_all::Op<#axes>);
                let shared = read.into_iter().zip(wanted).flat_map(|(read, wanted)| {
                    let op = Call::Op { ty: share.clone(), values: Vec::new() };
                    let wanted =
                        Wanted { name: wanted.name.clone().or(Some(name.to_string())), ..wanted.clone() };
                    self.plain_equation("share", span, op, vec![Arg::Var(read)], &[wanted])
                });
                shared.collect()
            }
            Call::Write { .. } => {
                let unshare = quote_spanned!(span=> ::flaxen::batching::unshare_all::Op);
                let written = args.into_iter().flat_map(|arg| {
                    let op = Call::Op { ty: unshare.clone(), values: Vec::new() };
                    self.plain_equation("unshare", span, op, vec![arg], &[Wanted::anything(span)])
                });
                let written = written.map(Arg::Var).collect();
                self.plain_equation(name, span, call, written, wanted)
            }
            Call::MakeRng(_) => {
                self.mistake(span, messages::VMAP_EFFECT);
                self.plain_equation(name, span, call, args, wanted)
            }
            _ => self.plain_equation(name, span, call, args, wanted),
        }
    }
}
