//! A layer as a model by itself: `init` and `apply` without a module around it.

use crate::__private::Pure;
use crate::module::{Collections, Module, Variables};
use crate::rng::{Key, Scope};

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
    fn init<In>(&self, key: Key, _: &In) -> Variables<Self::Params, Self::State>
    where
        Self: Module<In>,
    {
        let (params, state) = Module::init(self, &Scope::root(key));
        Variables { params, state }
    }

    /// Draws the variables, and computes the output with them.
    fn init_with_output<In>(&self, key: Key, input: In) -> (Self::Out, Variables<Self::Params, Self::State>)
    where
        Self: Pure<In> + Sized,
    {
        let variables = Layer::init(self, key, &input);
        (crate::__private::model_infer(self, &variables, input), variables)
    }

    /// Computes the output from the variables and the input, or a tuple of inputs.
    fn apply<In>(&self, variables: &impl Collections<Self::Params, Self::State>, input: In) -> Self::Out
    where
        Self: Pure<In> + Sized,
    {
        crate::__private::model_infer(self, variables, input)
    }
}
