//! What the forward pass keeps: a struct with a field an equation, never a tape.
//!
//! ```text
//! pub struct __CnnResiduals<B: Batch, Need0: Need> {
//!     kept_conv_0: <Conv<…> as Trainable<<Steps<(B,)> as __CnnSteps>::V0, Need0>>::Residuals,
//!     …
//! }
//! ```
//!
//! The types of the fields are written in the struct, where they may be private, and not as its arguments, which
//! would show them in `Trainable::Residuals`: a public module may have private submodules.

use super::generics::AllGenerics;
use super::names;
use super::passes::Passes;
use crate::analyze::activity::Need;
use crate::ir::{Call, Eqn};
use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};

/// The struct and how it is written and made.
pub struct Residuals {
    /// The item.
    pub item: TokenStream,
    /// The type: `__CnnResiduals<B, Need0>`.
    pub ty: TokenStream,
    /// The expression that makes it from locals of the fields' names.
    pub value: TokenStream,
}

/// The residuals of a body with these generics, whose caller's needs have these names.
pub fn residuals(passes: &Passes, name: &Ident, all: &AllGenerics, needs: &[Ident]) -> Residuals {
    let (fields, types) = kept(passes);
    let (declared, arguments, where_clause) = (all.declared(), all.arguments(), all.where_clause());
    let types_of_all = all.types();
    Residuals {
        item: quote! {
            #[doc(hidden)]
            #[allow(missing_docs, private_bounds)]
            pub struct #name<#declared #(#needs: ::flaxen::op::Need,)*> #where_clause {
                #(#fields: #types,)*
                generics: ::core::marker::PhantomData<(#types_of_all #(#needs,)*)>,
            }
        },
        ty: quote!(#name<#arguments #(#needs,)*>),
        value: quote!(#name { #(#fields,)* generics: ::core::marker::PhantomData }),
    }
}

/// The names and types of what a body keeps.
pub fn kept(passes: &Passes) -> (Vec<Ident>, Vec<TokenStream>) {
    let (body, backward) = (&passes.lowered.body, &passes.lowered.backward);
    let steps = passes.lowered.forward.iter().filter(|step| step.keeps);
    let kept = steps.filter(|step| !matches!(body.eqns[step.eqn].call, Call::Param(_)));
    let kept = kept.map(|step| {
        let eqn = &body.eqns[step.eqn];
        let ty = passes.kept_by_bodies(step.eqn).unwrap_or_else(|| of_equation(passes, eqn));
        (names::residual(eqn), ty)
    });
    let zeros = backward.zeros.iter().map(|&var| {
        let (ty, need) = (passes.types.var(var), names::need(passes.lowered.need(var)));
        let ty = match passes.lowered.need(var) {
            Need::Yes => ty,
            _ => quote!(<#need as ::flaxen::op::Need>::Of<#ty>),
        };
        (names::shape_of(body, var), ty)
    });
    kept.chain(zeros).unzip()
}

fn of_equation(passes: &Passes, eqn: &Eqn) -> TokenStream {
    let (callee, input, needs) = (passes.types.callee(eqn), passes.types.input(eqn), passes.needs(eqn));
    let contract = match &eqn.call {
        Call::Op { .. } => quote!(::flaxen::op::Differentiable),
        _ => quote!(::flaxen::module::Trainable),
    };
    let residuals = quote_spanned!(eqn.span=> <#callee as #contract<#input, #needs>>::Residuals);
    match passes.condition(eqn) {
        Some(condition) => quote!(<#condition as ::flaxen::op::Need>::Of<#residuals>),
        None => residuals,
    }
}
