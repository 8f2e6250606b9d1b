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
    let (body, backward) = (&passes.lowered.body, &passes.lowered.backward);
    let kept = passes.lowered.forward.iter().filter(|step| step.keeps).map(|step| &body.eqns[step.eqn]);
    let kept: Vec<&Eqn> = kept.filter(|eqn| !matches!(eqn.call, Call::Param(_))).collect();
    let mut fields: Vec<Ident> = kept.iter().map(|eqn| names::residual(eqn)).collect();
    let mut types: Vec<TokenStream> = kept.iter().map(|eqn| of_equation(passes, eqn)).collect();
    for &var in &backward.zeros {
        let (ty, need) = (passes.types.var(var), names::need(passes.lowered.need(var)));
        fields.push(names::shape_of(body, var));
        types.push(match passes.lowered.need(var) {
            Need::Yes => ty,
            _ => quote!(<#need as ::flaxen::op::Need>::Of<#ty>),
        });
    }
    let (declared, arguments, where_clause) = (all.declared(), all.arguments(), all.where_clause());
    Residuals {
        item: quote! {
            #[doc(hidden)]
            #[allow(missing_docs, private_bounds)]
            pub struct #name<#declared #(#needs: ::flaxen::op::Need,)*> #where_clause {
                #(#fields: #types,)*
                generics: ::core::marker::PhantomData<(#arguments #(#needs,)*)>,
            }
        },
        ty: quote!(#name<#arguments #(#needs,)*>),
        value: quote!(#name { #(#fields,)* generics: ::core::marker::PhantomData }),
    }
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
