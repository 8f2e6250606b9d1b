//! Batch normalisation.

use super::kernel_bias::shapes;
use super::{Layer, NoBias, NoScale, ScaleBias, UseBias, UseScale, WithBias, WithScale};
use crate::batching::{Along, Axes, Axis, Batched, Stack};
use crate::init::{Initializer, ones, zeros};
use crate::keyword::{self, Switch, True, With};
use crate::module::{BatchStats, Module, Phase, Stateless, Trainable};
use crate::op::Need;
use crate::ops::batch_norm::{self, Moments, normalize, normalize_pullback};
use crate::rng::Scope;
use crate::shape::{Dim, Dyn, Message, Rule, Sizes, SplitLast, Static};
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, branches};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// `y = (x - mean) / sqrt(var + epsilon) · scale + bias` for each feature, the last axis of `[.., F]`, as `nn.BatchNorm`: Ioffe and
/// Szegedy, "Batch Normalization" (2015).
///
/// Its inputs are the tensor and a [`Phase`]. In training `mean` and `var` are the moments of the batch, over all axes but the
/// last, and the running statistics in `batch_stats` move towards them: `mean ← momentum · mean + (1 - momentum) · batch mean`. In
/// evaluation they are the running statistics, which stay.
///
/// | keyword | default |
/// |---|---|
/// | `momentum = 0.9` | 0.99 |
/// | `epsilon = 1e-6` | 1e-5 |
/// | `use_bias = false` | [`WithBias`] |
/// | `use_scale = false` | [`WithScale`] |
/// | `use_fast_variance = false` | true: `mean(x²) - mean(x)²`, in one pass |
/// | `axis_name = batch` | [`NoAxis`]; of a `vmap!` along this axis, the moments are those of all examples |
///
/// | variable | collection | shape | initialiser |
/// |---|---|---|---|
/// | `scale` | `params` | `[F]` | [`ones`] |
/// | `bias` | `params` | `[F]` | [`zeros`] |
/// | `mean` | `batch_stats` | `[F]` | zeros |
/// | `var` | `batch_stats` | `[F]` | ones |
///
/// ```
/// use flaxen::prelude::*;
///
/// let layer = <BatchNorm>::new().momentum(0.9);
/// let x: Tensor![2, 1] = Tensor::of(&[1.0, 3.0])?;
/// let mut variables = layer.init(Key::new(0), &(x.clone(), Train));
/// let shapes = "{params: {scale: (1,), bias: (1,)}, batch_stats: {mean: (1,), var: (1,)}}";
/// assert_eq!(format!("{variables:?}"), shapes);
/// let (y, state) = layer.apply_mut(&variables, (x, Train), rngs! {});
/// assert!((y.as_slice()[1] - 1.0).abs() < 1e-5);
/// variables.state = state;
/// assert!((variables.state.mean.as_slice()[0] - 0.2).abs() < 1e-6);
/// # Ok::<(), flaxen::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct BatchNorm<S = WithScale, B = WithBias, V = True, A = NoAxis> {
    momentum: f64,
    epsilon: f64,
    scale_init: Initializer,
    bias_init: Initializer,
    #[serde(skip)]
    arguments: PhantomData<(S, B, V, A)>,
}

impl<S, B, V, A> BatchNorm<S, B, V, A> {
    /// A layer with Flax's defaults.
    pub const fn new() -> Self {
        BatchNorm {
            momentum: 0.99,
            epsilon: 1e-5,
            scale_init: ones(),
            bias_init: zeros(),
            arguments: PhantomData,
        }
    }

    /// The layer whose running statistics keep this part of themselves in each step.
    pub const fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// The layer with another number that is added to the variance.
    pub const fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// The layer with another initialiser of the scale.
    pub const fn scale_init(mut self, scale_init: Initializer) -> Self {
        self.scale_init = scale_init;
        self
    }

    /// The layer with another initialiser of the bias.
    pub const fn bias_init(mut self, bias_init: Initializer) -> Self {
        self.bias_init = bias_init;
        self
    }

    /// The rule in numbers: the output has the sizes of the first input; the second is the phase.
    pub const fn shape([x, _]: [Sizes; 2]) -> Rule {
        if x.rank() == 0 {
            return Rule::Refused(Message::new("BatchNorm: expects [.., features], got a scalar"));
        }
        Rule::Out(x)
    }
}

impl<S, B, V, A> Default for BatchNorm<S, B, V, A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, B, V, A> Layer for BatchNorm<S, B, V, A> {}

impl<S, B, V, A, W: Switch> With<keyword::use_scale, W> for BatchNorm<S, B, V, A> {
    type Out = BatchNorm<W::Choose<WithScale, NoScale>, B, V, A>;
}

