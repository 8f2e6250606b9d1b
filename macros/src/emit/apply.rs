//! A model that a closure applies.
//!
//! ```text
//! let part_apply_0 = &Mlp::new();
//! let (logits_1, kept_apply_0) = Input(images).model_vjp(part_apply_0, params_0, No);
//! let ((logits_3, state_4), kept_apply_mut_0) =
//!     Input((images, Train)).model_vjp_mut(part_apply_mut_0, (params_0, &state), rngs! { … }, (No, No));
//! ```

use super::names::{self, tuple};
use super::passes::Passes;
use crate::ir::{Arg, Call, Eqn};
use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

impl Passes<'_> {
    /// The statement of a model that no gradient goes through.
    pub(super) fn apply_infer(&self, eqn: &Eqn, moves: &[bool]) -> TokenStream {
        let Call::Apply { model, rngs, .. } = &eqn.call else { return TokenStream::new() };
        let (part, (variables, lifted)) = (names::part(&eqn.label), self.variables(eqn));
        let variables = if lifted { quote!(&#variables) } else { variables };
        let (outs, input) = (self.bound_by_apply(eqn), self.arguments(eqn, moves));
        let (function, rngs) = match rngs {
            None => (quote!(model_infer), None),
            Some(rngs) => (quote!(model_infer_mut), Some(quote!(, #rngs))),
        };
        quote_spanned! {eqn.span=>
            let #part = &#model;
            let #outs = ::flaxen::__private::#function(#part, #variables, #input #rngs);
        }
    }

    /// The statement of a model that keeps what its backward pass reads.
    pub(super) fn apply_forward(&self, eqn: &Eqn, moves: &[bool]) -> TokenStream {
        let Call::Apply { model, rngs, .. } = &eqn.call else { return TokenStream::new() };
        let (part, (variables, lifted)) = (names::part(&eqn.label), self.variables(eqn));
        let (outs, input) = (self.bound_by_apply(eqn), self.arguments(eqn, moves));
        let (kept, needs) = (names::residual(eqn), self.needs(eqn));
        let (vjp, rngs) = match rngs {
            None if lifted => ("lifted_model_vjp", None),
            None => ("model_vjp", None),
            Some(rngs) => ("model_vjp_mut", Some(quote!(#rngs,))),
        };
        let vjp = Ident::new(vjp, eqn.span);
        quote_spanned! {eqn.span=>
            let #part = &#model;
            let (#outs, #kept) = ::flaxen::__private::Input(#input).#vjp(#part, #variables, #rngs #needs);
        }
    }

    /// The output, and the state if the model returns it.
    fn bound_by_apply(&self, eqn: &Eqn) -> TokenStream {
        let results = self.bound(eqn.results());
        match &eqn.outs[eqn.results().len()..] {
            [state] => tuple(&[results, self.var(*state)]),
            _ => results,
        }
    }

    /// The variables of a model: references to them, or a value if they are lifted.
    fn variables(&self, eqn: &Eqn) -> (TokenStream, bool) {
        let Call::Apply { variables, state, .. } = &eqn.call else { return (TokenStream::new(), false) };
        let level = self.lowered.level_of_equation(eqn);
        let (tokens, below, span) = match variables {
            Arg::Var(var) => (self.var(*var), self.lowered.level(*var), eqn.span),
            Arg::Outside(tokens) => (tokens.clone(), 0, tokens.span()),
        };
        let variables = names::lifted(tokens, level - below, span);
        let state = state.as_ref().map(|state| match state {
            Arg::Var(var) => {
                let var = self.var(*var);
                quote!(&#var)
            }
            Arg::Outside(tokens) if level > below => names::lifted(quote!(*#tokens), level, span),
            Arg::Outside(tokens) => tokens.clone(),
        });
        match state {
            Some(state) => (quote!((#variables, #state)), level > below),
            None => (variables, level > below),
        }
    }
}
