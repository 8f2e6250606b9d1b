//! A module that is not trained.

use super::Layer;
use crate::module::{Module, Phase, Trainable};
use crate::op::{Need, No};
use crate::rng::Scope;
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// The module `M`, not trained: what `jax.lax.stop_gradient` around its call and its parameters does in Flax.
///
/// Forward keeps nothing of it, and backward goes through none of it, so that it need not have a backward pass at all. It has
/// the variables of `M`, under the same names; their gradient is zero, and so is the cotangent of its input.
///
/// ```
/// use flaxen::nn::Frozen;
/// use flaxen::prelude::*;
///
/// #[module]
/// struct Classifier<Backbone> {
///     backbone: Backbone,
///     head: Dense<3>,
/// }
///
/// #[module]
/// impl<Backbone> Classifier<Backbone> {
///     fn call<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 3] {
///         let features: Tensor![B, 8] = self.backbone(x);
///         self.head(features)
///     }
/// }
///
/// let model = Classifier::<Frozen<Dense<U8>>>::new();
/// let params = model.init(Key::new(0)).params;
/// let x: Tensor![2, 4] = Tensor::full(Default::default(), 1.0);
/// let (_, gradient) = value_and_grad!(|params| model.apply(params, x.clone()).sum(), &params);
/// assert_eq!(gradient.backbone, params.backbone.zeros_like());
/// assert_ne!(gradient.head, params.head.zeros_like());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen<M>(M);

impl<M: Default> Frozen<M> {
    /// A module with its defaults, frozen.
    pub fn new() -> Self {
        Self::default()
    }
}

impl<M> Frozen<M> {
    /// Another module of the same kind, frozen.
    pub fn module(self, module: M) -> Self {
        Frozen(module)
    }

    /// The rule in numbers, which says nothing: the module has its own.
    pub const fn shape<const N: usize>(_: [Sizes; N]) -> Rule {
        Rule::Poisoned
    }
}

impl<M> Layer for Frozen<M> {}

impl<In, M: Module<In>> Module<In> for Frozen<M> {
    type Out = M::Out;
    type Params = M::Params;
    type State = M::State;
    type Updates = M::Updates;
    type Draws = M::Draws;

    fn init(&self, scope: &Scope) -> (Self::Params, Self::State) {
        self.0.init(scope)
    }

    fn infer(&self, params: &Self::Params, state: &mut Self::State, scope: &Scope, input: In) -> Self::Out {
        self.0.infer(params, state, scope, input)
    }
}

impl<S: Shape, E: Float, M: Module<Tensor<S, E>>, N: Need> Trainable<Tensor<S, E>, N> for Frozen<M> {
    /// The shape of the input, if its cotangent is needed.
    type Residuals = N::Of<S>;

    fn forward(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        x: Tensor<S, E>,
    ) -> (Self::Out, Self::Residuals) {
        let shape = N::when(|| x.shape());
        (self.0.infer(params, state, scope, x), shape)
    }

    fn backward(
        &self,
        params: &Self::Params,
        shape: Self::Residuals,
        _: Self::Out,
    ) -> (Self::Params, N::Of<Tensor<S, E>>) {
        (params.zeros_like(), N::map(shape, Tensor::zeros))
    }
}

impl<S, E, P, M, N> Trainable<(Tensor<S, E>, P), (N, No)> for Frozen<M>
where
    S: Shape,
    E: Float,
    P: Phase,
    M: Module<(Tensor<S, E>, P)>,
    N: Need,
{
    type Residuals = N::Of<S>;

    fn forward(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        (x, phase): (Tensor<S, E>, P),
    ) -> (Self::Out, Self::Residuals) {
        let shape = N::when(|| x.shape());
        (self.0.infer(params, state, scope, (x, phase)), shape)
    }

    fn backward(
        &self,
        params: &Self::Params,
        shape: Self::Residuals,
        _: Self::Out,
    ) -> (Self::Params, (N::Of<Tensor<S, E>>, ())) {
        (params.zeros_like(), (N::map(shape, Tensor::zeros), ()))
    }
}
