//! A type that is only a name: `collection!(pub Cache)`, `stream!(pub noise)`.

use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, Result, Token, Visibility};

/// The declaration of a type without values.
pub struct Marker {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
}

impl Parse for Marker {
    fn parse(input: ParseStream) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let marker = Marker { attributes, visibility: input.parse()?, name: input.parse()? };
        input.parse::<Option<Token![;]>>()?;
        match input.is_empty() {
            true => Ok(marker),
            false => Err(input.error("expected one name")),
        }
    }
}
