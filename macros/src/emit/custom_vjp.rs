//! An op whose derivative is the user's own: its room, with the op beside the user's functions.
//!
//! ```text
//! mod log1pexp { …; pub struct Op; impl … flaxen::op::Op<…> for Op; impl … Differentiable<…> for Op }
//! use log1pexp::primal as log1pexp;
//! ```

use super::checks;
use super::names::{self, tuple};
use crate::parse::custom_vjp::{Argument, CustomVjp, Shape};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

/// Everything that `#[custom_vjp]` makes of a module.
pub fn custom_vjp(custom: &CustomVjp) -> TokenStream {
    let (item, name) = (&custom.item, &custom.item.ident);
    let (visibility, attributes) = (&item.vis, &item.attrs);
    let content = item.content.iter().flat_map(|(_, items)| items);
    let (structure, op, differentiable) = (structure(custom), op(custom), differentiable(custom));
    quote! {
        #(#attributes)*
        #visibility mod #name {
            #(#content)*

            #structure
            #op
            #differentiable
        }

        #[allow(unused_imports)]
        #visibility use #name::primal as #name;
    }
}

/// The op's struct: its values.
fn structure(custom: &CustomVjp) -> TokenStream {
    let values: Vec<&Argument> = custom.arguments.iter().filter(|argument| !argument.is_tensor).collect();
    let (fields, types): (Vec<_>, Vec<_>) = values.iter().map(|value| (&value.name, &value.ty)).unzip();
    let name = &custom.item.ident;
    let doc = format!("[`{name}`](fn@super::{name}) as an op, with a derivative of its own.");
    let count = custom.arguments.len() - fields.len();
    let shape = match &custom.shape {
        Shape::Signature(signature) => checks::shape(name, signature),
        Shape::OfInputs(places) => {
            let outs = match places.as_slice() {
                [one] => quote!(::flaxen::shape::Rule::Out(inputs[#one])),
                several => {
                    let places = (0..4).map(|index| several.get(index).copied().unwrap_or(several[0]));
                    quote!(::flaxen::shape::Rule::Outs([#(inputs[#places]),*]))
                }
            };
            quote! {
                /// The shape rule in numbers.
                pub const fn shape(inputs: [::flaxen::shape::Sizes; #count]) -> ::flaxen::shape::Rule {
                    #outs
                }
            }
        }
    };
    quote! {
        #[doc = #doc]
        #[derive(Clone, Debug)]
        #[allow(missing_docs)]
        pub struct Op {
            #(pub #fields: #types,)*
        }

        impl Op {
            /// The op.
            #[allow(clippy::new_without_default)]
            pub const fn new(#(#fields: #types),*) -> Self {
                Op { #(#fields),* }
            }

            #shape
        }
    }
}

fn tensors(custom: &CustomVjp) -> impl Iterator<Item = &Argument> {
    custom.arguments.iter().filter(|argument| argument.is_tensor)
}

/// The inputs' type, and the pattern that takes them apart.
fn input(custom: &CustomVjp) -> (TokenStream, TokenStream) {
    let types: Vec<_> = tensors(custom).map(|argument| &argument.ty).map(|ty| quote!(#ty)).collect();
    let names: Vec<_> = tensors(custom).map(|argument| &argument.name).map(|name| quote!(#name)).collect();
    (tuple(&types), tuple(&names))
}

/// The arguments of `primal` and `forward`.
fn given(custom: &CustomVjp) -> TokenStream {
    let given = custom.arguments.iter().map(|Argument { name, is_tensor, .. }| match is_tensor {
        true => quote!(#name),
        false => quote!(::core::clone::Clone::clone(&self.#name)),
    });
    quote!(#(#given),*)
}

fn op(custom: &CustomVjp) -> TokenStream {
    let (generics, where_clause) =
        (&custom.primal.sig.generics.params, &custom.primal.sig.generics.where_clause);
    let ((input, pattern), given, output) = (input(custom), given(custom), &custom.output);
    quote! {
        impl<#generics> ::flaxen::op::Op<#input> for Op #where_clause {
            type Out = #output;

            fn infer(&self, #pattern: #input) -> Self::Out {
                primal(#given)
            }
        }
    }
}

fn differentiable(custom: &CustomVjp) -> TokenStream {
    let (generics, where_clause) =
        (&custom.primal.sig.generics.params, &custom.primal.sig.generics.where_clause);
    let generics: Vec<_> = generics.iter().collect();
    let ((input, pattern), given) = (input(custom), given(custom));
    let (output, residuals, cotangents) = (&custom.output, &custom.residuals, &custom.cotangents);
    // One input is always asked about; of several, those that have a cotangent are, if the caller says so.
    let needs: Vec<_> = match cotangents.as_slice() {
        [_] => vec![quote!(::flaxen::op::Yes)],
        several => several
            .iter()
            .enumerate()
            .map(|(index, ty)| match is_nothing(ty) {
                true => quote!(::flaxen::op::No),
                false => {
                    let need = names::need_of_input(index);
                    quote!(#need)
                }
            })
            .collect(),
    };
    let asked =
        (0..cotangents.len()).filter(|&index| cotangents.len() > 1 && !is_nothing(&cotangents[index]));
    let asked: Vec<_> = asked.map(names::need_of_input).collect();
    let terms: Vec<_> = (0..cotangents.len()).map(names::term).collect();
    let pulled =
        terms.iter().zip(&needs).zip(cotangents).map(
            |((term, need), ty)| quote_spanned!(ty.span()=> <#need as ::flaxen::op::Need>::when(|| #term)),
        );
    let (needs, pulled) = (tuple(&needs), tuple(&pulled.collect::<Vec<_>>()));
    let bound = tuple(&terms.iter().map(|term| quote!(#term)).collect::<Vec<_>>());
    let types = tuple(&cotangents.iter().map(|ty| quote!(#ty)).collect::<Vec<_>>());
    let forward = quote_spanned!(custom.forward.sig.output.span()=> forward(#given));
    let backward = quote_spanned!(custom.backward.sig.output.span()=> backward(residuals, cotangent));
    quote! {
        #[allow(unused_variables)]
        impl<#(#generics,)* #(#asked: ::flaxen::op::Need,)*> ::flaxen::op::Differentiable<#input, #needs> for Op
        #where_clause
        {
            type Residuals = #residuals;

            fn forward(&self, #pattern: #input) -> (#output, #residuals) {
                #forward
            }

            fn backward(
                &self,
                residuals: #residuals,
                cotangent: #output,
            ) -> <#needs as ::flaxen::op::Needs<#input>>::Cotangents {
                let #bound: #types = #backward;
                #pulled
            }
        }
    }
}

/// Whether a cotangent is `()`: there is none.
fn is_nothing(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}
