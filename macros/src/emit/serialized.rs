//! A struct of variables as serde sees it: a field a part, under Flax's names.
//!
//! ```text
//! #[derive(Serialize, Deserialize)] …                                     // without elements
//! impl Serialize for MlpParams { … .serialize_field("layers_0", &self.layers.0)? … }
//! impl<'de> Deserialize<'de> for MlpParams { … struct Flat { layers_0: …, layers_1: … } … }
//! ```
//!
//! With elements, which Flax writes as so many modules, the struct differs from what is written.

use super::layout;
use super::variables::Structure;
use proc_macro2::TokenStream;
use quote::quote;

/// The attributes that derive serde's traits, and what implements them where nothing can be derived.
pub fn serialized(structure: &Structure) -> (TokenStream, TokenStream) {
    let derived = quote! {
        #[derive(::flaxen::__private::serde::Serialize, ::flaxen::__private::serde::Deserialize)]
        #[serde(crate = "::flaxen::__private::serde", bound = "")]
    };
    match structure.parts.iter().any(|part| part.field.element.is_some()) {
        false => (derived, TokenStream::new()),
        true => (TokenStream::new(), implemented(structure)),
    }
}

fn implemented(structure: &Structure) -> TokenStream {
    let (declared, where_clause) = (structure.all.declared_of_params(), structure.all.where_clause());
    let (ty, title, count) = (structure.ty(), structure.name.to_string(), structure.parts.len());
    let names: Vec<_> = structure.parts.iter().map(layout::written_name).collect();
    let places = structure.parts.iter().map(|part| part.field.place());
    let (keys, types) =
        (structure.parts.iter().map(|part| &part.field.key), structure.parts.iter().map(|part| &part.ty));
    let whole = structure.construct(|part| {
        let key = &part.field.key;
        quote!(flat.#key)
    });
    let (arguments, generics) = (structure.all.arguments_of_params(), structure.all.types_of_params());
    quote! {
        impl<#declared> ::flaxen::__private::serde::Serialize for #ty #where_clause {
            fn serialize<S: ::flaxen::__private::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                use ::flaxen::__private::serde::ser::SerializeStruct as _;
                let mut fields = serializer.serialize_struct(#title, #count)?;
                #(fields.serialize_field(#names, &self.#places)?;)*
                fields.end()
            }
        }

        impl<'de, #declared> ::flaxen::__private::serde::Deserialize<'de> for #ty #where_clause {
            fn deserialize<D: ::flaxen::__private::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                #[derive(::flaxen::__private::serde::Deserialize)]
                #[serde(crate = "::flaxen::__private::serde", bound = "", rename = #title)]
                #[allow(private_interfaces, private_bounds)]
                struct Flat<#declared> #where_clause {
                    #(#[serde(rename = #names)] #keys: #types,)*
                    #[serde(skip)]
                    generics: ::core::marker::PhantomData<fn() -> (#generics)>,
                }
                let flat = <Flat<#arguments> as ::flaxen::__private::serde::Deserialize>::deserialize(deserializer)?;
                ::core::result::Result::Ok(#whole)
            }
        }
    }
}
