//! A differentiable function: the function itself, and a room of the same name with its op.
//!
//! ```text
//! fn loss<B: Batch>(…) -> Tensor![] { Op::infer(&loss::Op, (…)) }
//! mod loss { use super::*; pub struct Op; impl … flaxen::op::Op<…> for Op; impl … Differentiable<…> for Op }
//! ```

use super::generics::AllGenerics;
use super::module::input_needs;
use super::names::{self, tuple};
use super::passes::Passes;
use super::residuals::residuals;
use super::steps::{Types, steps};
use super::{checks, summary};
use crate::analyze::activity::Need;
use crate::ir::{Body, Signature};
use crate::lower::lower;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// Everything that `#[differentiable]` makes of a function.
pub fn function(item: &syn::ItemFn, signature: &Signature, body: Body) -> TokenStream {
    let all = AllGenerics::of(signature);
    let single = signature.inputs.len() == 1;
    let needs = if single { vec![Need::Yes] } else { input_needs(signature) };
    let lowered = lower(body, &needs, signature.outputs.len());
    let steps_name = format_ident!("__Steps");
    let types = Types::new(&lowered.body, &steps_name, all.arguments());
    let passes = Passes { lowered: &lowered, types, in_place: false };
    let (name, visibility, attributes) = (&item.sig.ident, &item.vis, &item.attrs);
    let (declared, where_clause) = (all.declared(), all.where_clause());
    let inputs: Vec<_> = signature.inputs.iter().map(|(name, _)| quote!(#name)).collect();
    let types: Vec<_> = signature.inputs.iter().map(|(_, tensor)| tensor.to_type()).collect();
    let input = tuple(&types);
    let output = tuple(&signature.outputs.iter().map(|tensor| tensor.to_type()).collect::<Vec<_>>());
    let given = tuple(&inputs);
    let needed: Vec<Ident> =
        if single { Vec::new() } else { (0..inputs.len()).map(names::need_of_input).collect() };
    let need = match single {
        true => quote!(::flaxen::op::Yes),
        false => quote!((#(#needed,)*)),
    };
    let kept = residuals(&passes, &format_ident!("Residuals"), &all, &needed);
    let (item_of_kept, type_of_kept, value_of_kept) = (kept.item, kept.ty, kept.value);
    let (pattern, setup, infer, out) = (passes.inputs(), passes.setup(), passes.infer(), passes.outputs());
    let forward = passes.forward();
    let cotangents: Vec<_> =
        (0..signature.outputs.len()).map(names::term).map(|name| quote!(#name)).collect();
    let cotangent = tuple(&cotangents);
    let (zeros, backward) = (passes.zeros(), passes.backward(&cotangents));
    let of_inputs = passes.cotangents_of_inputs();
    let shapes = format_ident!("__Shapes");
    let steps = steps(&lowered.body, signature, &steps_name, &shapes);
    let (checks, shape) = (
        checks::checks(&lowered.body, signature, &shapes, &name.to_string()),
        checks::shape(name, signature),
    );
    let (doc, summary) = (format!("[`{name}`](fn@super::{name}) as an op."), summary::passes(&lowered));
    quote! {
        #(#attributes)*
        #visibility fn #name<#declared>(#(#inputs: #types),*) -> #output #where_clause {
            ::flaxen::op::Op::infer(&#name::Op::new(), #given)
        }

        #[doc = #doc]
        #[allow(unused_imports)]
        #visibility mod #name {
            use super::*;

            #[doc = #doc]
            #[derive(Clone, Copy, Debug, Default)]
            pub struct Op;

            #[doc = #summary]
            impl Op {
                /// The op.
                pub const fn new() -> Self {
                    Op
                }

                #shape
            }

            #steps

            #[allow(unused_variables, clippy::all)]
            impl<#declared> ::flaxen::op::Op<#input> for Op #where_clause {
                type Out = #output;

                fn infer(&self, input: #input) -> Self::Out {
                    #pattern
                    #setup
                    #infer
                    #out
                }
            }

            #item_of_kept

            #[allow(unused_variables, unused_mut, clippy::all)]
            impl<#declared #(#needed: ::flaxen::op::Need,)*> ::flaxen::op::Differentiable<#input, #need> for Op
            #where_clause
            {
                type Residuals = #type_of_kept;

                fn forward(&self, input: #input) -> (Self::Out, Self::Residuals) {
                    #pattern
                    #setup
                    #forward
                    (#out, #value_of_kept)
                }

                fn backward(
                    &self,
                    residuals: Self::Residuals,
                    #cotangent: Self::Out,
                ) -> <#need as ::flaxen::op::Needs<#input>>::Cotangents {
                    #setup
                    #zeros
                    #backward
                    #of_inputs
                }
            }

            #checks
        }
    }
}
