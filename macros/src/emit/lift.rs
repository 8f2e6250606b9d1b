//! The variables of a module that is generic in its element can carry tangents: with `Dual<E>` for `E` they are the same struct.
//!
//! ```text
//! impl<E: Float, Call> Lift<Call> for MlpParams<E>
//! where <Dense<…> as Module<…E…>>::Params: Lift<Call, Lifted = <Dense<…> as Module<…Dual<E>…>>::Params>, …
//! { type Lifted = MlpParams<Dual<E>>; … }
//! impl<E: Float, Call> Primal<Call> for MlpParams<E> …
//! impl<E: Float, Call> Split<Call> for MlpParams<Dual<E>> …
//! ```
//!
//! `Call` is in the bounds so that rustc looks at them where a call asks for them, and not before.

use super::names;
use super::variables::{Part, Structure};
use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::{format_ident, quote};

/// What a struct of variables implements; nothing if no generic stands for its element.
pub fn lift(structure: &Structure) -> TokenStream {
    let all = structure.all;
    let elements = all.elements();
    // Of a submodule of unknown type it is not known what it is with another element.
    if elements.is_empty() || structure.parts.iter().any(Part::is_opaque) {
        return TokenStream::new();
    }
    let dual = |tokens: TokenStream| with_dual(tokens, &elements);
    let (declared, bounds) = (all.declared_of_params(), all.bounds_of_params());
    let bounds_of_dual = dual(quote!(#bounds));
    let (primal, dual_type) = (structure.ty(), dual(structure.ty()));
    let types: Vec<_> = structure.parts.iter().map(|part| &part.ty).collect();
    let dual_types: Vec<_> = types.iter().map(|&ty| dual(ty.clone())).collect();
    let lifted = structure.construct(|part| {
        let place = part.field.place();
        quote!(::flaxen::transform::Lift::<Call>::lifted(&self.#place))
    });
    let with_tangent = structure.construct(|part| {
        let place = part.field.place();
        quote!(::flaxen::transform::Primal::<Call>::with_tangent(&self.#place, &tangent.#place))
    });
    let splits = structure.parts.iter().map(|part| {
        let ([value, tangent], place) = (halves(part), part.field.place());
        // An element cannot move out of an array; a clone shares its buffers.
        let part = quote!(::core::clone::Clone::clone(&self.#place));
        quote!(let (#value, #tangent) = ::flaxen::transform::Split::<Call>::split(#part);)
    });
    let [values, tangents] = [0, 1].map(|half| {
        structure.construct(|part| {
            let half = &halves(part)[half];
            quote!(#half)
        })
    });
    quote! {
        #[doc(hidden)]
        #[allow(private_interfaces, private_bounds)]
        impl<#declared Call> ::flaxen::transform::Lift<Call> for #primal
        where
            #(#types: ::flaxen::transform::Lift<Call, Lifted = #dual_types>,)*
            #bounds
            #bounds_of_dual
        {
            type Lifted = #dual_type;

            fn lifted(&self) -> Self::Lifted {
                #lifted
            }
        }

        #[doc(hidden)]
        #[allow(private_interfaces, private_bounds)]
        impl<#declared Call> ::flaxen::transform::Primal<Call> for #primal
        where
            #(#types: ::flaxen::transform::Primal<Call, Lifted = #dual_types, Owned = #types>,)*
            #bounds
            #bounds_of_dual
        {
            type Owned = Self;

            fn owned(&self) -> &Self {
                self
            }

            #[allow(unused_variables)]
            fn with_tangent(&self, tangent: &Self) -> Self::Lifted {
                #with_tangent
            }
        }

        #[doc(hidden)]
        #[allow(private_interfaces, private_bounds)]
        impl<#declared Call> ::flaxen::transform::Split<Call> for #dual_type
        where
            #(#dual_types: ::flaxen::transform::Split<Call, Primal = #types>,)*
            #bounds
            #bounds_of_dual
        {
            type Primal = #primal;

            fn split(self) -> (Self::Primal, Self::Primal) {
                #(#splits)*
                (#values, #tangents)
            }
        }
    }
}

/// The locals that hold the values and the tangents of a part.
fn halves(part: &Part) -> [Ident; 2] {
    ["value", "tangent"].map(|half| format_ident!("{half}_{}", names::text(&part.field.key)))
}

/// `Dual<E>` for every `E` that stands by itself, and not at the end of a path.
fn with_dual(tokens: TokenStream, elements: &[Ident]) -> TokenStream {
    let mut in_path = false;
    let tokens = tokens.into_iter().map(|token| {
        let replaced = match &token {
            TokenTree::Ident(ident) if !in_path && elements.contains(ident) => {
                quote!(::flaxen::tensor::Dual<#ident>)
            }
            TokenTree::Group(group) => {
                let mut with_dual = Group::new(group.delimiter(), with_dual(group.stream(), elements));
                with_dual.set_span(group.span());
                TokenTree::Group(with_dual).into()
            }
            other => other.clone().into(),
        };
        in_path = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':');
        replaced
    });
    tokens.collect()
}
