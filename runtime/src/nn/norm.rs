//! Normalisation layers whose statistics are those of each sample.

use super::{Layer, NoBias, NoScale, ScaleBias, UseBias, UseScale, WithBias, WithScale};
use crate::batching::{AsLeadingAxis, OneByOne, Vmapped};
use crate::init::{Initializer, ones, zeros};
use crate::keyword::{self, Switch, True, With};
use crate::module::{Module, Trainable};
use crate::op::{Differentiable, Need, Op as _, Yes};
use crate::ops::normalize::{self, Moments};
use crate::rng::Scope;
use crate::shape::dim::{Dim1, Dim2};
use crate::shape::divide::Divided;
use crate::shape::trailing::SplitTrailing;
use crate::shape::{Message, Rule, Shape, Sizes, SplitLast, Static, StaticShape};
use crate::tensor::{Float, Tensor};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// Layer normalisation (Ba, Kiros and Hinton 2016), as `nn.LayerNorm`: every row of features less its mean, divided by its
/// standard deviation. See [`Norm`] for the arguments and parameters.
///
/// `feature_axes = 2` takes the last two axes together, as `reduction_axes=(-2, -1), feature_axes=(-2, -1)` does.
///
/// ```
/// use flaxen::prelude::*;
///
/// #[module]
/// struct Block;
///
/// #[module]
/// impl Block {
///     fn call<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 4] {
///         compact!(LayerNorm, epsilon = 1e-5, use_bias = false)(x)
///     }
/// }
///
/// let variables = Block::new().init(Key::new(0));
/// assert_eq!(format!("{:?}", variables.params), "{LayerNorm_0: {scale: (4,)}}");
/// let y = Block::new().apply(&variables, Tensor::<(U1, U4)>::of(&[1.0, 1.0, 3.0, 3.0])?);
/// assert!((y.as_slice()[3] - 1.0).abs() < 1e-5);
/// # Ok::<(), flaxen::Error>(())
/// ```
pub type LayerNorm<A = WithScale, B = WithBias, N = Dim1<1>, V = True> = Norm<Rows<N>, A, B, V>;

/// Root mean square normalisation (Zhang and Sennrich 2019), as `nn.RMSNorm`: every row divided by the root of the mean of
/// its squares. There is no bias. See [`Norm`] for the arguments and parameters.
pub type RMSNorm<A = WithScale, N = Dim1<1>> = Norm<RootMeanSquare<N>, A, NoBias>;

/// Group normalisation (Wu and He 2018), as `nn.GroupNorm`: the features of `[B, .., C]` in `G` groups, each of which is
/// normalised over all places of a sample. See [`Norm`] for the arguments and parameters.
pub type GroupNorm<G = Dim2<3, 2>, A = WithScale, B = WithBias, V = True> = Norm<Groups<G>, A, B, V>;

/// Instance normalisation (Ulyanov and others 2016), as `nn.InstanceNorm`: every feature of `[B, .., C]` is normalised over
/// all places of a sample. See [`Norm`] for the arguments and parameters.
pub type InstanceNorm<A = WithScale, B = WithBias, V = True> = Norm<Instances, A, B, V>;

/// What is normalised: [`Rows`], [`RootMeanSquare`], [`Groups`] or [`Instances`].
pub trait Kind: Clone + PartialEq + 'static {
    /// What the layer is called.
    const NAME: &'static str;
    /// Whether the mean is subtracted.
    const USE_MEAN: bool;
    /// The smallest number of axes of an input.
    const AXES: usize;
    /// The number of groups of the features, which it must divide.
    const GROUPS: usize;
}

/// A [`Kind`] of normalisation of tensors of shape `S`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not normalise a tensor of shape `{S}`",
    label = "there are too few axes, the number of features is not known, or the groups do not divide it"
)]
pub trait Normalizes<S: Shape>: Kind {
    /// The shape of scale and bias.
    type Features: StaticShape;

    /// The op.
    fn op(moments: Moments) -> normalize::Op<Self::Features>;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $(<$n:ident: $bound:ident>)?: $name:literal, $use_mean:literal, $axes:expr, $groups:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $kind$(<$n>(PhantomData<$n>))?;

        impl$(<$n: $bound>)? Kind for $kind$(<$n>)? {
            const NAME: &'static str = $name;
            const USE_MEAN: bool = $use_mean;
            const AXES: usize = $axes;
            const GROUPS: usize = $groups;
        }
    )+};
}

