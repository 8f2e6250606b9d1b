//! What a body does besides computing its output: variables of other collections, draws, and values that are sown.
//!
//! ```text
//! let mean_1: V1 = Clone::clone(&state.mean);
//! …
//! state.mean = add_7;
//! if <P as Phase>::TRAIN { state.var = choose_8; }
//! let key_8: Key = scope.stream::<noise>();
//! scope.sow::<Intermediates, _>("features", &relu_9);
//! ```

use super::passes::Passes;
use super::place::{Declared, Root};
use crate::ir::{Call, Eqn, Region};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

impl Passes<'_> {
    /// Statements that are skipped in evaluation, and what stands for their values there.
    pub(super) fn only_in_training(&self, region: &Region, statements: &TokenStream) -> TokenStream {
        let phase = &region.phase;
        let values: Vec<_> = region.values.iter().map(|&(value, _)| self.var(value)).collect();
        let others: Vec<_> = region.values.iter().map(|&(_, other)| self.read(other, false)).collect();
        quote! {
            let (#(#values,)*) = if <#phase as ::flaxen::module::Phase>::TRAIN {
                #statements
                (#(#values,)*)
            } else {
                (#(#others,)*)
            };
        }
    }

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
            Call::Write { variable, phase } => {
                let place = place(*variable);
                let write = quote!(#place = #input;);
                match phase {
                    None => write,
                    Some(phase) => quote!(if <#phase as ::flaxen::module::Phase>::TRAIN { #write }),
                }
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
