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
    /// A number that is known now: the variable of a loop that is unrolled.
    Number(i128),
    /// The variable of a loop.
    Pass(usize),
}

/// A name and what it means.
#[derive(Clone)]
struct Name {
    name: String,
    binding: Binding,
    /// Whether it may be assigned to.
    mutable: bool,
}

/// The names that are visible, the innermost last.
#[derive(Clone, Default)]
pub struct Scope(Vec<Name>);

impl Scope {
    /// What a name means.
    pub fn get(&self, name: &str) -> Option<Binding> {
        self.position(name).map(|index| self.0[index].binding)
    }

    /// All names, the innermost last.
    pub fn all(&self) -> impl Iterator<Item = (&str, Binding)> {
        self.0.iter().map(|bound| (bound.name.as_str(), bound.binding))
    }

    /// Binds a name, which hides an earlier one.
    pub fn bind(&mut self, name: impl Into<String>, binding: Binding) {
        self.0.push(Name { name: name.into(), binding, mutable: false });
    }

    /// Binds a name that may be assigned to.
    pub fn bind_mut(&mut self, name: impl Into<String>, binding: Binding) {
        self.0.push(Name { name: name.into(), binding, mutable: true });
    }

    /// The place of a name that was bound.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().rposition(|bound| bound.name == name)
    }

    /// The name at a place.
    pub fn name(&self, place: usize) -> &str {
        &self.0[place].name
    }

    /// Whether the name at a place may be assigned to.
    pub fn is_mutable(&self, place: usize) -> bool {
        self.0[place].mutable
    }

    /// The variable at a place.
    pub fn var(&self, place: usize) -> Option<Var> {
        match self.0[place].binding {
            Binding::Tensor(var) => Some(var),
            _ => None,
        }
    }

    /// Lets the name at a place mean another variable.
    pub fn assign(&mut self, place: usize, var: Var) {
        self.0[place].binding = Binding::Tensor(var);
    }

    /// The places at which another variable stands than before.
    pub fn assigned_since(&self, before: &Scope) -> Vec<usize> {
        let places = self.0.iter().zip(&before.0).enumerate();
        places.filter(|(_, (now, then))| now.binding != then.binding).map(|(place, _)| place).collect()
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
