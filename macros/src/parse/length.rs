//! How many passes a loop has: a number, or a constant that rustc computes.

use super::body::BodyParser;
use super::fold;
use crate::ir::names;
use crate::messages;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Expr, ExprRange, RangeLimits};

/// A range of constants.
pub(super) struct Range {
    /// What is added to the number of a pass.
    pub start: TokenStream,
    /// How many passes there are.
    pub length: TokenStream,
    /// The numbers of all passes, where they are known while the macro runs.
    pub numbers: Option<std::ops::Range<i128>>,
}

impl BodyParser<'_> {
    /// The passes of `for … in start..end`. What only the running program knows is a mistake, unless each pass is a copy:
    /// then the numbers must be known, and that is said instead.
    pub(super) fn range(&mut self, range: &ExprRange, unrolled: bool) -> Option<Range> {
        let (Some(start), Some(end)) = (&range.start, &range.end) else {
            self.mistake_over(range, messages::RUN_TIME_LENGTH);
            return None;
        };
        let closed = matches!(range.limits, RangeLimits::Closed(_));
        let known = (fold::number(start, &self.scope), fold::number(end, &self.scope));
        let numbers = match known {
            (Some(start), Some(end)) => Some(start..end + i128::from(closed)),
            _ => None,
        };
        if unrolled && numbers.is_none() {
            self.mistake_over(range, messages::UNROLL_LITERAL);
            return None;
        }
        if !unrolled {
            let constant = [self.constant(start), self.constant(end)];
            constant.into_iter().collect::<Option<Vec<()>>>()?;
        }
        let length = self.without_self(length(start, end, closed, known));
        Some(Range { start: self.without_self(quote!(#start)), length, numbers })
    }

    /// Refuses what is not known when the user's code is compiled.
    fn constant(&mut self, expr: &Expr) -> Option<()> {
        if fold::number(expr, &self.scope).is_some() {
            return Some(());
        }
        let tokens = expr.to_token_stream();
        let shown = tokens.to_string().replace(" :: ", "::");
        if self.type_params.iter().any(|param| names(tokens.clone(), param)) {
            self.mistake_over(expr, messages::length_of_dimension(&shown));
            return None;
        }
        if self.is_bound_in(tokens) {
            self.mistake_over(expr, messages::length_at_run_time(&shown));
            return None;
        }
        Some(())
    }

    /// Whether code names `self` or something that the body binds.
    fn is_bound_in(&self, tokens: TokenStream) -> bool {
        let mut after_dot = false;
        tokens.into_iter().any(|token| {
            let bound = match &token {
                TokenTree::Ident(name) => {
                    !after_dot && (name == "self" || self.scope.get(&name.to_string()).is_some())
                }
                TokenTree::Group(group) => self.is_bound_in(group.stream()),
                _ => false,
            };
            after_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
            bound
        })
    }

    /// Code that may stand outside of the `impl`.
    fn without_self(&self, tokens: TokenStream) -> TokenStream {
        let Some(ty) = self.module.map(|module| &module.self_ty) else { return tokens };
        let tokens = tokens.into_iter().map(|token| match token {
            TokenTree::Ident(ident) if ident == "Self" => quote!(<#ty>),
            TokenTree::Group(group) => {
                let inside = self.without_self(group.stream());
                TokenTree::Group(proc_macro2::Group::new(group.delimiter(), inside)).into()
            }
            other => other.into(),
        });
        tokens.collect()
    }
}

/// How many numbers a range has: a literal where that is known.
fn length(start: &Expr, end: &Expr, closed: bool, known: (Option<i128>, Option<i128>)) -> TokenStream {
    match known {
        (Some(start), Some(end)) => {
            let length = usize::try_from(end - start + i128::from(closed)).unwrap_or(0);
            let mut length = proc_macro2::Literal::usize_unsuffixed(length);
            length.set_span(Span::call_site());
            quote!(#length)
        }
        (Some(0), None) if !closed => quote!(#end),
        _ if closed => quote!((#end) + 1 - (#start)),
        _ => quote!((#end) - (#start)),
    }
}
