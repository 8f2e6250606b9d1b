//! `compact!(Conv<32, (3, 3)>, strides = (2, 2), name = "stem")` and `param!("kernel", zeros(), [I, F])`.

use super::arguments::DimType;
use super::dims::{TensorType, digits};
use crate::ir::print::tidy;
use crate::messages;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, Ident, Lit, LitStr, Result, Token, bracketed};

/// A submodule declared in place.
pub struct Compact {
    /// The module's type, with its type-level keywords applied; without what transforms it.
    pub ty: TokenStream,
    /// What transforms the module, and the path to it.
    transform: Option<&'static Transform>,
    path: Option<TokenStream>,
    /// The module as it is written.
    pub text: String,
    /// The class: `Conv`.
    pub class: Ident,
    /// The name that the user gave.
    pub name: Option<Name>,
    /// Value keywords.
    pub keywords: Vec<(Ident, TokenStream)>,
}

/// What makes a module of a module.
pub struct Transform {
    name: &'static str,
    /// What Flax puts before the class.
    class: &'static str,
}

/// flaxen's transformations of modules.
const TRANSFORMS: &[Transform] = &[Transform { name: "Remat", class: "Checkpoint" }];

/// `Remat<Dense<3>>`, taken apart: the path, and the module inside of it.
fn transformed(input: ParseStream) -> Result<(TokenStream, DimType)> {
    let mut path = TokenStream::new();
    loop {
        input.parse::<Option<Token![::]>>()?.to_tokens(&mut path);
        if input.parse::<Option<Token![<]>>()?.is_some() {
            let module = input.parse()?;
            input.parse::<Token![>]>()?;
            return Ok((path, module));
        }
        Ident::parse_any(input)?.to_tokens(&mut path);
    }
}

/// A name that the user gives.
pub struct Name {
    /// `"head"`, or the text of the format.
    pub text: LitStr,
    /// What `format!` is given for its empty places.
    pub arguments: Vec<Expr>,
    /// Whether it is made by `format!`.
    pub formatted: bool,
}

impl Name {
    fn of(value: Expr) -> Result<Self> {
        match value {
            Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => {
                Ok(Name { text, arguments: Vec::new(), formatted: false })
            }
            Expr::Macro(call) if call.mac.path.is_ident("format") => {
                let parts = call.mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated)?;
                let mut parts = parts.into_iter();
                match parts.next() {
                    Some(Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. })) => {
                        Ok(Name { text, arguments: parts.collect(), formatted: true })
                    }
                    _ => Err(Error::new(call.span(), messages::NAME_LITERAL)),
                }
            }
            other => Err(Error::new(other.span(), messages::NAME_LITERAL)),
        }
    }
}

impl Parse for Compact {
    fn parse(input: ParseStream) -> Result<Self> {
        if !input.peek(Ident::peek_any) && !input.peek(Token![::]) {
            return Err(input.error(messages::COMPACT_FORM));
        }
        let mut compact = Compact::of(input)?;
        while input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let key: Ident =
                input.parse().map_err(|error| Error::new(error.span(), messages::COMPACT_FORM))?;
            input.parse::<Token![=]>()?;
            compact.keyword(key, input.parse()?)?;
        }
        if let Some(transform) = compact.transform {
            compact.text = format!("{}<{}>", transform.name, compact.text);
        }
        match input.is_empty() {
            true => Ok(compact),
            false => Err(input.error(messages::COMPACT_FORM)),
        }
    }
}

impl Compact {
    /// The module before its keywords.
    fn of(input: ParseStream) -> Result<Self> {
        let whole = input.fork().parse::<DimType>()?;
        let transform = TRANSFORMS.iter().find(|transform| whole.name == transform.name);
        let (path, module) = match transform {
            Some(_) => {
                let (path, module) = transformed(input)?;
                (Some(path), module)
            }
            None => (None, input.parse()?),
        };
        let class = transform.map_or(module.name.clone(), |transform| {
            Ident::new(&format!("{}{}", transform.class, module.name), module.name.span())
        });
        let text = tidy(&module.tokens);
        Ok(Compact { ty: module.tokens, transform, path, text, class, name: None, keywords: Vec::new() })
    }

    /// The type as a whole: `Remat<Dense<3>>`.
    pub fn whole(&self) -> TokenStream {
        let ty = &self.ty;
        self.path.as_ref().map_or_else(|| quote!(#ty), |path| quote!(#path<#ty>))
    }

    /// Integers, tuples of them, booleans and names of types are part of the module's type; the rest are values.
    fn keyword(&mut self, key: Ident, value: Expr) -> Result<()> {
        if key != "name" {
            self.text += &format!(", {key} = {}", tidy(&quote!(#value)));
        }
        if key == "name" {
            self.name = Some(Name::of(value)?);
        } else if let Some(ty) = type_level(&value).or_else(|| (key == "axis_name").then(|| quote!(#value))) {
            let module = &self.ty;
            self.ty = quote_spanned! {key.span()=>
                <#module as ::flaxen::keyword::With<::flaxen::keyword::#key, #ty>>::Out
            };
        } else {
            self.keywords.push((key, quote!(#value)));
        }
        Ok(())
    }
}

fn type_level(value: &Expr) -> Option<TokenStream> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(int) => Some(digits(int.base10_parse().ok()?, int.span())),
            Lit::Bool(bool) => {
                let name = Ident::new(if bool.value { "True" } else { "False" }, bool.span());
                Some(quote!(::flaxen::keyword::#name))
            }
            _ => None,
        },
        Expr::Tuple(tuple) => {
            let parts: Option<Vec<TokenStream>> = tuple.elems.iter().map(type_level).collect();
            parts.map(|parts| quote!((#(#parts,)*)))
        }
        Expr::Path(path) if path.qself.is_none() => {
            let name = path.path.segments.last()?.ident.to_string();
            let is_type = name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
            is_type.then(|| quote!(#value))
        }
        _ => None,
    }
}

/// A parameter declared in place.
pub struct ParamCall {
    /// Its name.
    pub name: LitStr,
    /// The initialiser.
    pub initializer: Expr,
    /// The shape and the element.
    pub tensor: TensorType,
}

impl Parse for ParamCall {
    fn parse(input: ParseStream) -> Result<Self> {
        let form = |error: Error| Error::new(error.span(), messages::PARAM_FORM);
        let name = input.parse().map_err(form)?;
        input.parse::<Token![,]>().map_err(form)?;
        let initializer = input.parse()?;
        input.parse::<Token![,]>().map_err(form)?;
        let inside;
        bracketed!(inside in input);
        let tensor = inside.parse()?;
        input.parse::<Option<Token![,]>>()?;
        match input.is_empty() {
            true => Ok(ParamCall { name, initializer, tensor }),
            false => Err(input.error(messages::PARAM_FORM)),
        }
    }
}

/// The field for a variable's name: `conv_0` for `Conv_0`, `batch_norm_1` for `BatchNorm_1`.
pub fn field_of(name: &str, span: Span) -> Result<Ident> {
    let mut field = String::new();
    let mut after_lower = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && after_lower {
            field.push('_');
        }
        after_lower = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        field.push(letter.to_ascii_lowercase());
    }
    let is_name = field.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && field.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && field != "_";
    match is_name {
        false => Err(Error::new(span, messages::not_a_name(name))),
        true if syn::parse_str::<Ident>(&field).is_ok() => Ok(Ident::new(&field, span)),
        true => Ok(Ident::new_raw(&field, span)),
    }
}
