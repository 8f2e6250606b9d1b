//! Collects mistakes, so that all of them show at once.

use proc_macro2::Span;
use quote::ToTokens;
use syn::Error;

/// The mistakes found so far. It must be asked for them before it is dropped: a forgotten mistake is a bug.
#[derive(Default)]
pub struct Diagnostics {
    error: Option<Error>,
    /// What was said and where: a method that is written in place is read more than once.
    said: Vec<String>,
    checked: bool,
}

impl Diagnostics {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A mistake at a place, in words of [`messages`](crate::messages).
    pub fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(Error::new(span, message));
    }

    /// A mistake that is underlined as a whole.
    pub fn over(&mut self, tokens: &impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(tokens, message));
    }

    /// A mistake that a parser found.
    pub fn push(&mut self, error: Error) {
        let said = format!("{:?} {error}", error.span());
        if self.said.contains(&said) {
            return;
        }
        self.said.push(said);
        match &mut self.error {
            Some(all) => all.combine(error),
            None => self.error = Some(error),
        }
    }

    /// Whether nothing was found so far.
    pub fn is_empty(&self) -> bool {
        self.error.is_none()
    }

    /// The value of a step that may have failed; its mistake is kept.
    pub fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// All mistakes, if there are any.
    pub fn finish(mut self) -> syn::Result<()> {
        self.checked = true;
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        if !self.checked && !std::thread::panicking() {
            panic!("mistakes were collected and never looked at");
        }
    }
}
