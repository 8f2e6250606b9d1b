//! The compiler of flaxen.

mod parse;

use proc_macro::TokenStream;

/// A tensor type: `Tensor![B, 28, 28, 1]`, `Tensor![B, H / 2, 64; f64]`, `Tensor![]` for a scalar.
#[proc_macro]
#[allow(non_snake_case)]
pub fn Tensor(tokens: TokenStream) -> TokenStream {
    match syn::parse::<parse::dims::TensorType>(tokens) {
        Ok(tensor) => tensor.to_type().into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// A dimension as a type: `dim!(50257)`.
#[proc_macro]
pub fn dim(tokens: TokenStream) -> TokenStream {
    match syn::parse::<parse::dims::Dim>(tokens) {
        Ok(dim) => dim.to_type().into(),
        Err(error) => error.into_compile_error().into(),
    }
}

/// Names the dimensions `U0` to `U1024`.
#[doc(hidden)]
#[proc_macro]
pub fn __dimension_names(_: TokenStream) -> TokenStream {
    (0..=1024)
        .flat_map(parse::dims::name_of)
        .collect::<proc_macro2::TokenStream>()
        .into()
}
