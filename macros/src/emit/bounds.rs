//! The bounds that the user does not write: those of submodules whose types depend on type parameters.
//!
//! ```text
//! struct ClassifierParams<Backbone>
//! where <Classifier<Backbone> as __ClassifierFields>::backbone: Module<V0<Dyn>, Out = V1<Dyn>>, …
//! impl<Backbone, B: Batch, __BackboneParams, __BackboneState> Module<Tensor![B, 32, 32, 3]> for Classifier<Backbone>
//! where …backbone: Module<V0<Dyn>, Params = __BackboneParams, State = __BackboneState>,
//!       …backbone: Module<V0<B>, Out = V1<B>, Params = __BackboneParams, State = __BackboneState>, …
//! impl<…, Need0: Need> Trainable<Tensor![B, 32, 32, 3], Need0> for Classifier<Backbone>
//! where …backbone: Trainable<V0<B>, Need0>, …
//! ```
//!
//! That a submodule has the same variables for every batch is said with names for their types: rustc does not look for one
//! bound while it reads another, as it would have to for `Params = <…backbone as Module<V0<Dyn>>>::Params`. What a call
//! updates and draws from, and whether a state is none, is said with names in the same way.

use super::generics::AllGenerics;
use super::module::Prepared;
use super::names;
use super::passes::Passes;
use crate::ir::{Body, Call, Eqn};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The bounds of one method.
pub struct Bounds {
    /// What a type asks for that holds something of a call: its effects.
    pub call: AllGenerics,
    /// The same for a trained call: its residuals.
    pub training: AllGenerics,
    /// What an `impl` of a call asks for.
    pub call_impl: AllGenerics,
    /// What an `impl` of a trained call asks for.
    pub training_impl: AllGenerics,
    /// Whether the module has submodules of unknown type.
    pub is_opaque: bool,
}

/// Whether an equation calls a submodule of unknown type.
pub fn is_opaque(body: &Body, eqn: &Eqn) -> bool {
    matches!(eqn.call, Call::Submodule(index) if body.submodules[index].opaque)
}

/// Something of a module that is unknown, with a name: `callee: Module<input, State = name>`.
pub fn named(callee: &TokenStream, input: &TokenStream, what: &str, name: &Ident) -> TokenStream {
    let what = format_ident!("{what}");
    quote!(#callee: ::flaxen::module::Module<#input, #what = #name>)
}

/// The equations that call submodules of unknown type.
fn opaque<'a>(method: &'a Prepared) -> impl Iterator<Item = (&'a Eqn, Ident)> {
    let body = &method.lowered.body;
    body.all_eqns().into_iter().filter_map(|eqn| match eqn.call {
        Call::Submodule(index) if body.submodules[index].opaque => {
            Some((eqn, names::key(&body.submodules[index])))
        }
        _ => None,
    })
}

/// What the parameters of a module ask for, for the sake of one method.
pub fn of_params(method: &Prepared) -> Vec<TokenStream> {
    let types = method.types_of_params();
    let modules = opaque(method).map(|(eqn, _)| {
        let (callee, input, out) = (types.callee(eqn), types.input(eqn), types.all(&eqn.outs));
        quote!(#callee: ::flaxen::module::Module<#input, Out = #out>)
    });
    let modules: Vec<TokenStream> = modules.collect();
    // A tree lives as long as it likes, and so must its generics.
    let lasting = method.all.modules().map(|module| quote!(#module: 'static));
    if modules.is_empty() { modules } else { lasting.chain(modules.iter().cloned()).collect() }
}

/// The bounds of a method whose parameters ask for `of_params`. `contract` is what gives a submodule its variables: its type
/// and the input of its first call.
pub fn bounds(
    method: &Prepared,
    of_params: &[TokenStream],
    contract: impl Fn(&Ident) -> Option<(TokenStream, TokenStream)>,
) -> Bounds {
    let passes = method.passes();
    let kept = kept(&passes);
    let (mut calls, mut trained, mut same, mut variables) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (eqn, key) in opaque(method) {
        let (callee, input, out) =
            (passes.types.callee(eqn), passes.types.input(eqn), passes.types.all(&eqn.outs));
        calls.push(quote!(#callee: ::flaxen::module::Module<#input, Out = #out>));
        if let Some((_, needs)) = kept.iter().find(|(label, _)| *label == eqn.label) {
            trained.push(quote!(#callee: ::flaxen::module::Trainable<#input, #needs>));
        }
        let Some((of, first)) = contract(&key) else { continue };
        let key = names::camel(&key);
        let [params, state] = ["Params", "State"].map(|kind| format_ident!("__{key}{kind}"));
        for (callee, input) in [(&of, &first), (&callee, &input)] {
            same.push(quote!(#callee: ::flaxen::module::Module<#input, Params = #params, State = #state>));
        }
        if !variables.contains(&params) {
            same.push(quote!(#params: ::flaxen::tree::Tree));
            same.push(quote!(#state: ::flaxen::tree::Tree));
            variables.extend([params, state]);
        }
    }
    let call = method.all.with(of_params).with(&calls);
    let training = call.with(&trained);
    let call_impl = call.with(&same).with_variables(&variables);
    Bounds {
        is_opaque: !of_params.is_empty(),
        training_impl: call_impl.with(&trained),
        call,
        training,
        call_impl,
    }
}

/// The equations that the backward pass goes through, at any depth, with the needs of their arguments.
fn kept(passes: &Passes) -> Vec<(String, TokenStream)> {
    let steps = passes.lowered.forward.iter().filter(|step| step.keeps);
    let kept = steps.flat_map(|step| {
        let eqn = &passes.lowered.body.eqns[step.eqn];
        let inner = passes.inner(step.eqn).iter().flat_map(kept).collect::<Vec<_>>();
        inner.into_iter().chain([(eqn.label.clone(), passes.needs(eqn))])
    });
    kept.collect()
}
