//! The bounds that the user does not write: those of submodules whose types depend on type parameters.
//!
//! ```text
//! struct ClassifierParams<Backbone>
//! where <Classifier<Backbone> as __ClassifierFields>::backbone: Module<V0<Dyn>, Out = V1<Dyn>>, …
//! impl<Backbone, B: Batch> Module<Tensor![B, 32, 32, 3]> for Classifier<Backbone>
//! where …backbone: Module<V0<B>, Out = V1<B>, Params = <…backbone as Module<V0<Dyn>>>::Params, …>
//! impl<Backbone, B: Batch, Need0: Need> Trainable<Tensor![B, 32, 32, 3], Need0> for Classifier<Backbone>
//! where …backbone: Trainable<V0<B>, Need0>, …
//! ```

use super::generics::AllGenerics;
use super::names;
use super::passes::Passes;
use super::steps::Types;
use crate::ir::{Call, Eqn};
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// The equations that call submodules of unknown type.
fn opaque<'a>(passes: &'a Passes) -> impl Iterator<Item = (&'a Eqn, Ident)> {
    let body = &passes.lowered.body;
    body.all_eqns().into_iter().filter_map(|eqn| match eqn.call {
        Call::Submodule(index) if body.submodules[index].opaque => {
            Some((eqn, names::key(&body.submodules[index])))
        }
        _ => None,
    })
}

/// What the parameters of a module ask for; `types` are those that parameters see.
pub fn of_params(passes: &Passes, types: &Types, all: &AllGenerics) -> Vec<TokenStream> {
    let modules = opaque(passes).map(|(eqn, _)| {
        let (callee, input, out) = (types.callee(eqn), types.input(eqn), types.all(&eqn.outs));
        quote!(#callee: ::flaxen::module::Module<#input, Out = #out>)
    });
    let modules: Vec<TokenStream> = modules.collect();
    // A tree lives as long as it likes, and so must its generics.
    let lasting = all.modules().map(|module| quote!(#module: 'static));
    if modules.is_empty() { modules } else { lasting.chain(modules.iter().cloned()).collect() }
}

/// What a call asks for, besides what its parameters do: with every batch, the submodule has the same variables. `contract`
/// is what gives a submodule its variables: `<Conv<…> as Module<…>>`.
pub fn of_call(passes: &Passes, contract: impl Fn(&Ident) -> Option<TokenStream>) -> Vec<TokenStream> {
    let types = &passes.types;
    let bounds = opaque(passes).map(|(eqn, key)| {
        let (callee, input, out) = (types.callee(eqn), types.input(eqn), types.all(&eqn.outs));
        let variables =
            contract(&key).map(|contract| quote!(Params = #contract::Params, State = #contract::State));
        quote!(#callee: ::flaxen::module::Module<#input, Out = #out, #variables>)
    });
    bounds.collect()
}

/// What the backward pass asks for, besides.
pub fn of_training(passes: &Passes) -> Vec<TokenStream> {
    let body = &passes.lowered.body;
    let kept = passes.lowered.forward.iter().filter(|step| step.keeps);
    let bounds = kept.flat_map(|step| {
        let eqn = &body.eqns[step.eqn];
        let own = matches!(eqn.call, Call::Submodule(index) if body.submodules[index].opaque);
        let own = own.then(|| {
            let (callee, input, needs) =
                (passes.types.callee(eqn), passes.types.input(eqn), passes.needs(eqn));
            quote!(#callee: ::flaxen::module::Trainable<#input, #needs>)
        });
        let inner = passes.inner(step.eqn);
        own.into_iter().chain(inner.iter().flat_map(of_training).collect::<Vec<_>>())
    });
    bounds.collect()
}
