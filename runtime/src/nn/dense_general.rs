//! The dense layer over several axes.

use super::{KernelBias, Layer, NoBias, UseBias, WithBias, projection};
use crate::batching::{AsLeadingAxis, Vmapped};
use crate::init::{Initializer, lecun_normal, zeros};
use crate::keyword::{self, Switch, With};
use crate::module::{Module, Trainable};
use crate::op::Need;
use crate::rng::Scope;
use crate::shape::dim::Dim1;
use crate::shape::trailing::{Join, SplitTrailing};
use crate::shape::{MAX_RANK, Message, Rule, Shape, Sizes, SplitLast, Static, StaticShape};
use crate::tensor::{Float, Tensor};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// A dense layer whose input features are the last axes and whose output features are several, as `nn.DenseGeneral`:
/// `DenseGeneral<(2, 3)>` turns `[.., I]` into `[.., 2, 3]`, and `DenseGeneral<4>` with `axes = 2` turns `[.., I, J]` into
/// `[.., 4]`.
///
/// | argument | keyword | default |
/// |---|---|---|
/// | `F` | | a dimension, or up to three |
/// | `A` | `axes = 2`: how many of the last axes the input features are, Flax's `axis=(-2, -1)` | 1 |
/// | `B` | `use_bias = false` | [`WithBias`] |
///
/// | parameter | shape | initialiser |
/// |---|---|---|
/// | `kernel` | `[I.., F..]` | [`lecun_normal`] of a matrix `[I, F]` |
/// | `bias` | `[F..]` | [`zeros`] |
///
/// ```
/// use flaxen::nn::DenseGeneral;
/// use flaxen::prelude::*;
///
/// let layer = DenseGeneral::<(U2, U3)>::new();
/// let x: Tensor![4, 10] = Tensor::full(Default::default(), 1.0);
/// let variables = layer.init(Key::new(0), &x);
/// assert_eq!(format!("{:?}", variables.params), "{kernel: (10, 2, 3), bias: (2, 3)}");
/// let y: Tensor![4, 2, 3] = layer.apply(&variables, x);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct DenseGeneral<F, A = Dim1<1>, B = WithBias> {
    kernel_init: Initializer,
    bias_init: Initializer,
    #[serde(skip)]
    arguments: PhantomData<(F, A, B)>,
}

/// The features of a layer: a dimension, or a tuple of up to three.
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not features",
    label = "write a number, `64`, or up to three, `(8, 64)`"
)]
pub trait Features: Clone + PartialEq + 'static {
    /// As a shape.
    type Shape: StaticShape;
}

impl<D: Static> Features for D {
    type Shape = (D,);
}

macro_rules! features {
    ($($($dim:ident)+;)+) => {$(
        impl<$($dim: Static),+> Features for ($($dim,)+) {
            type Shape = Self;
        }
    )+};
}

features! {
    C;
    C D;
    C D E;
}

impl<F: Features, A: Static, B: UseBias> DenseGeneral<F, A, B> {
    /// A layer with Flax's initialisers.
    pub const fn new() -> Self {
        DenseGeneral { kernel_init: lecun_normal(), bias_init: zeros(), arguments: PhantomData }
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

    /// The rule in numbers: the features in place of the last axes.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        if x.rank() < A::N {
            let message = Message::new("DenseGeneral: expects ").number(A::N);
            return Rule::Refused(message.text(" axes or more, got ").sizes(x));
        }
        if x.rank() - A::N + F::Shape::RANK > MAX_RANK {
            let message = Message::new("DenseGeneral: the features ").sizes(F::Shape::STATIC);
            return Rule::Refused(message.text(" are too many axes for ").sizes(x));
        }
        let (mut out, mut axis) = (x, 0);
        while axis < A::N {
            out = out.without(out.rank() - 1);
            axis += 1;
        }
        axis = 0;
        while axis < F::Shape::RANK {
            out = out.append(F::Shape::STATIC.at(axis));
            axis += 1;
        }
        Rule::Out(out)
    }
}

impl<F: Features, A: Static, B: UseBias> Default for DenseGeneral<F, A, B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F, A, B> Layer for DenseGeneral<F, A, B> {}

impl<F, A, B> Vmapped for DenseGeneral<F, A, B> {
    type Rule = AsLeadingAxis;
}

impl<F, A, B, V: Switch> With<keyword::use_bias, V> for DenseGeneral<F, A, B> {
    type Out = DenseGeneral<F, A, V::Choose<WithBias, NoBias>>;
}

impl<F, A, B, V> With<keyword::axes, V> for DenseGeneral<F, A, B> {
    type Out = DenseGeneral<F, V, B>;
}

impl<S, E, F, A, B> Module<Tensor<S, E>> for DenseGeneral<F, A, B>
where
    S: SplitTrailing<A>,
    S::Leading: Join<F::Shape>,
    S::Trailing: Join<F::Shape, Out: SplitLast + StaticShape>,
    E: Float,
    F: Features,
    A: Static,
    B: UseBias,
{
    type Out = Tensor<<S::Leading as Join<F::Shape>>::Out, E>;
    type Params = KernelBias<<S::Trailing as Join<F::Shape>>::Out, E, B, F::Shape>;
    type State = ();
    type Updates = ();
    type Draws = ();

    fn init(&self, scope: &Scope) -> (Self::Params, ()) {
        (projection::init(scope, &self.kernel_init, &self.bias_init), ())
    }

    fn infer(&self, params: &Self::Params, (): &mut (), _: &Scope, x: Tensor<S, E>) -> Self::Out {
        projection::infer(params, x)
    }
}

impl<S, E, F, A, B, N> Trainable<Tensor<S, E>, N> for DenseGeneral<F, A, B>
where
    S: SplitTrailing<A>,
    S::Leading: Join<F::Shape>,
    S::Trailing: Join<F::Shape, Out: SplitLast + StaticShape>,
    E: Float,
    F: Features,
    A: Static,
    B: UseBias,
    N: Need,
{
    type Residuals = projection::Residuals<S, E, N>;

    fn forward(
        &self,
        params: &Self::Params,
        (): &mut (),
        _: &Scope,
        x: Tensor<S, E>,
    ) -> (Self::Out, Self::Residuals) {
        projection::forward(params, x)
    }

    fn backward(
        &self,
        params: &Self::Params,
        residuals: Self::Residuals,
        cotangent: Self::Out,
    ) -> (Self::Params, N::Of<Tensor<S, E>>) {
        projection::backward(params, residuals, cotangent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{fits, refused};
    use crate::prelude::*;

    #[test]
    fn the_rule() {
        fits(DenseGeneral::<(U2, U3)>::shape([<(Dyn, U5)>::STATIC]), "[?, 2, 3]");
        fits(DenseGeneral::<U4, U2>::shape([<(Dyn, U3, U5)>::STATIC]), "[?, 4]");
        let message = "DenseGeneral: expects 2 axes or more, got [3]";
        refused(DenseGeneral::<U4, U2>::shape([Sizes::known(&[3])]), message);
        let message = "DenseGeneral: the features [2, 3] are too many axes for [1, 1, 1, 1, 1, 1]";
        refused(DenseGeneral::<(U2, U3)>::shape([Sizes::known(&[1; 6])]), message);
    }
}
