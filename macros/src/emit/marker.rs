//! Types that are only names.
//!
//! ```text
//! pub enum Cache {}
//! impl Collection for Cache { const NAME: &'static str = "cache"; }
//! ```

use crate::parse::marker::Marker;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// A collection, with Flax's name for it.
pub fn collection(marker: &Marker, name: &str) -> TokenStream {
    let (declared, ty) = (declared(marker), &marker.name);
    quote! {
        #declared
        impl ::flaxen::module::Collection for #ty {
            const NAME: &'static str = #name;
        }
    }
}

/// An rng stream, which has the name of its type.
pub fn stream(marker: &Marker) -> TokenStream {
    let (declared, ty) = (declared(marker), &marker.name);
    let name = ty.to_string();
    let name = name.strip_prefix("r#").unwrap_or(&name);
    quote! {
        #declared
        impl ::flaxen::rng::Stream for #ty {
            const NAME: &'static str = #name;
        }
    }
}

fn declared(marker: &Marker) -> TokenStream {
    let Marker { attributes, visibility, name } = marker;
    let doc = format_ident!("doc");
    let documented = attributes.iter().any(|attribute| attribute.path().is_ident(&doc));
    let text = format!("`{name}`, a name.");
    let text = (!documented).then(|| quote!(#[doc = #text]));
    quote! {
        #(#attributes)*
        #text
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #visibility enum #name {}
    }
}
