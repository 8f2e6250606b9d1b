//! Inference a few examples at a time, for a method whose values all have one example for each of its input.
//!
//! ```text
//! const EXAMPLE_BYTES: Option<usize> = example_bytes(&[
//!     (<Conv<…> as Module<V0>>::EXAMPLE_BYTES, <V1 as ExampleBytes>::BYTES, <Conv<…> as Module<V0>>::HANDOVER),
//!     (if_by_example(<relu::Op as Op<V1>>::BY_EXAMPLE), <V2 as ExampleBytes>::BYTES, <relu::Op as Op<V1>>::HANDOVER),
//!     …
//! ]);
//! ```
//!
//! `infer` begins with a call of itself for blocks of examples, whose number the type does not know.

use super::module::Callable;
use crate::ir::{Arg, Call, Eqn, InputType};
use crate::parse::signature::has_bound;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::GenericParam;

/// The constant, and what `infer` begins with; nothing where the equations are no chain from one input to one output.
pub fn blocks(callable: &Callable) -> (TokenStream, TokenStream) {
    if !is_chain(callable) {
        return Default::default();
    }
    let parts = callable.passes.lowered.body.eqns.iter().map(|eqn| part(callable, eqn));
    let input = callable.input_type_of_params();
    let bytes = quote! {
        const EXAMPLE_BYTES: ::core::option::Option<::core::primitive::usize> =
            ::flaxen::__private::example_bytes(&[#(#parts),*]);
    };
    let infer = quote! {
        let block = ::core::marker::PhantomData::<#input>;
        if let ::core::option::Option::Some(out) =
            ::flaxen::__private::in_blocks(self, params, state, scope, &input, block)
        {
            return out;
        }
    };
    (bytes, infer)
}

/// The bytes of an example in what is called and in what it yields, and whether it writes that.
fn part(callable: &Callable, eqn: &Eqn) -> TokenStream {
    let types = &callable.passes.types;
    let (callee, input, out) = (types.callee(eqn), types.input(eqn), types.all(&eqn.outs));
    let (contract, inside) = match eqn.call {
        Call::Submodule(_) => {
            let contract = quote!(<#callee as ::flaxen::module::Module<#input>>);
            (contract.clone(), quote!(#contract::EXAMPLE_BYTES))
        }
        _ => {
            let contract = quote!(<#callee as ::flaxen::op::Op<#input>>);
            (contract.clone(), quote!(::flaxen::__private::if_by_example(#contract::BY_EXAMPLE)))
        }
    };
    quote!((#inside, <#out as ::flaxen::__private::ExampleBytes>::BYTES, #contract::HANDOVER))
}

/// Whether every equation has one tensor of the batch and makes one, and generics of the method are the batch alone.
fn is_chain(callable: &Callable) -> bool {
    let (signature, body) = (callable.signature(), &callable.passes.lowered.body);
    let batch: Vec<&syn::Ident> = signature
        .inner
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(ty) if has_bound(ty, &["Batch"]) => Some(&ty.ident),
            _ => None,
        })
        .collect();
    let is_batch = |dim: Option<TokenStream>| {
        dim.is_some_and(|dim| batch.iter().any(|name| dim.to_string() == name.to_string()))
    };
    let ([(_, InputType::Tensor(input))], [output]) =
        (signature.inputs.as_slice(), signature.outputs.as_slice())
    else {
        return false;
    };
    let leads = [input.as_ref(), output].into_iter().all(|tensor| {
        tensor.axes.is_none() && is_batch(tensor.dims.first().map(|dim| dim.to_type().to_token_stream()))
    });
    let is_step = |eqn: &Eqn| match &eqn.call {
        Call::Op { .. } => true,
        Call::Submodule(index) => !body.submodules[*index].opaque,
        _ => false,
    };
    leads
        && batch.len() == signature.inner.params.len()
        && signature.inner.where_clause.is_none()
        && callable.lifetime.is_none()
        && !body.eqns.is_empty()
        && body.regions.is_empty()
        && body.eqns.iter().all(|eqn| {
            is_step(eqn) && matches!((eqn.args.as_slice(), eqn.outs.as_slice()), ([Arg::Var(_)], [_]))
        })
}
