//! The shape rules in numbers: one constant an equation, at the user's token. rustc evaluates them under `cargo
//! check`, and the one that does not fit says so in decimals.
//!
//! ```text
//! const _: () = {
//!     __stand_in!(B);
//!     const V0: Rule = Rule::Out(Sizes::new(&[Size::of::<B>(), Size::Known(28), …]));
//!     const V1: Rule = if V0.fits() { <Conv<…>>::shape([V0.sizes()]) } else { Rule::Poisoned };
//!     const _: () = V1.speak();
//!     …
//! };
//! ```

use super::generics::{AllGenerics, StandIn};
use super::names;
use super::steps::callee;
use crate::ir::{Body, Call, Eqn, Signature, Var};
use crate::parse::dims::TensorType;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

/// The constants; nothing if a generic parameter stands for something other than a dimension or an element.
pub fn checks(body: &Body, signature: &Signature, name: &str) -> TokenStream {
    let Some(stand_ins) = AllGenerics::of(signature).stand_ins(false) else {
        return TokenStream::new();
    };
    let stand_ins = stand_ins.iter().map(|stand_in| match stand_in {
        StandIn::Dim(name) => quote!(::flaxen::__stand_in!(#name);),
        StandIn::Element(name) => quote!(type #name = f32;),
    });
    let inputs = body
        .inputs
        .iter()
        .zip(&signature.inputs)
        .map(|(&input, (_, tensor))| {
            let (rule, sizes) = (rule_of(input), sizes(tensor));
            quote!(const #rule: ::flaxen::shape::Rule = ::flaxen::shape::Rule::Out(#sizes);)
        });
    let equations = body.eqns.iter().map(|eqn| equation(body, eqn));
    let results = body
        .outputs
        .iter()
        .zip(&signature.outputs)
        .map(|(&output, declared)| {
            let (rule, expected) = (rule_of(output), sizes(declared));
            quote_spanned! {declared.span=>
                const _: () = ::flaxen::shape::returns(#name, #rule, #expected).speak();
            }
        });
    quote! {
        #[allow(dead_code, non_upper_case_globals, clippy::all)]
        const _: () = {
            #(#stand_ins)*
            #(#inputs)*
            #(#equations)*
            #(#results)*
        };
    }
}

/// All dimensions are types here: the generic ones have stand-ins of the same name.
fn sizes(tensor: &TensorType) -> TokenStream {
    let dims = tensor.dims.iter().map(|dim| dim.to_size_of_type());
    quote!(::flaxen::shape::Sizes::new(&[#(#dims),*]))
}

fn rule_of(var: Var) -> proc_macro2::Ident {
    names::type_of(var)
}

fn equation(body: &Body, eqn: &Eqn) -> TokenStream {
    let whole = match &eqn.call {
        Call::Param(index) => {
            let sizes = sizes(&body.params[*index].tensor);
            quote!(::flaxen::shape::Rule::Out(#sizes))
        }
        _ => {
            let inputs: Vec<_> = eqn.args.iter().filter_map(|arg| arg.var()).map(rule_of).collect();
            let callee = callee(body, eqn);
            quote_spanned! {eqn.span=>
                if true #(&& #inputs.fits())* {
                    <#callee>::shape([#(#inputs.sizes()),*])
                } else {
                    ::flaxen::shape::Rule::Poisoned
                }
            }
        }
    };
    let span = eqn.span;
    let outs = eqn.outs.iter().map(|&out| rule_of(out));
    let rules = match eqn.outs.len() {
        1 => quote_spanned!(span=> #(const #outs: ::flaxen::shape::Rule = #whole;)*),
        _ => {
            let indices = 0..eqn.outs.len();
            quote_spanned!(span=> #(const #outs: ::flaxen::shape::Rule = { #whole }.output(#indices);)*)
        }
    };
    let first = rule_of(eqn.outs[0]);
    let declared = eqn.outs.iter().filter_map(|&out| {
        let (rule, tensor) = (rule_of(out), body.info(out).declared.as_ref()?);
        let (name, expected) = (&body.info(out).name, sizes(tensor));
        Some(quote_spanned! {tensor.span=>
            const _: () = ::flaxen::shape::declared(#name, #rule, #expected).speak();
        })
    });
    let speak = quote_spanned!(span=> const _: () = #first.speak(););
    quote!(#rules #speak #(#declared)*)
}