impl<S, B, V, A, W: Switch> With<keyword::use_bias, W> for BatchNorm<S, B, V, A> {
    type Out = BatchNorm<S, W::Choose<WithBias, NoBias>, V, A>;
}

impl<S, B, V, A, W: Switch> With<keyword::use_fast_variance, W> for BatchNorm<S, B, V, A> {
    type Out = BatchNorm<S, B, W, A>;
}

impl<S, B, V, A: Axis> With<keyword::axis_name, A> for BatchNorm<S, B, V> {
    type Out = BatchNorm<S, B, V, A>;
}

/// The running statistics of [`BatchNorm`], in the collection `batch_stats`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct RunningStatistics<F: Dim, E: Float> {
    /// The mean of each feature.
    pub mean: Tensor<(F,), E>,
    /// The variance of each feature.
    pub var: Tensor<(F,), E>,
}

impl<F: Dim, E: Float> RunningStatistics<F, E> {
    /// Moves the statistics towards those of a batch.
    fn update(&mut self, batch: &Moments<F, E>, momentum: f64) {
        let (keep, add) = (E::from_f64(momentum), E::from_f64(1.0 - momentum));
        for (running, batch) in [(&mut self.mean, &batch.mean), (&mut self.var, &batch.var)] {
            let places = running.as_mut_slice().iter_mut().zip(batch.as_slice());
            places.for_each(|(running, &batch)| *running = keep * *running + add * batch);
        }
    }

    fn moments(&self) -> Moments<F, E> {
        Moments { mean: self.mean.clone(), var: self.var.clone() }
    }
}

impl<F: Dim, E: Float> Tree for RunningStatistics<F, E> {
    branches!(Path::variable::<BatchStats>: mean var);
}

/// Prints the shapes, as Flax does: `{mean: (4,), var: (4,)}`.
impl<F: Dim, E: Float> fmt::Debug for RunningStatistics<F, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        shapes(self, formatter)
    }
}

/// No statistics are stateless: the bound names their collection.
impl<F: Dim, E: Float, Call> Stateless<Call> for RunningStatistics<F, E>
where
    BatchStats: Stateless<Call>,
{
    #[allow(unreachable_code)]
    fn stateless() -> Self {
        match <BatchStats as Stateless<Call>>::stateless() {}
    }
}

impl<S, B, V: Switch> BatchNorm<S, B, V> {
    /// The moments to normalise with. In training they are those of the batch, and the running statistics move.
    fn moments<X: SplitLast, E: Float, P: Phase>(
        &self,
        state: &mut RunningStatistics<X::Last, E>,
        x: &Tensor<X, E>,
    ) -> Moments<X::Last, E> {
        if !P::TRAIN {
            return state.moments();
        }
        let moments = Moments::of(x, V::ON);
        state.update(&moments, self.momentum);
        moments
    }
}

impl<X, E, P, S, B, V> Module<(Tensor<X, E>, P)> for BatchNorm<S, B, V>
where
    X: SplitLast,
    X::Last: Static,
    E: Float,
    P: Phase,
    S: UseScale,
    B: UseBias,
    V: Switch,
{
    type Out = Tensor<X, E>;
    type Params = ScaleBias<(X::Last,), E, S, B>;
    type State = RunningStatistics<X::Last, E>;
    type Updates = P::When<BatchStats>;
    type Draws = ();

    fn init(&self, scope: &Scope) -> (Self::Params, Self::State) {
        let features = (X::Last::default(),);
        let state = RunningStatistics { mean: Tensor::zeros(features), var: Tensor::full(features, E::ONE) };
        (ScaleBias::init(scope, &self.scale_init, &self.bias_init), state)
    }

    fn infer(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        _: &Scope,
        (x, _): (Tensor<X, E>, P),
    ) -> Self::Out {
        let moments = self.moments::<X, E, P>(state, &x);
        normalize(x, &moments, E::from_f64(self.epsilon), &params.scale, &params.bias)
    }
}

/// What the derivative of [`BatchNorm`] reads.
pub struct Residuals<X: SplitLast, E: Float>(batch_norm::Residuals<X, E>);

