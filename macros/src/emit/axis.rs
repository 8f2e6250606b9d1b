//! The name of an axis: a type, and a number by which types tell it from other axes.
//!
//! ```text
//! pub struct batch;
//! impl Axis for batch { const NAME: &str = "batch"; type Id = UInt<UInt<UTerm, B1>, B0>; }
//! ```

use crate::parse::axis::Axis;
use proc_macro2::TokenStream;
use quote::quote;

/// The type of one name; `place` says where it is declared.
pub fn axis(axis: &Axis, place: &str) -> TokenStream {
    let Axis { attributes, visibility, name } = axis;
    let (text, doc, id) = (name.to_string(), format!("The axis `{name}`."), id(&format!("{place} {name}")));
    quote! {
        #[doc = #doc]
        #(#attributes)*
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #visibility struct #name;

        impl ::flaxen::batching::Axis for #name {
            const NAME: &'static str = #text;
            type Id = #id;
        }
    }
}

/// A hash of 32 bits (FNV-1a) as a type. The first bit is one, since a number has no leading zeros.
fn id(text: &str) -> TokenStream {
    let hash =
        text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let bits = (0..32).rev().map(|bit| bit == 31 || hash >> bit & 1 == 1);
    bits.fold(quote!(::flaxen::__private::typenum::UTerm), |number, bit| {
        let bit = if bit { quote!(B1) } else { quote!(B0) };
        quote!(::flaxen::__private::typenum::UInt<#number, ::flaxen::__private::typenum::#bit>)
    })
}
