//! Maximum pooling with windows that lie side by side: `max_pool::<2, 2>(x)`, as `nn.max_pool(x, (2, 2), strides=(2, 2))`.
//!
//! Images are `[.., H, W, C]`. The windows must cover the image: sizes that they do not divide are refused, where Flax would
//! drop the rest. [`max_pool_with`](super::max_pool_with) has strides and padding of their own. The cotangent goes to the
//! first of several equal maxima.

use super::pool::{self, OfMaxima};
use crate::backend::{self, Halving};
use crate::op::{self, Deferred, Differentiable, Handover, Now, Pooling, Yes};
use crate::shape::decimal::Number;
use crate::shape::window::Tiles;
use crate::shape::{Rule, Sizes};
use crate::tensor::{Float, Tensor, shape_by};
use std::marker::PhantomData;

/// The maximum of every window of `H` by `W`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<H, W>(PhantomData<(H, W)>);

impl<H: Number, W: Number> Op<H, W> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: `[.., H, W, C]` gives `[.., H / h, W / w, C]`.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        pool::tiling("max_pool", pool::tiles::<H, W>(), x)
    }
}

impl<X: Tiles<H, W>, E: Float, H: Number, W: Number> op::Op<Tensor<X, E>> for Op<H, W> {
    type Out = Tensor<X::Out, E>;
    /// With a batch of images.
    const BY_EXAMPLE: bool = X::RANK > 3;
    const HANDOVER: Handover = pool::handover(pool::tiles::<H, W>());

    fn infer(&self, x: Tensor<X, E>) -> Self::Out {
        self.pool(x)
    }

    fn infer_deferred<D: Deferred<Tensor<X, E>>>(
        &self,
        x: D,
    ) -> impl Deferred<Self::Out> + use<X, E, H, W, D> {
        Now(x.pool(self))
    }
}

impl<X: Tiles<H, W>, H: Number, W: Number> Pooling<X> for Op<H, W> {
    type Out = X::Out;

    fn pool<E: Float>(&self, x: Tensor<X, E>) -> Tensor<X::Out, E> {
        let shape = shape_by(Self::shape, (x.shape(),));
        let geometry = pool::geometry(pool::tiles::<H, W>(), x.shape(), shape);
        Tensor::written(shape, |y| backend::max_pool(&geometry, x.as_slice(), y))
    }

    fn halving(&self, x: X) -> Option<(Halving, X::Out)> {
        pool::halving(Halving::Maximum, pool::tiles::<H, W>(), x, shape_by(Self::shape, (x,)))
    }
}

impl<X: Tiles<H, W>, E: Float, H: Number, W: Number> Differentiable<Tensor<X, E>, Yes> for Op<H, W> {
    /// The input.
    type Residuals = Tensor<X, E>;

    fn forward(&self, x: Tensor<X, E>) -> (Self::Out, Tensor<X, E>) {
        (op::Op::infer(self, x.clone()), x)
    }

    fn backward(&self, x: Tensor<X, E>, cotangent: Self::Out) -> Tensor<X, E> {
        Differentiable::<_, Yes>::backward_deferred(self, x, Now(cotangent)).compute()
    }

    fn backward_deferred<D: Deferred<Self::Out>>(
        &self,
        x: Tensor<X, E>,
        cotangent: D,
    ) -> impl Deferred<Tensor<X, E>> + use<X, E, H, W, D> {
        OfMaxima { windows: pool::tiles::<H, W>(), x, cotangent: cotangent.compute() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::op::Op as _;
    use crate::ops::testing::{fits, gradient, random, refused};
    use crate::prelude::*;
    use crate::shape::Size;

    #[test]
    fn values() {
        let x = Tensor::<(U1, U2, U4, U1)>::of(&[1.0, 2.0, 3.0, f32::NAN, 5.0, 6.0, 7.0, 8.0]).unwrap();
        let y = Op::<U2, U2>::new().infer(x);
        assert_eq!(y.as_slice()[0], 6.0);
        assert!(y.as_slice()[1].is_nan());
    }

    #[test]
    fn gradients() {
        gradient(&Op::<U2, U3>::new(), random((Dyn(2), U4::default(), Dyn(3), U2::default()), 1));
        gradient(&Op::<U1, U1>::new(), random(<(U1, U1, U1)>::default(), 1));
        gradient(&Op::<U2, U2>::new(), random((Dyn(0), U4::default(), U4::default(), U2::default()), 1));
    }

    #[test]
    fn the_rule() {
        let x = Sizes::new(&[Size::Named("B"), Size::Known(27), Size::Unknown, Size::Known(32)]);
        fits(Op::<U3, U2>::shape([x]), "[B, 9, ?, 32]");
        refused(
            Op::<U2, U2>::shape([x]),
            "max_pool: a window of 2x2 does not divide [B, 27, ?, 32]; `max_pool_with` can drop the rest, or pad",
        );
    }
}
