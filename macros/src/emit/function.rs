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
    // The derivative by the only input is asked for, or nothing is.
    let needs = if signature.inputs.len() == 1 { vec![Need::Yes] } else { input_needs(signature) };
    let lowered = lower(body, &needs, signature.outputs.len());
    let (steps_name, shapes) = (format_ident!("__Steps"), format_ident!("__Shapes"));
    let types = Types::new(&lowered.body, &steps_name, all.types());
    let passes = Passes { lowered: &lowered, types, in_place: false, nest: Vec::new() };
    let room = Room { all: &all, signature, passes };

    let (name, visibility) = (&item.sig.ident, &item.vis);
    let doc = format!("[`{name}`](fn@super::{name}) as an op.");
    let (function, op, differentiable) = (room.function(item), room.op(), room.differentiable());
    let steps = steps(&lowered.body, signature, &steps_name, &shapes);
    let checks = checks::checks(&lowered.body, signature, &shapes, &name.to_string());
    let (shape, summary) = (checks::shape(name, signature), summary::passes(&lowered));
    quote! {
        #function

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
            #op
            #differentiable
            #checks
        }
    }
}

/// The parts of a differentiable function.
struct Room<'a> {
    all: &'a AllGenerics,
    signature: &'a Signature,
    passes: Passes<'a>,
}

impl Room<'_> {
    fn input_types(&self) -> Vec<TokenStream> {
        self.signature.inputs.iter().map(|(_, ty)| ty.to_type()).collect()
    }

    fn output_type(&self) -> TokenStream {
        tuple(&self.signature.outputs.iter().map(|tensor| tensor.to_type()).collect::<Vec<_>>())
    }

    /// The function itself: the op, inferred.
    fn function(&self, item: &syn::ItemFn) -> TokenStream {
        let (name, visibility, attributes) = (&item.sig.ident, &item.vis, &item.attrs);
        let (declared, where_clause) = (self.all.declared(), self.all.where_clause());
        let inputs: Vec<_> = self.signature.inputs.iter().map(|(name, _)| quote!(#name)).collect();
        let (types, output, given) = (self.input_types(), self.output_type(), tuple(&inputs));
        quote! {
            #(#attributes)*
            #visibility fn #name<#declared>(#(#inputs: #types),*) -> #output #where_clause {
                ::flaxen::op::Op::infer(&#name::Op::new(), #given)
            }
        }
    }

    fn op(&self) -> TokenStream {
        let (declared, where_clause) = (self.all.declared(), self.all.where_clause());
        let (input, output, passes) = (tuple(&self.input_types()), self.output_type(), &self.passes);
        let (inputs, setup, infer, out) = (passes.inputs(), passes.setup(), passes.infer(), passes.outputs());
        quote! {
            #[allow(unused_variables, clippy::all)]
            impl<#declared> ::flaxen::op::Op<#input> for Op #where_clause {
                type Out = #output;

                fn infer(&self, input: #input) -> Self::Out {
                    #inputs
                    #setup
                    #infer
                    #out
                }
            }
        }
    }

    /// The names of the caller's needs, and the needs as a type.
    fn needs(&self) -> (Vec<Ident>, TokenStream) {
        match self.signature.inputs.len() {
            1 => (Vec::new(), quote!(::flaxen::op::Yes)),
            several => {
                let names: Vec<Ident> = (0..several).map(names::need_of_input).collect();
                let needs = quote!((#(#names,)*));
                (names, needs)
            }
        }
    }

    fn differentiable(&self) -> TokenStream {
        let (declared, where_clause) = (self.all.declared(), self.all.where_clause());
        let (input, (needed, needs), passes) = (tuple(&self.input_types()), self.needs(), &self.passes);
        let kept = residuals(passes, &format_ident!("Residuals"), self.all, &needed);
        let (item, residuals, value) = (kept.item, kept.ty, kept.value);
        let (inputs, setup, forward, out) =
            (passes.inputs(), passes.setup(), passes.forward(), passes.outputs());
        let cotangents = (0..self.signature.outputs.len()).map(names::term).map(|name| quote!(#name));
        let cotangents: Vec<_> = cotangents.collect();
        let cotangent = tuple(&cotangents);
        let (zeros, backward) = (passes.zeros(), passes.backward(&cotangents));
        let of_inputs = passes.cotangents_of_inputs();
        quote! {
            #item

            #[allow(unused_variables, unused_mut, clippy::all)]
            impl<#declared #(#needed: ::flaxen::op::Need,)*> ::flaxen::op::Differentiable<#input, #needs> for Op
            #where_clause
            {
                type Residuals = #residuals;

                fn forward(&self, input: #input) -> (Self::Out, Self::Residuals) {
                    #inputs
                    #setup
                    #forward
                    (#out, #value)
                }

                fn backward(
                    &self,
                    residuals: Self::Residuals,
                    #cotangent: Self::Out,
                ) -> <#needs as ::flaxen::op::Needs<#input>>::Cotangents {
                    #setup
                    #zeros
                    #backward
                    #of_inputs
                }
            }
        }
    }
}
