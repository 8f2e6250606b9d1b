//! What a call does besides computing its output, in types: a type that updates nothing, and draws nothing, if none of
//! the submodules that are called does.
//!
//! ```text
//! pub struct __CnnEffects<B: Batch>(PhantomData<(B,)>);
//! impl<B: Batch, Call> NoUpdates<Call> for __CnnEffects<B>
//! where <Conv<…> as Module<<Steps<(B,)> as __CnnSteps>::V0>>::Updates: NoUpdates<Call>, …
//! ```
//!
//! The effects stand in bounds, where they may be private, and not as a list in `Module::Updates`, which would show them: a
//! public module may have private submodules. With `Call` in it, rustc looks at a bound
//! where a call asks for it, and not before.

use super::generics::AllGenerics;
use super::passes::Passes;
use crate::ir::{Call, Eqn};
use crate::lower::Lowered;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The type and what it implements.
pub fn effects(passes: &Passes, all: &AllGenerics, name: &Ident) -> TokenStream {
    let (declared, arguments, types) = (all.declared(), all.arguments(), all.types());
    let (where_clause, predicates) = (all.where_clause(), all.predicates());
    let [updates, draws] = ["Updates", "Draws"].map(|kind| of_submodules(passes, kind));
    quote! {
        #[doc(hidden)]
        #[allow(missing_docs, private_bounds)]
        pub struct #name<#declared>(::core::marker::PhantomData<(#types)>) #where_clause;

        #[doc(hidden)]
        impl<#declared Call> ::flaxen::module::effect::NoUpdates<Call> for #name<#arguments>
        where
            #(#updates: ::flaxen::module::effect::NoUpdates<Call>,)*
            #(#predicates,)*
        {
        }

        #[doc(hidden)]
        impl<#declared Call> ::flaxen::module::effect::NoDraws<Call> for #name<#arguments>
        where
            #(#draws: ::flaxen::module::effect::NoDraws<Call>,)*
            #(#predicates,)*
        {
        }
    }
}

/// The effects of a kind of the submodules that are called, in arms that are not taken too.
fn of_submodules(passes: &Passes, kind: &str) -> Vec<TokenStream> {
    let kind = format_ident!("{kind}");
    let calls = called(passes.lowered);
    let effects = calls.into_iter().filter(|eqn| matches!(eqn.call, Call::Submodule(_))).map(|eqn| {
        let (callee, input) = (passes.types.callee(eqn), passes.types.input(eqn));
        quote!(<#callee as ::flaxen::module::Module<#input>>::#kind)
    });
    effects.collect()
}

/// All equations that are computed, at any depth.
fn called(lowered: &Lowered) -> Vec<&Eqn> {
    let steps = lowered.forward.iter().flat_map(|step| {
        let inner = lowered.inner[step.eqn].iter().flat_map(called);
        inner.chain([&lowered.body.eqns[step.eqn]])
    });
    steps.collect()
}
