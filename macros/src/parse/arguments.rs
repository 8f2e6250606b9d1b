//! Generic arguments in which integers are dimensions: `avg_pool::<2, 2>`, `Conv<32, (3, 3)>`.

use super::dims::{Dim, digits};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::visit_mut::{VisitMut, visit_generic_argument_mut};
use syn::{
    Expr, GenericArgument, Ident, Lit, LitInt, Path, PathArguments, Result, Token, Type, parenthesized, token,
};

/// Turns integers among generic arguments, at any depth, into dimensions.
struct IntegersToDims;

impl VisitMut for IntegersToDims {
    fn visit_generic_argument_mut(&mut self, argument: &mut GenericArgument) {
        if let GenericArgument::Const(Expr::Lit(literal)) = argument
            && let Lit::Int(int) = &literal.lit
            && let Ok(size) = int.base10_parse()
        {
            *argument = GenericArgument::Type(Type::Verbatim(digits(size, int.span())));
        } else {
            visit_generic_argument_mut(self, argument);
        }
    }
}

/// Makes dimensions of the integers among the generic arguments of a type: `Dense<3>` is `Dense<Dim1<3>>`.
pub fn integers_to_dims(ty: &mut Type) {
    IntegersToDims.visit_type_mut(ty);
}

/// A type in which integers and tuples of integers are dimensions: `Conv<32, (3, 3)>`. rustc has not seen it yet, so
/// it need not be Rust.
pub struct DimType {
    /// The type as Rust.
    pub tokens: TokenStream,
    /// Its last name: `Conv`.
    pub name: Ident,
}

impl Parse for DimType {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut tokens = TokenStream::new();
        if let Some(colons) = input.parse::<Option<Token![::]>>()? {
            colons.to_tokens(&mut tokens);
        }
        loop {
            // `crate`, `super` and `self` too.
            let name = Ident::parse_any(input)?;
            name.to_tokens(&mut tokens);
            if input.peek(Token![::]) && !input.peek2(Token![<]) {
                input.parse::<Token![::]>()?.to_tokens(&mut tokens);
                continue;
            }
            input.parse::<Option<Token![::]>>()?;
            if input.parse::<Option<Token![<]>>()?.is_some() {
                let mut arguments = Vec::new();
                while !input.peek(Token![>]) {
                    arguments.push(argument(input)?);
                    if !input.peek(Token![>]) {
                        input.parse::<Token![,]>()?;
                    }
                }
                input.parse::<Token![>]>()?;
                tokens.extend(quote!(<#(#arguments),*>));
            }
            return Ok(DimType { tokens, name });
        }
    }
}

fn argument(input: ParseStream) -> Result<TokenStream> {
    if input.peek(token::Paren) {
        let inside;
        parenthesized!(inside in input);
        let parts: Punctuated<Argument, Token![,]> = inside.parse_terminated(Argument::parse, Token![,])?;
        let parts = parts.iter().map(|part| &part.0);
        return Ok(quote!((#(#parts,)*)));
    }
    if input.peek(LitInt) {
        return Ok(Dim::Size(input.parse::<LitInt>()?.base10_parse()?, input.span()).to_type());
    }
    if input.peek(Ident) && (input.peek2(Token![<]) || input.peek2(Token![::])) {
        return Ok(input.parse::<DimType>()?.tokens);
    }
    let ty: Type = input.parse()?;
    Ok(quote!(#ty))
}

struct Argument(TokenStream);

impl Parse for Argument {
    fn parse(input: ParseStream) -> Result<Self> {
        argument(input).map(Argument)
    }
}

/// The type `Op` in the room that a path names: `avg_pool::Op<Dim1<2>, Dim1<2>>` for `avg_pool::<2, 2>`.
pub fn op_of(path: &Path) -> TokenStream {
    let mut room = path.clone();
    let mut arguments = PathArguments::None;
    let span = room.segments.last().map_or_else(proc_macro2::Span::call_site, |last| last.ident.span());
    if let Some(last) = room.segments.last_mut() {
        arguments = std::mem::replace(&mut last.arguments, PathArguments::None);
    }
    let mut op = Ident::new("Op", span).to_token_stream();
    if let PathArguments::AngleBracketed(mut generics) = arguments {
        generics.colon2_token = None;
        IntegersToDims.visit_angle_bracketed_generic_arguments_mut(&mut generics);
        op.extend(quote!(#generics));
    }
    quote!(#room::#op)
}
