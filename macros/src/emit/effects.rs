//! What a call does besides computing its output, in types: a type that updates the collections, and draws from the streams,
//! of the body and of the submodules that are called in it.
//!
//! ```text
//! pub struct __MlpEffects<B: Batch, P: Phase>(PhantomData<(B, P)>);
//! impl<B: Batch, P: Phase, Call> NoUpdates<Call> for __MlpEffects<B, P>
//! where BatchStats: NoUpdates<Call>, <BatchNorm as Module<(<Steps<(B, P)> as __MlpSteps>::V0, P)>>::Updates: NoUpdates<Call>, …
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
    let (updates, draws) = (updates(passes), draws(passes));
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

        #[doc(hidden)]
        impl<#declared Rngs> ::flaxen::module::effect::DrawsFrom<Rngs> for #name<#arguments>
        where
            #(#draws: ::flaxen::module::effect::DrawsFrom<Rngs>,)*
            #(#predicates,)*
        {
            const STREAMS: ::flaxen::module::effect::Streams = ::flaxen::module::effect::Streams::All {
                of: &[#(<#draws as ::flaxen::module::effect::DrawsFrom<Rngs>>::STREAMS),*],
            };
        }
    }
}

/// The collections that are updated, each once.
fn updates(passes: &Passes) -> Vec<TokenStream> {
    let body = &passes.lowered.body;
    let written = called(passes.lowered).into_iter().filter_map(|eqn| match &eqn.call {
        Call::Write(index) => Some(body.variables[*index].collection.clone()),
        _ => None,
    });
    once(written.chain(of_submodules(passes, "Updates")))
}

/// The streams that are drawn from, each once.
fn draws(passes: &Passes) -> Vec<TokenStream> {
    let drawn = called(passes.lowered).into_iter().filter_map(|eqn| match &eqn.call {
        Call::MakeRng(stream) => Some(stream.clone()),
        _ => None,
    });
    once(drawn.chain(of_submodules(passes, "Draws")))
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

/// A bound that stood twice would be said twice.
fn once(effects: impl Iterator<Item = TokenStream>) -> Vec<TokenStream> {
    let mut kept: Vec<(String, TokenStream)> = Vec::new();
    for effect in effects {
        let text = effect.to_string();
        if kept.iter().all(|(other, _)| *other != text) {
            kept.push((text, effect));
        }
    }
    kept.into_iter().map(|(_, effect)| effect).collect()
}
