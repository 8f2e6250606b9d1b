//! Dimensions and tensor types: `28`, `H / 2`, `[B, 28, 28, 1; f64]`.

use crate::ir::Signature;
use crate::messages;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{BinOp, Error, Expr, Lit, Result, Token, Type};

/// A dimension as it is written.
#[derive(Clone, Debug)]
pub enum Dim {
    /// `28`
    Size(usize, Span),
    /// `B`, `Dyn`, or the name of a constant type.
    Name(syn::Path),
    /// `H / 2`
    Arithmetic(&'static str, Box<Dim>, Box<Dim>, Span),
}

impl Dim {
    /// The dimension that an expression writes.
    pub fn from_expr(expr: &Expr) -> Result<Self> {
        match expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(int) => Ok(Dim::Size(size(int)?, int.span())),
                other => Err(Error::new(other.span(), messages::DIMENSION_NOT_INTEGER)),
            },
            Expr::Path(path) if path.qself.is_none() => Ok(Dim::Name(path.path.clone())),
            Expr::Paren(inner) => Dim::from_expr(&inner.expr),
            Expr::Group(inner) => Dim::from_expr(&inner.expr),
            Expr::Binary(binary) => {
                let operator = match binary.op {
                    BinOp::Add(_) => "DimAdd",
                    BinOp::Sub(_) => "DimSub",
                    BinOp::Mul(_) => "DimMul",
                    BinOp::Div(_) => "DimDiv",
                    _ => {
                        return Err(Error::new(binary.op.span(), messages::DIMENSION_OPERATOR));
                    }
                };
                let (left, right) = (Dim::from_expr(&binary.left)?, Dim::from_expr(&binary.right)?);
                Ok(Dim::Arithmetic(operator, Box::new(left), Box::new(right), expr.span()))
            }
            _ => Err(Error::new(expr.span(), messages::DIMENSION_FORM)),
        }
    }

    /// The dimension as a type: `Dim2<2, 8>`.
    pub fn to_type(&self) -> TokenStream {
        match self {
            Dim::Size(size, span) => digits(*size, *span),
            Dim::Name(path) => quote!(#path),
            Dim::Arithmetic(operator, left, right, span) => {
                let (operator, left, right) = (format_ident!("{operator}"), left.to_type(), right.to_type());
                quote_spanned!(*span=> <#left as ::flaxen::shape::arithmetic::#operator<#right>>::Out)
            }
        }
    }
}

impl Dim {
    /// The size in numbers. A dimension that is generic in the method is a name.
    fn to_size(&self, signature: &Signature) -> TokenStream {
        self.to_size_where(&|dim| signature.is_inner(dim))
    }

    /// The size in numbers, where every name is a type.
    pub fn to_size_of_type(&self) -> TokenStream {
        self.to_size_where(&|_| false)
    }

    fn to_size_where(&self, is_name: &dyn Fn(&Dim) -> bool) -> TokenStream {
        match self {
            Dim::Size(size, span) => quote_spanned!(*span=> ::flaxen::shape::Size::Known(#size)),
            Dim::Name(path) if is_name(self) => {
                let name = path.segments.last().map(|last| last.ident.to_string());
                quote!(::flaxen::shape::Size::Named(#name))
            }
            Dim::Name(path) => quote!(::flaxen::shape::Size::of::<#path>()),
            Dim::Arithmetic(operator, left, right, span) => {
                let function = match *operator {
                    "DimAdd" => "plus",
                    "DimSub" => "minus",
                    "DimMul" => "times",
                    _ => "over",
                };
                let function = Ident::new(function, *span);
                let (left, right) = (left.to_size_where(is_name), right.to_size_where(is_name));
                quote_spanned!(*span=> #left.#function(#right))
            }
        }
    }
}

impl Parse for Dim {
    fn parse(input: ParseStream) -> Result<Self> {
        Dim::from_expr(&input.parse()?)
    }
}

fn size(int: &syn::LitInt) -> Result<usize> {
    let size = int.base10_parse::<usize>()?;
    if !int.suffix().is_empty() {
        return Err(Error::new(int.span(), messages::dimension_suffix(size)));
    }
    if size > 999_999_999 {
        return Err(Error::new(int.span(), messages::DIMENSION_TOO_LARGE));
    }
    Ok(size)
}

/// `Dim2<2, 8>` for 28.
pub fn digits(size: usize, span: Span) -> TokenStream {
    let digits = size.to_string();
    let name = format_ident!("Dim{}", digits.len(), span = span);
    let digits = digits.bytes().map(|digit| {
        let mut literal = proc_macro2::Literal::u8_unsuffixed(digit - b'0');
        // The place is the user's, but not the text: rustdoc would print `28` for each of its digits.
        literal.set_span(span.resolved_at(Span::mixed_site()));
        literal
    });
    quote_spanned!(span=> ::flaxen::shape::dim::#name<#(#digits),*>)
}

/// `pub type U28 = Dim2<2, 8>;`
pub fn name_of(size: usize) -> TokenStream {
    let (name, doc) = (format_ident!("U{size}"), format!("The size {size}."));
    let dim = digits(size, Span::call_site());
    quote!(#[doc = #doc] pub type #name = #dim;)
}

/// What stands in `Tensor![…]`: dimensions and, after a semicolon, the element.
#[derive(Clone, Debug)]
pub struct TensorType {
    /// Outermost first.
    pub dims: Vec<Dim>,
    /// `f32` if nothing is written.
    pub element: Option<Type>,
    /// All of it.
    pub span: Span,
    /// In a `vmap!`: the axes along which there are many of it, as a type.
    pub axes: Option<TokenStream>,
}

impl TensorType {
    /// The type: `Tensor<(B, Dim2<1, 0>), f32>`.
    pub fn to_type(&self) -> TokenStream {
        let dims = self.dims.iter().map(Dim::to_type);
        let element = self.element.as_ref().map(|element| quote!(, #element));
        let tensor = quote_spanned!(self.span=> ::flaxen::Tensor<(#(#dims,)*) #element>);
        match &self.axes {
            Some(axes) => quote_spanned!(self.span=> ::flaxen::batching::Batched<#axes, #tensor>),
            None => tensor,
        }
    }
}

impl TensorType {
    /// Whether its elements can have a cotangent.
    pub fn is_differentiable(&self) -> bool {
        let Some(Type::Path(element)) = &self.element else {
            return true;
        };
        let discrete = ["i32", "u32", "u8", "bool"];
        !element.path.get_ident().is_some_and(|name| discrete.contains(&name.to_string().as_str()))
    }

    /// The sizes in numbers: `Sizes::new(&[Size::Named("B"), Size::Known(28)])`.
    pub fn to_sizes(&self, signature: &Signature) -> TokenStream {
        let dims = self.dims.iter().map(|dim| dim.to_size(signature));
        quote_spanned!(self.span=> ::flaxen::shape::Sizes::new(&[#(#dims),*]))
    }
}

impl Parse for TensorType {
    fn parse(input: ParseStream) -> Result<Self> {
        let span = input.span();
        let mut dims = Vec::new();
        while !input.is_empty() && !input.peek(Token![;]) {
            dims.push(input.parse()?);
            if !input.peek(Token![;]) && !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let element = input.parse::<Option<Token![;]>>()?.map(|_| input.parse()).transpose()?;
        if dims.len() > 6 {
            return Err(Error::new(span, messages::TOO_MANY_DIMENSIONS));
        }
        Ok(TensorType { dims, element, span, axes: None })
    }
}