impl<X, E, P, S, B, V, NX, NP> Trainable<(Tensor<X, E>, P), (NX, NP)> for BatchNorm<S, B, V>
where
    X: SplitLast,
    X::Last: Static,
    E: Float,
    P: Phase,
    S: UseScale,
    B: UseBias,
    V: Switch,
    NX: Need,
    NP: Need,
{
    type Residuals = Residuals<X, E>;

    fn forward(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        _: &Scope,
        (x, _): (Tensor<X, E>, P),
    ) -> (Self::Out, Self::Residuals) {
        let moments = self.moments::<X, E, P>(state, &x);
        let kept = batch_norm::Residuals { x: x.clone(), moments: moments.clone(), own: P::TRAIN };
        (normalize(x, &moments, E::from_f64(self.epsilon), &params.scale, &params.bias), Residuals(kept))
    }

    fn backward(
        &self,
        params: &Self::Params,
        Residuals(kept): Self::Residuals,
        cotangent: Self::Out,
    ) -> (Self::Params, (NX::Of<Tensor<X, E>>, NP::Of<P>)) {
        let epsilon = E::from_f64(self.epsilon);
        let (dx, scale, bias) = normalize_pullback::<X, E, NX, _, _>(kept, epsilon, &params.scale, cotangent);
        (ScaleBias { scale, bias }, (dx, NP::when(P::default)))
    }
}

/// The moments are those of the input alone: there is no `axis_name`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoAxis;

/// The rows of all examples.
type AllRows<X> = (Dyn, <X as SplitLast>::Last);

impl<S, B, V, A> BatchNorm<S, B, V, A> {
    /// The layer for the rows of all examples.
    fn of_rows(&self) -> BatchNorm<S, B, V> {
        let BatchNorm { momentum, epsilon, scale_init, bias_init, .. } = *self;
        BatchNorm { momentum, epsilon, scale_init, bias_init, arguments: PhantomData }
    }
}

fn rows<X: SplitLast, E: Float>(stack: Stack<Tensor<X, E>>) -> Tensor<AllRows<X>, E> {
    let features = stack.shape().last().size();
    let count = stack.as_slice().len() / features.max(1);
    stack.into_tensor(&[count, features])
}

/// In a `vmap!` along the layer's axis.
impl<X, E, P, S, B, V, A, N> Module<(Batched<Along<A, N>, Tensor<X, E>>, P)> for BatchNorm<S, B, V, A>
where
    X: SplitLast,
    X::Last: Static,
    E: Float,
    P: Phase,
    S: UseScale,
    B: UseBias,
    V: Switch,
    A: Axis,
    N: Dim,
{
    type Out = Batched<Along<A, N>, Tensor<X, E>>;
    type Params = ScaleBias<(X::Last,), E, S, B>;
    type State = RunningStatistics<X::Last, E>;
    type Updates = P::When<BatchStats>;
    type Draws = ();

    fn init(&self, scope: &Scope) -> (Self::Params, Self::State) {
        Module::<(Tensor<AllRows<X>, E>, P)>::init(&self.of_rows(), scope)
    }

    fn infer(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        (x, phase): (Batched<Along<A, N>, Tensor<X, E>>, P),
    ) -> Self::Out {
        let (axes, shape) = (x.axes(), x.shape());
        let y = self.of_rows().infer(params, state, scope, (rows(x.into_stack()), phase));
        Batched::new(axes, Stack::of(axes.count(), shape, y))
    }
}

impl<X, E, P, S, B, V, A, N, NX, NP> Trainable<(Batched<Along<A, N>, Tensor<X, E>>, P), (NX, NP)>
    for BatchNorm<S, B, V, A>
where
    X: SplitLast,
    X::Last: Static,
    E: Float,
    P: Phase,
    S: UseScale,
    B: UseBias,
    V: Switch,
    A: Axis,
    N: Dim,
    NX: Need,
    NP: Need,
{
    type Residuals = (Along<A, N>, X, Residuals<AllRows<X>, E>);

    fn forward(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        (x, phase): (Batched<Along<A, N>, Tensor<X, E>>, P),
    ) -> (Self::Out, Self::Residuals) {
        let (axes, shape, input) = (x.axes(), x.shape(), (rows(x.into_stack()), phase));
        let (y, kept) = Trainable::<_, (NX, NP)>::forward(&self.of_rows(), params, state, scope, input);
        (Batched::new(axes, Stack::of(axes.count(), shape, y)), (axes, shape, kept))
    }

    fn backward(
        &self,
        params: &Self::Params,
        (axes, shape, kept): Self::Residuals,
        cotangent: Self::Out,
    ) -> (Self::Params, (NX::Of<Batched<Along<A, N>, Tensor<X, E>>>, NP::Of<P>)) {
        let (gradient, (dx, phase)) = Trainable::<(Tensor<AllRows<X>, E>, P), (NX, NP)>::backward(
            &self.of_rows(),
            params,
            kept,
            rows(cotangent.into_stack()),
        );
        let dx = NX::map(dx, |dx| Batched::new(axes, Stack::of(axes.count(), shape, dx)));
        (gradient, (dx, phase))
    }
}
