//! `rngs! { dropout: key, noise: other }`.

use crate::diag::Diagnostics;
use crate::messages;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, Path, Result, Token};

/// The keys of a call: a stream and its key, one after the other.
pub struct Keys(pub Vec<(Path, Expr)>);

struct Entry(Path, Expr);

impl Parse for Entry {
    fn parse(input: ParseStream) -> Result<Self> {
        let form = |error: Error| Error::new(error.span(), messages::RNGS_FORM);
        let stream = Path::parse_mod_style(input).map_err(form)?;
        input.parse::<Token![:]>().map_err(form)?;
        Ok(Entry(stream, input.parse()?))
    }
}

impl Parse for Keys {
    fn parse(input: ParseStream) -> Result<Self> {
        let entries = Punctuated::<Entry, Token![,]>::parse_terminated(input)?;
        Ok(Keys(entries.into_iter().map(|Entry(stream, key)| (stream, key)).collect()))
    }
}

impl Keys {
    /// A stream has one key: a second one is a mistake, and left out.
    pub fn check(self, diagnostics: &mut Diagnostics) -> Self {
        let (mut kept, mut names) = (Vec::new(), Vec::new());
        for (stream, key) in self.0 {
            let name = stream.to_token_stream().to_string();
            match names.contains(&name) {
                true => diagnostics.at(stream.span(), messages::stream_twice(&name)),
                false => kept.push((stream, key)),
            }
            names.push(name);
        }
        Keys(kept)
    }
}
