//! What a name in a body means: a tensor, a submodule, or something that the macro need not know.

use crate::ir::Var;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

/// What a name is bound to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Binding {
    /// A variable of the IR.
    Tensor(Var),
    /// A submodule that has not been called yet: `let dense = compact!(Dense<3>);`.
    Submodule(usize),
    /// A variable of another collection: `let mean = variable!(…);`.
    Variable(usize),
    /// A field of `self`, by its number among those that have a name: `let encoder = &self.encoder;`.
    Held(usize),
    /// A value that touches no tensor.
    Value,
}

/// The names that are visible, the innermost last.
#[derive(Default)]
pub struct Scope(Vec<(String, Binding)>);

impl Scope {
    /// What a name means.
    pub fn get(&self, name: &str) -> Option<Binding> {
        self.0.iter().rev().find(|(bound, _)| bound == name).map(|(_, binding)| *binding)
    }

    /// All names, the innermost last.
    pub fn all(&self) -> &[(String, Binding)] {
        &self.0
    }

    /// Binds a name, which hides an earlier one.
    pub fn bind(&mut self, name: impl Into<String>, binding: Binding) {
        self.0.push((name.into(), binding));
    }

    /// Where a block begins.
    pub fn mark(&self) -> usize {
        self.0.len()
    }

    /// Forgets the names of a block that began at `mark`.
    pub fn leave(&mut self, mark: usize) {
        self.0.truncate(mark);
    }

    /// Whether code names a tensor or a submodule, or declares one.
    pub fn touches_tensor(&self, code: &impl ToTokens) -> bool {
        self.tokens_touch(code.to_token_stream())
    }

    fn tokens_touch(&self, tokens: TokenStream) -> bool {
        let mut after_dot = false;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Group(group) if self.tokens_touch(group.stream()) => return true,
                TokenTree::Ident(ident) if !after_dot => {
                    let name = ident.to_string();
                    let declares = matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!')
                        && ["compact", "param", "variable", "sow", "make_rng"].contains(&name.as_str());
                    if declares
                        || matches!(
                            self.get(&name),
                            Some(Binding::Tensor(_) | Binding::Submodule(_) | Binding::Variable(_))
                        )
                    {
                        return true;
                    }
                }
                _ => {}
            }
            after_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
        }
        false
    }
}
