//! A struct of variables as serde sees it: a field a part, under Flax's names.
//!
//! ```text
//! #[derive(Serialize, Deserialize)] …                                     // where they are known
//! impl Serialize for MlpParams { … .serialize_field("layers_0", &self.layers.0)? … }
//! impl<'de> Deserialize<'de> for MlpParams { … struct Flat { layers_0: …, layers_1: … } … }
//! ```
//!
//! With elements, which Flax writes as so many modules, the struct differs from what is written. Where there are passes and arms,
//! the names are written beside the parts: see the runtime's `module/named.rs`.

use super::layout;
use super::variables::Structure;
use proc_macro2::TokenStream;
use quote::quote;

/// As in the runtime's `module/named.rs`.
const NAMED: &str = "flaxen::Named";
const NAMES: &str = "flaxen::names";

/// The attributes that derive serde's traits, and what implements them where nothing can be derived.
pub fn serialized(structure: &Structure) -> (TokenStream, TokenStream) {
    let derived = quote! {
        #[derive(::flaxen::__private::serde::Serialize, ::flaxen::__private::serde::Deserialize)]
        #[serde(crate = "::flaxen::__private::serde", bound = "")]
    };
    let has_elements = structure.parts.iter().any(|part| part.field.element.is_some());
    match has_elements || !layout::names_are_known(&structure.parts) {
        false => (derived, TokenStream::new()),
        true => (TokenStream::new(), [serialize(structure), deserialize(structure)].into_iter().collect()),
    }
}

fn serialize(structure: &Structure) -> TokenStream {
    let (declared, where_clause) = (structure.all.declared_of_params(), structure.all.where_clause());
    let (ty, title, count) = (structure.ty(), structure.name.to_string(), structure.parts.len());
    let keys = structure.parts.iter().map(layout::written_name);
    let places = structure.parts.iter().map(|part| part.field.place());
    let (title, count, names) = match layout::names_are_known(&structure.parts) {
        true => (quote!(#title), quote!(#count), TokenStream::new()),
        false => {
            let names = layout::names(&structure.parts);
            (
                quote!(if readable { #title } else { #NAMED }),
                quote!(#count + ::core::primitive::usize::from(!readable)),
                quote! {
                    if !readable {
                        let mut names = ::flaxen::__private::Names::default();
                        #names
                        fields.serialize_field(#NAMES, &::core::option::Option::Some(names))?;
                    }
                },
            )
        }
    };
    quote! {
        impl<#declared> ::flaxen::__private::serde::Serialize for #ty #where_clause {
            #[allow(unused_variables, unused_assignments)]
            fn serialize<S: ::flaxen::__private::serde::Serializer>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error> {
                use ::flaxen::__private::serde::ser::SerializeStruct as _;
                let readable = serializer.is_human_readable();
                let mut fields = serializer.serialize_struct(#title, #count)?;
                #(fields.serialize_field(#keys, &self.#places)?;)*
                #names
                fields.end()
            }
        }
    }
}

fn deserialize(structure: &Structure) -> TokenStream {
    let (declared, where_clause) = (structure.all.declared_of_params(), structure.all.where_clause());
    let (ty, title) = (structure.ty(), structure.name.to_string());
    let names = structure.parts.iter().map(layout::written_name);
    let (keys, types) =
        (structure.parts.iter().map(|part| &part.field.key), structure.parts.iter().map(|part| &part.ty));
    let whole = structure.construct(|part| {
        let key = &part.field.key;
        quote!(flat.#key)
    });
    let (arguments, generics) = (structure.all.arguments_of_params(), structure.all.types_of_params());
    let (title, written_names) = match layout::names_are_known(&structure.parts) {
        true => (quote!(#title), TokenStream::new()),
        false => (
            quote!(#NAMED),
            quote! {
                #[serde(rename = #NAMES)]
                #[allow(dead_code)]
                __names: ::core::option::Option<::flaxen::__private::Names>,
            },
        ),
    };
    quote! {
        impl<'de, #declared> ::flaxen::__private::serde::Deserialize<'de> for #ty #where_clause {
            fn deserialize<D: ::flaxen::__private::serde::Deserializer<'de>>(deserializer: D) -> ::core::result::Result<Self, D::Error> {
                #[derive(::flaxen::__private::serde::Deserialize)]
                #[serde(crate = "::flaxen::__private::serde", bound = "", rename = #title)]
                #[allow(private_interfaces, private_bounds)]
                struct Flat<#declared> #where_clause {
                    #(#[serde(rename = #names)] #keys: #types,)*
                    #written_names
                    #[serde(skip)]
                    generics: ::core::marker::PhantomData<fn() -> (#generics)>,
                }
                let flat = <Flat<#arguments> as ::flaxen::__private::serde::Deserialize>::deserialize(deserializer)?;
                ::core::result::Result::Ok(#whole)
            }
        }
    }
}
