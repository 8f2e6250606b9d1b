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

use super::module::{Callable, PureCall};
use proc_macro2::TokenStream;
use quote::quote;

impl Callable<'_> {
    /// The methods; `call` are the parts of one that updates nothing. The constants that refuse keys which nobody uses stand
    /// here, so that rustc shows the user's call.
    pub fn apply_mut(&self, call: &PureCall) -> TokenStream {
        let (params, state) = (self.variables.params.ty(), self.variables.state.ty());
        let PureCall { generics, inputs, output, bounds, others, draws, given } = call;
        quote! {
            /// Computes the output, and returns with it the state that the call leaves: `variables.state = state`. The keys are
            /// those of the rng streams that it draws from: `rngs! { dropout: key }`.
            pub fn apply_mut<'__v, #generics __Rngs>(
                &self,
                variables: impl ::flaxen::module::Collections<'__v, #params, #state>,
                #inputs
                rngs: __Rngs,
            ) -> (#output, #state)
            where
                __Rngs: ::flaxen::rng::Rngs,
                #draws: ::flaxen::module::effect::DrawsFrom<__Rngs>,
                #others
            {
                const { <#draws as ::flaxen::module::effect::DrawsFrom<__Rngs>>::STREAMS.use_all_of::<__Rngs>() }
                ::flaxen::__private::apply_mut(self, variables, #given, &::flaxen::rng::Rngs::scope(rngs))
            }

            /// Draws the variables, and computes the output with them. The keys are one for `params`, and those of the streams
            /// that the call draws from; a bare key is that for `params`.
            pub fn init_with_output<#generics __Rngs>(
                &self,
                rngs: __Rngs,
                #inputs
            ) -> (#output, ::flaxen::module::Variables<#params, #state>)
            where
                __Rngs: ::flaxen::rng::Provides<::flaxen::rng::params>,
                #draws: ::flaxen::module::effect::DrawsFrom<__Rngs>,
                #others
            {
                const {
                    <#draws as ::flaxen::module::effect::DrawsFrom<__Rngs>>::STREAMS.use_all_besides_params_of::<__Rngs>()
                }
                ::flaxen::__private::init_with_output(self, &::flaxen::rng::Rngs::scope(rngs), #given)
            }

            /// Computes the output, and returns with it what was sown, and the outputs of all submodules.
            pub fn apply_and_capture<'__v, #generics>(
                &self,
                variables: impl ::flaxen::module::Collections<'__v, #params, #state>,
                #inputs
            ) -> (#output, ::flaxen::module::Captured)
            where
                #bounds
            {
                ::flaxen::__private::apply_and_capture(self, variables, #given)
            }
        }
    }
}
