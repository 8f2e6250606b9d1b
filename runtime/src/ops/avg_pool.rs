//! Average pooling with windows that lie side by side: `avg_pool::<2, 2>(x)`, as `nn.avg_pool(x, (2, 2), strides=(2, 2))`.
//!
//! Images are `[.., H, W, C]`. The windows must cover the image: sizes that they do not divide are refused, where Flax would
//! drop the rest. [`avg_pool_with`](super::avg_pool_with) has strides and padding of their own.

use super::pool::{self, OfAverages};
use crate::backend::{self, Divisor, Halving};
use crate::op::{self, Deferred, Differentiable, Handover, Now, Pooling, Yes};
use crate::shape::decimal::Number;
use crate::shape::window::Tiles;
use crate::shape::{Rule, Sizes};
use crate::tensor::{Float, Tensor, shape_by};
use std::marker::PhantomData;

/// The average of every window of `H` by `W`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<H, W>(PhantomData<(H, W)>);

impl<H: Number, W: Number> Op<H, W> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: `[.., H, W, C]` gives `[.., H / h, W / w, C]`.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        pool::tiling("avg_pool", pool::tiles::<H, W>(), x)
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
        Tensor::written(shape, |y| backend::avg_pool(&geometry, Divisor::Window, x.as_slice(), y))
    }

    fn halving(&self, x: X) -> Option<(Halving, X::Out)> {
        pool::halving(Halving::Average, pool::tiles::<H, W>(), x, shape_by(Self::shape, (x,)))
    }
}

impl<X: Tiles<H, W>, E: Float, H: Number, W: Number> Differentiable<Tensor<X, E>, Yes> for Op<H, W> {
    /// The shape of the input.
    type Residuals = X;

    fn forward(&self, x: Tensor<X, E>) -> (Self::Out, X) {
        let shape = x.shape();
        (op::Op::infer(self, x), shape)
    }

    fn backward(&self, x: X, cotangent: Self::Out) -> Tensor<X, E> {
        Differentiable::<_, Yes>::backward_deferred(self, x, Now(cotangent)).compute()
    }

    fn backward_deferred<D: Deferred<Self::Out>>(
        &self,
        x: X,
        cotangent: D,
    ) -> impl Deferred<Tensor<X, E>> + use<X, E, H, W, D> {
        let windows = pool::tiles::<H, W>();
        OfAverages { windows, divisor: Divisor::Window, x, cotangent: cotangent.compute() }
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
        let x = Tensor::<(U1, U2, U4, U1)>::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).unwrap();
        assert_eq!(Op::<U2, U2>::new().infer(x.clone()).as_slice(), [3.5, 5.5]);
        assert_eq!(Op::<U1, U4>::new().infer(x).as_slice(), [2.5, 6.5]);
    }

    #[test]
    fn gradients() {
        gradient(&Op::<U2, U3>::new(), random((Dyn(2), U4::default(), Dyn(3), U2::default()), 1));
        gradient(&Op::<U1, U1>::new(), random(<(U1, U1, U1)>::default(), 1));
        gradient(&Op::<U2, U2>::new(), random((Dyn(0), U4::default(), U4::default(), U2::default()), 1));
    }

    #[test]
    fn the_rule() {
        let x = Sizes::new(&[Size::Named("B"), Size::Known(27), Size::Known(26), Size::Known(32)]);
        fits(Op::<U3, U2>::shape([x]), "[B, 9, 13, 32]");
        refused(
            Op::<U2, U2>::shape([x]),
            "avg_pool: a window of 2x2 does not divide [B, 27, 26, 32]; `avg_pool_with` can drop the rest, or pad",
        );
        refused(
            Op::<U2, U2>::shape([Sizes::known(&[4, 4])]),
            "avg_pool: expects images [.., H, W, C], got [4, 4]",
        );
    }

    #[test]
    #[should_panic = "avg_pool: a window of 2x2 does not divide [1, 5, 4, 1]"]
    fn sizes_that_only_the_program_knows_are_checked() {
        Op::<U2, U2>::new().infer(random((Dyn(1), Dyn(5), Dyn(4), U1::default()), 1));
    }
}
