//! Batch normalisation.

use super::kernel_bias::shapes;
use super::{Layer, NoBias, NoScale, ScaleBias, UseBias, UseScale, WithBias, WithScale};
use crate::init::{Initializer, ones, zeros};
use crate::keyword::{self, Switch, True, With};
use crate::module::{BatchStats, Module, Phase, Stateless, Trainable};
use crate::op::Need;
use crate::ops::batch_norm::{self, Moments, normalize, normalize_pullback};
use crate::rng::Scope;
use crate::shape::{Dim, Message, Rule, Sizes, SplitLast, Static};
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit, Zip};
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
/// let layer = BatchNorm::new().momentum(0.9);
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
pub struct BatchNorm<S = WithScale, B = WithBias, V = True> {
    momentum: f64,
    epsilon: f64,
    scale_init: Initializer,
    bias_init: Initializer,
    #[serde(skip)]
    arguments: PhantomData<(S, B, V)>,
}

impl<S, B, V> BatchNorm<S, B, V> {
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

impl<S, B, V> Default for BatchNorm<S, B, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, B, V> Layer for BatchNorm<S, B, V> {}

impl<S, B, V, W: Switch> With<keyword::use_scale, W> for BatchNorm<S, B, V> {
    type Out = BatchNorm<W::Choose<WithScale, NoScale>, B, V>;
}

impl<S, B, V, W: Switch> With<keyword::use_bias, W> for BatchNorm<S, B, V> {
    type Out = BatchNorm<S, W::Choose<WithBias, NoBias>, V>;
}

impl<S, B, V, W: Switch> With<keyword::use_fast_variance, W> for BatchNorm<S, B, V> {
    type Out = BatchNorm<S, B, W>;
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
    fn visit(&self, path: &Path, visitor: &mut impl Visit) {
        self.mean.visit(&path.variable::<BatchStats>("mean"), visitor);
        self.var.visit(&path.variable::<BatchStats>("var"), visitor);
    }

    fn zip<const N: usize>(&mut self, mut others: [&mut Self; N], path: &Path, zip: &mut impl Zip<N>) {
        let means = others.each_mut().map(|other| &mut other.mean);
        self.mean.zip(means, &path.variable::<BatchStats>("mean"), zip);
        let vars = others.map(|other| &mut other.var);
        self.var.zip(vars, &path.variable::<BatchStats>("var"), zip);
    }
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
