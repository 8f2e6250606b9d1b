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

use super::bounds::{is_opaque, named};
use super::generics::AllGenerics;
use super::names;
use super::passes::Passes;
use crate::ir::{Call, Eqn};
use crate::lower::Lowered;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The type and what it implements.
pub fn effects(passes: &Passes, all: &AllGenerics, name: &Ident) -> TokenStream {
    let (declared, types, where_clause) = (all.declared(), all.types(), all.where_clause());
    let (updates, draws) = (updates(passes), draws(passes));
    let no_updates = implemented(name, all, &updates, "NoUpdates", &TokenStream::new());
    let no_draws = implemented(name, all, &draws, "NoDraws", &TokenStream::new());
    let drawn = &draws.types;
    let streams = quote! {
        const STREAMS: ::flaxen::module::effect::Streams = ::flaxen::module::effect::Streams::All {
            of: &[#(<#drawn as ::flaxen::module::effect::DrawsFrom<Call>>::STREAMS),*],
        };
    };
    let draws_from = implemented(name, all, &draws, "DrawsFrom", &streams);
    quote! {
        #[doc(hidden)]
        #[allow(missing_docs, private_bounds)]
        pub struct #name<#declared>(::core::marker::PhantomData<(#types)>) #where_clause;

        #no_updates
        #no_draws
        #draws_from
    }
}

/// The implementation of one trait, which all of these effects have to implement.
fn implemented(
    name: &Ident,
    all: &AllGenerics,
    of: &Effects,
    effect: &str,
    body: &TokenStream,
) -> TokenStream {
    let (effect, types, arguments) = (format_ident!("{effect}"), &of.types, all.arguments());
    let known = all.with(&of.bounds).with_variables(&of.names);
    let (declared, predicates) = (known.declared(), known.predicates());
    quote! {
        #[doc(hidden)]
        impl<#declared Call> ::flaxen::module::effect::#effect<Call> for #name<#arguments>
        where
            #(#types: ::flaxen::module::effect::#effect<Call>,)*
            #(#predicates,)*
        {
            #body
        }
    }
}

/// What is updated, or drawn from, each once.
struct Effects {
    types: Vec<TokenStream>,
    /// The names of what is unknown, and the bounds that give them.
    names: Vec<Ident>,
    bounds: Vec<TokenStream>,
}

/// The collections that are updated.
fn updates(passes: &Passes) -> Effects {
    let body = &passes.lowered.body;
    let written = called(passes.lowered).into_iter().filter_map(|eqn| match &eqn.call {
        Call::Write { variable, phase } => {
            let collection = &body.variables[*variable].collection;
            Some(match phase {
                None => collection.clone(),
                Some(phase) => quote!(<#phase as ::flaxen::module::Phase>::When<#collection>),
            })
        }
        _ => None,
    });
    effects_of(passes, written, "Updates")
}

/// The streams that are drawn from.
fn draws(passes: &Passes) -> Effects {
    let drawn = called(passes.lowered).into_iter().filter_map(|eqn| match &eqn.call {
        Call::MakeRng(stream) => Some(stream.clone()),
        _ => None,
    });
    effects_of(passes, drawn, "Draws")
}

/// The effects of the body itself, and those of the submodules that it calls, in arms that are not taken too.
fn effects_of(passes: &Passes, own: impl Iterator<Item = TokenStream>, kind: &str) -> Effects {
    let body = &passes.lowered.body;
    let (mut types, mut names, mut bounds): (Vec<_>, _, _) = (own.collect(), Vec::new(), Vec::new());
    for eqn in called(passes.lowered) {
        if !matches!(eqn.call, Call::Submodule(_)) {
            continue;
        }
        let (callee, input) = (passes.types.callee(eqn), passes.types.input(eqn));
        if is_opaque(body, eqn) {
            let name = format_ident!("__{}{kind}", names::camel(&format_ident!("{}", eqn.label)));
            types.push(quote!(#name));
            bounds.push(named(&callee, &input, kind, &name));
            names.push(name);
        } else {
            let kind = format_ident!("{kind}");
            types.push(quote!(<#callee as ::flaxen::module::Module<#input>>::#kind));
        }
    }
    Effects { types: once(types.into_iter()), names, bounds }
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