kinds! {
    /// Rows of the last `N` axes.
    Rows<N: Static>: "LayerNorm", true, N::N, 1;
    /// Rows of the last `N` axes, whose mean is taken to be 0.
    RootMeanSquare<N: Static>: "RMSNorm", false, N::N, 1;
    /// `G` groups of the features at all places of a sample.
    Groups<G: Static>: "GroupNorm", true, 2, G::N;
    /// Each feature at all places of a sample.
    Instances: "InstanceNorm", true, 2, 1;
}

impl<S, N> Normalizes<S> for Rows<N>
where
    S: SplitTrailing<N>,
    S::Trailing: StaticShape,
    N: Static,
{
    type Features = S::Trailing;

    fn op(moments: Moments) -> normalize::Op<S::Trailing> {
        normalize::Op::rows(moments)
    }
}

impl<S, N> Normalizes<S> for RootMeanSquare<N>
where
    S: SplitTrailing<N>,
    S::Trailing: StaticShape,
    N: Static,
{
    type Features = S::Trailing;

    fn op(moments: Moments) -> normalize::Op<S::Trailing> {
        normalize::Op::rows(moments)
    }
}

impl<S, G> Normalizes<S> for Groups<G>
where
    S: SplitLast + SplitTrailing<Dim1<2>>,
    S::Last: Static + Divided<G>,
    G: Static,
{
    type Features = (S::Last,);

    fn op(moments: Moments) -> normalize::Op<(S::Last,)> {
        normalize::Op::groups(moments, G::N)
    }
}

impl<S> Normalizes<S> for Instances
where
    S: SplitLast + SplitTrailing<Dim1<2>>,
    S::Last: Static,
{
    type Features = (S::Last,);

    fn op(moments: Moments) -> normalize::Op<(S::Last,)> {
        normalize::Op::groups(moments, <S::Last as Static>::N)
    }
}

/// What [`LayerNorm`], [`RMSNorm`], [`GroupNorm`] and [`InstanceNorm`] are: `y = (x - mean) / sqrt(variance + epsilon) ·
/// scale + bias`, with the statistics of the [`Kind`] `K`.
///
/// | argument | keyword | default |
/// |---|---|---|
/// | `A` | `use_scale = false` | [`WithScale`] |
/// | `B` | `use_bias = false` | [`WithBias`] |
/// | `V` | `use_fast_variance = false` | true: the variance is `E[x²] - E[x]²`, in one pass |
/// | | `epsilon = 1e-5` | 1e-6 |
/// | | `scale_init`, `bias_init` | [`ones`], [`zeros`] |
///
/// | parameter | shape | initialiser |
/// |---|---|---|
/// | `scale` | the features' | [`ones`] |
/// | `bias` | the features' | [`zeros`] |
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Norm<K, A = WithScale, B = WithBias, V = True> {
    epsilon: f64,
    scale_init: Initializer,
    bias_init: Initializer,
    #[serde(skip)]
    arguments: PhantomData<(K, A, B, V)>,
}

impl<K: Kind, A: UseScale, B: UseBias, V: Switch> Norm<K, A, B, V> {
    /// A layer with Flax's defaults.
    pub const fn new() -> Self {
        Norm { epsilon: 1e-6, scale_init: ones(), bias_init: zeros(), arguments: PhantomData }
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

    /// The rule in numbers: the output has the input's sizes.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        if x.rank() < K::AXES {
            let message = Message::new(K::NAME).text(": expects ").number(K::AXES);
            return Rule::Refused(message.text(" axes or more, got ").sizes(x));
        }
        if let Some(features) = x.from_end(0).known()
            && !features.is_multiple_of(K::GROUPS)
        {
            let message =
                Message::new(K::NAME).text(": ").number(K::GROUPS).text(" groups do not divide the ");
            return Rule::Refused(message.number(features).text(" features of ").sizes(x));
        }
        Rule::Out(x)
    }

    fn moments(&self) -> Moments {
        Moments { use_mean: K::USE_MEAN, use_fast_variance: V::ON, epsilon: self.epsilon }
    }
}

impl<K, A, B, V> Layer for Norm<K, A, B, V> {}

impl<N, A, B, V> Vmapped for Norm<Rows<N>, A, B, V> {
    type Rule = AsLeadingAxis;
}

impl<N, A, B, V> Vmapped for Norm<RootMeanSquare<N>, A, B, V> {
    type Rule = AsLeadingAxis;
}

impl<G, A, B, V> Vmapped for Norm<Groups<G>, A, B, V> {
    type Rule = OneByOne;
}

impl<A, B, V> Vmapped for Norm<Instances, A, B, V> {
    type Rule = OneByOne;
}

impl<K: Kind, A: UseScale, B: UseBias, V: Switch> Default for Norm<K, A, B, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, A, B, V, W: Switch> With<keyword::use_scale, W> for Norm<K, A, B, V> {
    type Out = Norm<K, W::Choose<WithScale, NoScale>, B, V>;
}

