//! The dense layer.

use super::{KernelBias, Layer, UseBias, WithBias};
use crate::batching::{AsLeadingAxis, Vmapped};
use crate::init::{Initializer, lecun_normal, zeros};
use crate::keyword::{self, Switch, With};
use crate::module::{Module, Trainable};
use crate::op::{Deferred, Differentiable, Need, Now, Op as _, Yes};
use crate::ops::PerFeature as _;
use crate::ops::linear::{self, linear_with};
use crate::rng::Scope;
use crate::shape::{Message, Rule, Sizes, SplitLast, Static};
use crate::tensor::{Float, Tensor};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// `y = x · kernel + bias` with `F` output features, as `nn.Dense`: `[.., I]` gives `[.., F]`.
///
/// | parameter | shape | initialiser |
/// |---|---|---|
/// | `kernel` | `[I, F]` | [`lecun_normal`] |
/// | `bias` | `[F]` | [`zeros`] |
///
/// Without a bias, `use_bias = false`, it is `Dense<F, NoBias>`.
///
/// ```
/// use flaxen::module::Module;
/// use flaxen::nn::Dense;
/// use flaxen::prelude::*;
/// use flaxen::rng::Scope;
///
/// let layer = Dense::<U5>::new();
/// let x: Tensor![4, 10] = Tensor::full(Default::default(), 1.0);
/// let (params, ()) = Module::<Tensor![4, 10]>::init(&layer, &Scope::root(Key::new(0)));
/// assert_eq!(format!("{params:?}"), "{kernel: (10, 5), bias: (5,)}");
/// let y: Tensor![4, 5] = layer.infer(&params, &mut (), &Scope::without_streams(), x);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Dense<F, B = WithBias> {
    kernel_init: Initializer,
    bias_init: Initializer,
    #[serde(skip)]
    arguments: PhantomData<(F, B)>,
}

/// The parameters of [`Dense`] for `I` inputs: `kernel` `[I, F]` and `bias` `[F]`.
pub type DenseParams<I, F, E = f32, B = WithBias> = KernelBias<(I, F), E, B>;

impl<F: Static, B: UseBias> Dense<F, B> {
    /// A layer with Flax's initialisers.
    pub const fn new() -> Self {
        Dense { kernel_init: lecun_normal(), bias_init: zeros(), arguments: PhantomData }
    }

    /// The layer with another initialiser of the kernel.
    pub const fn kernel_init(mut self, kernel_init: Initializer) -> Self {
        self.kernel_init = kernel_init;
        self
    }

    /// The layer with another initialiser of the bias.
    pub const fn bias_init(mut self, bias_init: Initializer) -> Self {
        self.bias_init = bias_init;
        self
    }

    /// The rule in numbers: `[.., I]` gives `[.., F]`.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        if x.rank() == 0 {
            return Rule::Refused(Message::new("Dense: expects [.., features], got a scalar"));
        }
        Rule::Out(x.with(x.rank() - 1, F::SIZE))
    }
}

impl<F, B> Layer for Dense<F, B> {}

impl<F, B> Vmapped for Dense<F, B> {
    type Rule = AsLeadingAxis;
}

impl<F: Static, B: UseBias> Default for Dense<F, B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F, B, V: Switch> With<keyword::use_bias, V> for Dense<F, B> {
    type Out = Dense<F, V::Choose<WithBias, super::NoBias>>;
}

impl<S, E, F, B> Module<Tensor<S, E>> for Dense<F, B>
where
    S: SplitLast,
    S::Last: Static,
    E: Float,
    F: Static,
    B: UseBias,
{
    type Out = Tensor<S::WithLast<F>, E>;
    type Params = DenseParams<S::Last, F, E, B>;
    type State = ();
    type Updates = ();
    type Draws = ();
    const EXAMPLE_BYTES: Option<usize> = if S::RANK > 1 { Some(0) } else { None };

    fn init(&self, scope: &Scope) -> (Self::Params, ()) {
        (KernelBias::init(scope, &self.kernel_init, &self.bias_init), ())
    }

    fn infer(&self, params: &Self::Params, (): &mut (), _: &Scope, x: Tensor<S, E>) -> Self::Out {
        linear_with(&x, &params.kernel, params.bias.epilogue())
    }

    fn infer_deferred(
        &self,
        params: &Self::Params,
        (): &mut (),
        _: &Scope,
        x: Tensor<S, E>,
    ) -> impl Deferred<Self::Out> + use<S, E, F, B> {
        linear::Op.infer_deferred(Now((x, params.kernel.clone(), params.bias.clone())))
    }
}

impl<S, E, F, B, N> Trainable<Tensor<S, E>, N> for Dense<F, B>
where
    S: SplitLast,
    S::Last: Static,
    E: Float,
    F: Static,
    B: UseBias,
    N: Need,
{
    type Residuals = linear::Residuals<S, (S::Last, F), E, N, Yes>;

    fn forward(
        &self,
        params: &Self::Params,
        (): &mut (),
        _: &Scope,
        x: Tensor<S, E>,
    ) -> (Self::Out, Self::Residuals) {
        let y = linear_with(&x, &params.kernel, params.bias.epilogue());
        (y, linear::Residuals::of(x, &params.kernel))
    }

    fn forward_deferred(
        &self,
        params: &Self::Params,
        (): &mut (),
        _: &Scope,
        x: Tensor<S, E>,
    ) -> (impl Deferred<Self::Out> + use<S, E, F, B, N>, Self::Residuals) {
        let input = (x, params.kernel.clone(), params.bias.clone());
        Differentiable::<_, (N, Yes, Yes)>::forward_deferred(&linear::Op, Now(input))
    }

    fn backward(
        &self,
        _: &Self::Params,
        residuals: Self::Residuals,
        cotangent: Self::Out,
    ) -> (Self::Params, N::Of<Tensor<S, E>>) {
        let (dx, kernel, bias) = Differentiable::<(_, _, B::Of<(F,), E>), (N, Yes, Yes)>::backward(
            &linear::Op,
            residuals,
            cotangent,
        );
        (KernelBias { kernel, bias }, dx)
    }
}
