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

use super::bounds::{is_opaque, named};
use super::generics::AllGenerics;
use super::names;
use super::passes::Passes;
use crate::ir::Call;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The type and what it implements.
pub fn effects(passes: &Passes, all: &AllGenerics, name: &Ident) -> TokenStream {
    let (declared, arguments, where_clause) = (all.declared(), all.arguments(), all.where_clause());
    let [updates, draws] = ["Updates", "Draws"].map(|kind| of_submodules(passes, kind));
    let implemented = [("NoUpdates", updates), ("NoDraws", draws)].map(|(effect, of)| {
        let (effect, types, known) = (format_ident!("{effect}"), of.types, all.with(&of.bounds));
        let known = known.with_variables(&of.names);
        let (declared, predicates) = (known.declared(), known.predicates());
        quote! {
            #[doc(hidden)]
            impl<#declared Call> ::flaxen::module::effect::#effect<Call> for #name<#arguments>
            where
                #(#types: ::flaxen::module::effect::#effect<Call>,)*
                #(#predicates,)*
            {
            }
        }
    });
    quote! {
        #[doc(hidden)]
        #[allow(missing_docs, private_bounds)]
        pub struct #name<#declared>(::core::marker::PhantomData<(#arguments)>) #where_clause;

        #(#implemented)*
    }
}

/// The effects of the submodules that are called.
#[derive(Default)]
struct Effects {
    types: Vec<TokenStream>,
    /// The names of those that are unknown, and the bounds that give them.
    names: Vec<Ident>,
    bounds: Vec<TokenStream>,
}

fn of_submodules(passes: &Passes, kind: &str) -> Effects {
    let body = &passes.lowered.body;
    let mut effects = Effects::default();
    for eqn in passes.lowered.forward.iter().map(|step| &body.eqns[step.eqn]) {
        if !matches!(eqn.call, Call::Submodule(_)) {
            continue;
        }
        let (callee, input) = (passes.types.callee(eqn), passes.types.input(eqn));
        if is_opaque(body, eqn) {
            let name = format_ident!("__{}{kind}", names::camel(&format_ident!("{}", eqn.label)));
            effects.types.push(quote!(#name));
            effects.bounds.push(named(&callee, &input, kind, &name));
            effects.names.push(name);
        } else {
            let kind = format_ident!("{kind}");
            effects.types.push(quote!(<#callee as ::flaxen::module::Module<#input>>::#kind));
        }
    }
    effects
}
