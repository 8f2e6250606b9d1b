//! `axis!(pub batch, ensemble);`

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Result, Token, Visibility};

/// The names of axes.
pub struct Axes(pub Vec<Axis>);

/// One name.
pub struct Axis {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
}

impl Parse for Axes {
    fn parse(input: ParseStream) -> Result<Self> {
        let axes = Punctuated::<Axis, Token![,]>::parse_terminated(input)?;
        Ok(Axes(axes.into_iter().collect()))
    }
}

impl Parse for Axis {
    fn parse(input: ParseStream) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        Ok(Axis { attributes, visibility: input.parse()?, name: input.parse()? })
    }
}
