//! The struct of a module: its hyper-parameters and submodules, `new`, a setter each, and what the `impl` may ask of them.
//!
//! ```text
//! pub struct Scale<F: Dim> { rate: f32, dense: Dense<F>, #[doc(hidden)] __generics: PhantomData<(F,)> }
//! impl<F: Dim> Scale<F> { pub fn new() -> Self; pub fn rate(self, rate: f32) -> Self; … }
//! impl<F: Dim> Default for Scale<F> { … }
//! trait __ScaleFields { type rate; type dense; }
//! impl<F: Dim> __ScaleFields for Scale<F> { type rate = f32; type dense = Dense<F>; }
//! macro_rules! __ScaleFields { … hands over `rate: one [] dense: one [0]` … }
//! ```

use crate::parse::methods::fields_name;
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
    let asked = defaults_of_generics(structure);
    let default_where = match (&where_clause, asked.is_empty()) {
        (_, true) => quote!(#where_clause),
        (Some(clause), false) => {
            let predicates = &clause.predicates;
            let comma = (!predicates.is_empty() && !predicates.trailing_punct()).then(|| quote!(,));
            quote!(where #predicates #comma #(#asked),*)
        }
        (None, false) => quote!(where #(#asked),*),
    };
    let fields_trait = fields_trait(structure);
    quote! {
        #(#attributes)*
        #[derive(Clone, Debug, PartialEq)]
        #visibility struct #name #generics #where_clause #body

        impl #implemented #name #arguments #where_clause {
            /// The module with its default hyper-parameters.
            pub fn new() -> Self
            where
                #(#asked,)*
            {
                Self { #(#defaults)* #marked }
            }

            #(#setters)*
        }

        impl #implemented ::core::default::Default for #name #arguments #default_where {
            fn default() -> Self {
                Self::new()
            }
        }

        #fields_trait
    }
}

/// What the defaults of fields ask for, whose types depend on type parameters.
fn defaults_of_generics(structure: &Structure) -> Vec<TokenStream> {
    let is_module = |place: &usize| matches!(structure.generics.params.get(*place), Some(GenericParam::Type(param)) if param.bounds.is_empty());
    let fields = structure.fields.iter();
    let fields = fields.filter(|field| field.default.is_none() && field.kind.params.iter().any(is_module));
    fields.map(|field| &field.ty).map(|ty| quote!(#ty: ::core::default::Default)).collect()
}

/// The types of the fields, and the macro that hands over what they show.
fn fields_trait(structure: &Structure) -> TokenStream {
    let Structure { name, generics, fields, .. } = structure;
    let (implemented, arguments, where_clause) = generics.split_for_impl();
    let fields_name = fields_name(name);
    let names: Vec<_> = fields.iter().map(|field| &field.name).collect();
    let (types, kinds) = (fields.iter().map(|field| &field.ty), fields.iter().map(|field| &field.kind));
    quote! {
        #[doc(hidden)]
        #[allow(dead_code, missing_docs, non_camel_case_types)]
        trait #fields_name { #(type #names;)* }

        #[doc(hidden)]
        impl #implemented #fields_name for #name #arguments #where_clause {
            #(type #names = #types;)*
        }

        #[doc(hidden)]
        #[allow(unused_macros)]
        macro_rules! #fields_name {
            ($($implementation:tt)*) => {
                ::flaxen::__implementation! { { #(#names: #kinds)* } $($implementation)* }
            };
        }
    }
}
