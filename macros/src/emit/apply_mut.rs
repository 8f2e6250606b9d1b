//! The methods that make a call which updates the state or draws.
//!
//! ```text
//! impl Mlp {
//!     pub fn apply_mut<B: Batch, P: Phase, Rngs>(&self, variables: …, x: Tensor![B, 3], phase: P, rngs: Rngs)
//!         -> (Tensor![B, 1], MlpState) where <Self as Module<…>>::Draws: DrawsFrom<Rngs>;
//!     pub fn init_with_output<…>(&self, rngs: Rngs, x: …, phase: P) -> (Tensor![B, 1], Variables<MlpParams, MlpState>);
//!     pub fn apply_and_capture<…>(&self, variables: …, x: …, phase: P) -> (Tensor![B, 1], Intermediates);
//! }
//! ```

use super::names::tuple;
use crate::ir::Signature;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// What the methods are made of.
pub struct Methods<'a> {
    pub signature: &'a Signature,
    /// `B: Batch, P: Phase`
    pub inner: &'a TokenStream,
    /// The types of the parameters, of the state, of the input and of the output.
    pub params: &'a TokenStream,
    pub state: &'a TokenStream,
    pub input: &'a TokenStream,
    pub output: &'a TokenStream,
    /// The bounds of a call that updates and draws nothing.
    pub pure: &'a TokenStream,
}

impl Methods<'_> {
    /// The methods.
    pub fn items(&self) -> TokenStream {
        let Methods { signature, inner, params, state, input, output, pure } = self;
        let names: Vec<&Ident> = signature.inputs.iter().map(|(name, _)| name).collect();
        let types: Vec<_> = signature.inputs.iter().map(|(_, ty)| ty.to_type()).collect();
        let given = tuple(&names.iter().map(|name| quote!(#name)).collect::<Vec<_>>());
        let inner_where = &signature.inner.where_clause;
        let predicates: Vec<_> = inner_where.iter().flat_map(|clause| &clause.predicates).collect();
        let contract = quote!(<Self as ::flaxen::module::Module<#input>>);
        quote! {
            /// Computes the output, and returns with it the state that the call leaves: `variables.state = state`. The keys are
            /// those of the rng streams that it draws from: `rngs! { dropout: key }`.
            pub fn apply_mut<'__v, #inner __Rngs>(
                &self,
                variables: impl ::flaxen::module::Collections<'__v, #params, #state>,
                #(#names: #types,)*
                rngs: __Rngs,
            ) -> (#output, #state)
            where
                __Rngs: ::flaxen::rng::Rngs,
                #contract::Draws: ::flaxen::module::effect::DrawsFrom<__Rngs>,
                #(#predicates,)*
            {
                ::flaxen::__private::model_infer_mut(self, variables, #given, rngs)
            }

            /// Draws the variables, and computes the output with them. The keys are one for `params`, and those of the streams
            /// that the call draws from; a bare key is that for `params`.
            pub fn init_with_output<#inner __Rngs>(
                &self,
                rngs: __Rngs,
                #(#names: #types,)*
            ) -> (#output, ::flaxen::module::Variables<#params, #state>)
            where
                __Rngs: ::flaxen::rng::Provides<::flaxen::rng::params>,
                #contract::Draws: ::flaxen::module::effect::DrawsFrom<__Rngs>,
                #(#predicates,)*
            {
                ::flaxen::__private::init_with_output(self, rngs, #given)
            }

            /// Computes the output, and returns with it what was sown, and the outputs of all submodules.
            pub fn apply_and_capture<'__v, #inner>(
                &self,
                variables: impl ::flaxen::module::Collections<'__v, #params, #state>,
                #(#names: #types,)*
            ) -> (#output, ::flaxen::module::Captured)
            where
                #pure
                #(#predicates,)*
            {
                ::flaxen::__private::apply_and_capture(self, variables, #given)
            }
        }
    }
}
