//! A layer as a model by itself: `init` and `apply` without a module around it.

use crate::__private::Pure;
use crate::module::effect::DrawsFrom;
use crate::module::{Collections, Module, Variables};
use crate::rng::{Provides, Rngs, params};

/// A layer that is a model by itself, as Flax's layers are.
///
/// A layer takes inputs of many shapes, so `init` looks at one, as in Flax; a `#[module]` knows the shape of its input.
///
/// ```
/// use flaxen::prelude::*;
///
/// let model = Dense::<U5>::new();
/// let (key1, key2) = Key::new(0).split();
/// let x: Tensor![10] = key1.normal(Default::default());
/// let variables = model.init(key2, &x);
/// assert_eq!(format!("{variables:?}"), "{params: {kernel: (10, 5), bias: (5,)}}");
/// let y: Tensor![5] = model.apply(&variables, x);
/// ```
pub trait Layer {
    /// Draws the variables for inputs of this type.
    fn init<In>(&self, rngs: impl Provides<params>, _: &In) -> Variables<Self::Params, Self::State>
    where
        Self: Module<In>,
    {
        let (params, state) = Module::init(self, &rngs.scope());
        Variables { params, state }
    }

    /// Draws the variables, and computes the output with them.
    fn init_with_output<In, R>(&self, rngs: R, input: In) -> (Self::Out, Variables<Self::Params, Self::State>)
    where
        Self: Module<In, Draws: DrawsFrom<R>> + Sized,
        R: Provides<params>,
    {
        const { <Self as Module<In>>::Draws::STREAMS.use_all_besides_params_of::<R>() }
        crate::__private::init_with_output(self, &rngs.scope(), input)
    }

    /// Computes the output from the variables and the input, or a tuple of inputs.
    fn apply<'a, In>(
        &self,
        variables: impl Collections<'a, Self::Params, Self::State>,
        input: In,
    ) -> Self::Out
    where
        Self: Pure<In, Params: 'a> + Sized,
    {
        crate::__private::model_infer(self, variables, input)
    }

    /// Computes the output, and returns with it the state that the call leaves. The keys are those of the rng streams that
    /// it draws from.
    fn apply_mut<'a, In, R: Rngs>(
        &self,
        variables: impl Collections<'a, Self::Params, Self::State>,
        input: In,
        rngs: R,
    ) -> (Self::Out, Self::State)
    where
        Self: Module<In, Draws: DrawsFrom<R>, Params: 'a> + Sized,
    {
        const { <Self as Module<In>>::Draws::STREAMS.use_all_of::<R>() }
        crate::__private::apply_mut(self, variables, input, &rngs.scope())
    }
}

impl<M> Layer for crate::module::Remat<M> {}
