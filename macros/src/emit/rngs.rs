//! The keys of a call.
//!
//! ```text
//! {
//!     struct __Rngs([Key; 1]);
//!     impl Provides<dropout> for __Rngs {}
//!     impl Rngs for __Rngs {
//!         const STREAMS: &'static [&'static str] = &[<dropout as Stream>::NAME];
//!         fn scope(self) -> Scope<'static> { … }
//!     }
//!     __Rngs([key])
//! }
//! ```

use crate::parse::rngs::Keys;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

/// The expression that holds the keys.
pub fn rngs(keys: &Keys) -> TokenStream {
    let count = keys.0.len();
    let streams: Vec<_> = keys.0.iter().map(|(stream, _)| stream).collect();
    let names =
        streams.iter().map(|stream| quote_spanned!(stream.span()=> <#stream as ::flaxen::rng::Stream>::NAME));
    let names: Vec<_> = names.collect();
    let values = keys.0.iter().map(|(_, key)| key);
    let locals: Vec<Ident> =
        (0..count).map(|index| format_ident!("key_{index}", span = Span::mixed_site())).collect();
    quote! {{
        struct __Rngs([::flaxen::rng::Key; #count]);

        #(impl ::flaxen::rng::Provides<#streams> for __Rngs {})*

        impl ::flaxen::rng::Rngs for __Rngs {
            const STREAMS: &'static [&'static str] = &[#(#names),*];

            fn scope(self) -> ::flaxen::rng::Scope<'static> {
                let __Rngs([#(#locals),*]) = self;
                ::flaxen::rng::Scope::with_streams([#((#names, #locals)),*])
            }
        }

        __Rngs([#(#values),*])
    }}
}
