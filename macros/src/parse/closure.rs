//! `value_and_grad!(|params| { … }, &state.params)`.

use super::body::{BodyParser, Place};
use crate::diag::Diagnostics;
use crate::ir::Body;
use crate::messages;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprClosure, Pat, Result, Token};

/// What stands in `value_and_grad!(…)`.
pub struct ClosureCall {
    closure: ExprClosure,
    arguments: Vec<Expr>,
}

impl Parse for ClosureCall {
    fn parse(input: ParseStream) -> Result<Self> {
        let parts = Punctuated::<Expr, Token![,]>::parse_terminated(input)?;
        let mut parts = parts.into_iter();
        match parts.next() {
            Some(Expr::Closure(closure)) => {
                let arguments: Vec<Expr> = parts.collect();
                match closure.inputs.len() == arguments.len() && !arguments.is_empty() {
                    true => Ok(ClosureCall { closure, arguments }),
                    false => Err(Error::new(closure.inputs.span(), messages::GRAD_COUNT)),
                }
            }
            Some(other) => Err(Error::new(other.span(), messages::GRAD_FORM)),
            None => Err(input.error(messages::GRAD_FORM)),
        }
    }
}

/// A closure that is differentiated in place.
pub struct Closure {
    /// Its body; the inputs are what it is differentiated by, and the first output is the loss.
    pub body: Body,
    /// The expressions that the inputs stand for.
    pub arguments: Vec<TokenStream>,
}

impl ClosureCall {
    /// Lowers the closure's body to equations.
    pub fn lower(&self, diagnostics: &mut Diagnostics) -> Closure {
        let mut parser = BodyParser::new(Place::Closure, diagnostics);
        for input in &self.closure.inputs {
            match input {
                Pat::Ident(name) => parser.input(&name.ident, None),
                other => parser.mistake(other.span(), messages::INPUT_NAME),
            }
        }
        parser.closure_body(&self.closure.body);
        let body = parser.finish();
        Closure { body, arguments: self.arguments.iter().map(|argument| quote!(#argument)).collect() }
    }
}