impl<K, A, B, V, W: Switch> With<keyword::use_bias, W> for Norm<K, A, B, V> {
    type Out = Norm<K, A, W::Choose<WithBias, NoBias>, V>;
}

impl<K, A, B, V, W: Switch> With<keyword::use_fast_variance, W> for Norm<K, A, B, V> {
    type Out = Norm<K, A, B, W>;
}

impl<N, A, B, V, W> With<keyword::feature_axes, W> for Norm<Rows<N>, A, B, V> {
    type Out = Norm<Rows<W>, A, B, V>;
}

impl<N, A, B, V, W> With<keyword::feature_axes, W> for Norm<RootMeanSquare<N>, A, B, V> {
    type Out = Norm<RootMeanSquare<W>, A, B, V>;
}

impl<S, E, K, A, B, V> Module<Tensor<S, E>> for Norm<K, A, B, V>
where
    S: Shape,
    E: Float,
    K: Normalizes<S>,
    A: UseScale,
    B: UseBias,
    V: Switch,
{
    type Out = Tensor<S, E>;
    type Params = ScaleBias<K::Features, E, A, B>;
    type State = ();
    type Updates = ();
    type Draws = ();

    fn init(&self, scope: &Scope) -> (Self::Params, ()) {
        (ScaleBias::init(scope, &self.scale_init, &self.bias_init), ())
    }

    fn infer(&self, params: &Self::Params, (): &mut (), _: &Scope, x: Tensor<S, E>) -> Tensor<S, E> {
        K::op(self.moments()).infer((x, params.scale.clone(), params.bias.clone()))
    }
}

impl<S, E, K, A, B, V, N> Trainable<Tensor<S, E>, N> for Norm<K, A, B, V>
where
    S: Shape,
    E: Float,
    K: Normalizes<S>,
    A: UseScale,
    B: UseBias,
    V: Switch,
    N: Need,
{
    type Residuals = normalize::Residuals<S, E, A::Of<K::Features, E>>;

    fn forward(
        &self,
        params: &Self::Params,
        (): &mut (),
        _: &Scope,
        x: Tensor<S, E>,
    ) -> (Tensor<S, E>, Self::Residuals) {
        let op = K::op(self.moments());
        Differentiable::<_, (N, Yes, Yes)>::forward(&op, (x, params.scale.clone(), params.bias.clone()))
    }

    fn backward(
        &self,
        _: &Self::Params,
        residuals: Self::Residuals,
        cotangent: Tensor<S, E>,
    ) -> (Self::Params, N::Of<Tensor<S, E>>) {
        let op = K::op(self.moments());
        type Inputs<S, E, F, A, B> = (Tensor<S, E>, <A as UseScale>::Of<F, E>, <B as UseBias>::Of<F, E>);
        let (dx, scale, bias) = Differentiable::<Inputs<S, E, K::Features, A, B>, (N, Yes, Yes)>::backward(
            &op, residuals, cotangent,
        );
        (ScaleBias { scale, bias }, dx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{fits, refused};
    use crate::prelude::*;

    #[test]
    fn the_rule() {
        fits(LayerNorm::<WithScale>::shape([<(Dyn, U3)>::STATIC]), "[?, 3]");
        refused(
            LayerNorm::<WithScale>::shape([Sizes::known(&[])]),
            "LayerNorm: expects 1 axes or more, got []",
        );
        fits(GroupNorm::<U2>::shape([<(Dyn, U8, U4)>::STATIC]), "[?, 8, 4]");
        let message = "GroupNorm: 2 groups do not divide the 3 features of [5, 3]";
        refused(GroupNorm::<U2>::shape([Sizes::known(&[5, 3])]), message);
        refused(<InstanceNorm>::shape([Sizes::known(&[3])]), "InstanceNorm: expects 2 axes or more, got [3]");
    }

    #[test]
    fn keywords_set_the_type() {
        type Axes = <LayerNorm as With<keyword::feature_axes, U2>>::Out;
        type Bare = <<Axes as With<keyword::use_bias, keyword::False>>::Out as With<
            keyword::use_scale,
            keyword::False,
        >>::Out;
        let layer: LayerNorm<NoScale, NoBias, U2> = Bare::new();
        let (params, ()) = Module::<Tensor![2, 3, 4]>::init(&layer, &Scope::root(Key::new(0)));
        assert_eq!(format!("{params:?}"), "{}");
        let (params, ()) = Module::<Tensor![2, 3, 4]>::init(&Axes::new(), &Scope::root(Key::new(0)));
        assert_eq!(format!("{params:?}"), "{scale: (3, 4), bias: (3, 4)}");
    }
}
