//! The struct of a module: its hyper-parameters, `new`, and a setter each.
//!
//! ```text
//! pub struct Scale<F: Dim> { rate: f32, #[doc(hidden)] __generics: PhantomData<(F,)> }
//! impl<F: Dim> Scale<F> { pub fn new() -> Self; pub fn rate(self, rate: f32) -> Self; }
//! ```

use crate::parse::structure::Structure;
use proc_macro2::TokenStream;
use quote::quote;
use syn::GenericParam;

/// The struct with its constructors.
pub fn structure(structure: &Structure) -> TokenStream {
    let Structure { attributes, visibility, name, generics, fields } = structure;
    let (implemented, arguments, where_clause) = generics.split_for_impl();
    let types: Vec<_> = generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(ty) => Some(&ty.ident),
            _ => None,
        })
        .collect();
    let marker = (!types.is_empty()).then(|| quote!(__generics: ::core::marker::PhantomData<(#(#types,)*)>,));
    let marked = marker.as_ref().map(|_| quote!(__generics: ::core::marker::PhantomData,));
    let declared = fields.iter().map(|field| {
        let (attributes, visibility, name, ty) =
            (&field.attributes, &field.visibility, &field.name, &field.ty);
        quote!(#(#attributes)* #visibility #name: #ty,)
    });
    let defaults = fields.iter().map(|field| {
        let name = &field.name;
        let value = match &field.default {
            Some(value) => quote!(#value),
            None => quote!(::core::default::Default::default()),
        };
        quote!(#name: #value,)
    });
    let setters = fields.iter().map(|field| {
        let (name, ty) = (&field.name, &field.ty);
        let doc = format!("Sets `{name}`.");
        quote! {
            #[doc = #doc]
            #[must_use]
            pub fn #name(mut self, #name: #ty) -> Self {
                self.#name = #name;
                self
            }
        }
    });
    let setters: Vec<_> = setters.collect();
    let body = match fields.is_empty() && types.is_empty() {
        true => quote!(;),
        false => quote!({ #(#declared)* #marker }),
    };
    quote! {
        #(#attributes)*
        #[derive(Clone, Debug, PartialEq)]
        #visibility struct #name #generics #where_clause #body

        impl #implemented #name #arguments #where_clause {
            /// The module with its default hyper-parameters.
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self { #(#defaults)* #marked }
            }

            #(#setters)*
        }
    }
}
