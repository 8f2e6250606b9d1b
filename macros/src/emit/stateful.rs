//! What a body does besides computing its output: variables of other collections, draws, and values that are sown.
//!
//! ```text
//! let mean_1: V1 = Clone::clone(&state.mean);
//! …
//! state.mean = add_7;
//! let key_8: Key = scope.stream::<noise>();
//! scope.sow::<Intermediates, _>("features", &relu_9);
//! ```

use super::passes::Passes;
use super::place::{Declared, Root};
use crate::ir::{Call, Eqn};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

impl Passes<'_> {
    /// The statement of an equation that has no backward pass.
    pub(super) fn stateful(&self, eqn: &Eqn, input: &TokenStream) -> TokenStream {
        let place = |index| self.place(Root::State, &Declared::variable(&self.lowered.body, index));
        let out = eqn.outs.first().map(|&out| (self.var(out), self.types.var(out)));
        let bind = |value: TokenStream| match &out {
            Some((out, ty)) => quote_spanned!(eqn.span=> let #out: #ty = #value;),
            None => TokenStream::new(),
        };
        match &eqn.call {
            Call::Variable(index) => {
                let place = place(*index);
                bind(quote!(::core::clone::Clone::clone(&#place)))
            }
            Call::Write(index) => {
                let place = place(*index);
                quote!(#place = #input;)
            }
            Call::Sow { collection, name } => {
                let sown = eqn.reads().map(|var| self.var(var));
                let scope = quote!(scope);
                quote_spanned!(eqn.span=> #scope.sow::<#collection, _>(#name, #(&#sown)*);)
            }
            Call::MakeRng(stream) => bind(quote!(scope.stream::<#stream>())),
            Call::Phase(phase) => bind(quote!(#phase)),
            _ => TokenStream::new(),
        }
    }
}
