//! A module that computes its forward pass again in its backward pass.

use super::{Module, Trainable};
use crate::op::Needs;
use crate::rng::{Replay, Scope};
use crate::shape::{Rule, Sizes};
use serde::{Deserialize, Serialize};

/// `M`, of which a training step keeps nothing but the input, as Flax's `nn.remat`: the backward pass computes the forward
/// pass again, with the same draws and the same state. So the memory that the residuals of `M` take is used by one of
/// several such modules at a time, for the time of one more forward pass.
///
/// As in Flax, the variables are those of `M`, and the class is called `Checkpoint` and the class of `M`. State is updated and
/// values are sown once.
///
/// ```
/// use flaxen::prelude::*;
///
/// #[module]
/// struct Deep;
///
/// #[module]
/// impl Deep {
///     fn call<B: Batch>(&self, x: Tensor![B, 8]) -> Tensor![B, 8] {
///         let x = relu(compact!(Remat<Dense<8>>)(x));
///         compact!(Remat<Dense<8>>, use_bias = false)(x)
///     }
/// }
///
/// let params = Deep::new().init(Key::new(0)).params;
/// let expected = "{CheckpointDense_0: {kernel: (8, 8), bias: (8,)}, CheckpointDense_1: {kernel: (8, 8)}}";
/// assert_eq!(format!("{params:?}"), expected);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remat<M>(M);

impl<M: Default> Remat<M> {
    /// The module with its defaults.
    pub fn new() -> Self {
        Remat(M::default())
    }
}

impl<M> Remat<M> {
    /// The module.
    pub const fn of(module: M) -> Self {
        Remat(module)
    }

    /// The rule in numbers is the module's, which is not known here: the types speak.
    pub const fn shape<const N: usize>(_: [Sizes; N]) -> Rule {
        Rule::Poisoned
    }
}

impl<In, M: Module<In>> Module<In> for Remat<M> {
    type Out = M::Out;
    type Params = M::Params;
    type State = M::State;
    type Updates = M::Updates;
    type Draws = M::Draws;

    fn init(&self, scope: &Scope) -> (M::Params, M::State) {
        self.0.init(scope)
    }

    fn infer(&self, params: &M::Params, state: &mut M::State, scope: &Scope, input: In) -> M::Out {
        self.0.infer(params, state, scope, input)
    }
}

/// What is kept: all that the forward pass read besides the parameters.
pub struct Kept<In, State> {
    input: In,
    state: State,
    replay: Replay,
}

impl<In: Clone, N: Needs<In>, M: Trainable<In, N>> Trainable<In, N> for Remat<M> {
    type Residuals = Kept<In, M::State>;

    fn forward(
        &self,
        params: &M::Params,
        state: &mut M::State,
        scope: &Scope,
        input: In,
    ) -> (M::Out, Self::Residuals) {
        let kept = Kept { input: input.clone(), state: state.clone(), replay: scope.replay() };
        (self.0.infer(params, state, scope, input), kept)
    }

    fn backward(
        &self,
        params: &M::Params,
        Kept { input, mut state, replay }: Self::Residuals,
        cotangent: M::Out,
    ) -> (M::Params, N::Cotangents) {
        let (_, residuals) = self.0.forward(params, &mut state, &replay.scope(), input);
        self.0.backward(params, residuals, cotangent)
    }
}
