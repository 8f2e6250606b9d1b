//! Maximum pooling with any window, strides and padding, as `nn.max_pool`:
//! `max_pool_with::<Window<3, 3>, Strides<2, 2>, Same>(x)`.
//!
//! Images are `[.., H, W, C]`. As in Flax the strides are 1 and the padding is [`Valid`] where nothing is said, and what does
//! not fill a window is dropped. Padding is never the maximum. The cotangent goes to the first of several equal maxima.

use super::pool::{self, OfMaxima};
use crate::backend::{self, Halving};
use crate::op::{self, Deferred, Differentiable, Handover, Now, Pooling, Yes};
use crate::shape::dim::Dim1;
use crate::shape::window::{ImagePadding, PerAxis, Pools, Valid};
use crate::shape::{Rule, Sizes};
use crate::tensor::{Float, Tensor, shape_by};
use std::marker::PhantomData;

/// The maximum of every window of `K` with strides `S` and padding `P`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<K, S = Dim1<1>, P = Valid>(PhantomData<(K, S, P)>);

impl<K: PerAxis, S: PerAxis, P: ImagePadding> Op<K, S, P> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: `[.., H, W, C]` gives `[.., H', W', C]`.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        pool::sliding("max_pool_with", pool::windows::<K, S, P>(), x)
    }
}

impl<X, E, K, S, P> op::Op<Tensor<X, E>> for Op<K, S, P>
where
    X: Pools<K, S, P>,
    E: Float,
    K: PerAxis,
    S: PerAxis,
    P: ImagePadding,
{
    type Out = Tensor<X::Out, E>;
    /// With a batch of images.
    const BY_EXAMPLE: bool = X::RANK > 3;
    const HANDOVER: Handover = pool::handover(pool::windows::<K, S, P>());

    fn infer(&self, x: Tensor<X, E>) -> Self::Out {
        self.pool(x)
    }

    fn infer_deferred<D: Deferred<Tensor<X, E>>>(
        &self,
        x: D,
    ) -> impl Deferred<Self::Out> + use<X, E, K, S, P, D> {
        Now(x.pool(self))
    }
}

impl<X, K, S, P> Pooling<X> for Op<K, S, P>
where
    X: Pools<K, S, P>,
    K: PerAxis,
    S: PerAxis,
    P: ImagePadding,
{
    type Out = X::Out;

    fn pool<E: Float>(&self, x: Tensor<X, E>) -> Tensor<X::Out, E> {
        let shape = shape_by(Self::shape, (x.shape(),));
        let geometry = pool::geometry(pool::windows::<K, S, P>(), x.shape(), shape);
        Tensor::written(shape, |y| backend::max_pool(&geometry, x.as_slice(), y))
    }

    fn halving(&self, x: X) -> Option<(Halving, X::Out)> {
        pool::halving(Halving::Maximum, pool::windows::<K, S, P>(), x, shape_by(Self::shape, (x,)))
    }
}

impl<X, E, K, S, P> Differentiable<Tensor<X, E>, Yes> for Op<K, S, P>
where
    X: Pools<K, S, P>,
    E: Float,
    K: PerAxis,
    S: PerAxis,
    P: ImagePadding,
{
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
    ) -> impl Deferred<Tensor<X, E>> + use<X, E, K, S, P, D> {
        OfMaxima { windows: pool::windows::<K, S, P>(), x, cotangent: cotangent.compute() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::op::Op as _;
    use crate::ops::testing::{fits, gradient, random, refused};
    use crate::prelude::*;
    use crate::shape::window::{Pad, Same, Strides, Window};

    #[test]
    fn values() {
        let x = Tensor::<(U2, U3, U1)>::of(&[-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]).unwrap();
        let y = Op::<Window<U2, U2>>::new().infer(x.clone());
        assert_eq!(y.as_slice(), [-1.0, -2.0]);
        let y = Op::<Window<U2, U2>, Strides<U2, U2>, Same>::new().infer(x);
        assert_eq!(y.as_slice(), [-1.0, -3.0]);
    }

    #[test]
    fn the_first_of_equal_maxima_gets_the_cotangent() {
        let (op, x) = (Op::<U2>::new(), Tensor::<(U2, U2, U1)>::of(&[0.0, 1.0, 1.0, 1.0]).unwrap());
        let (y, x) = op.forward(x);
        let dx = Differentiable::<Tensor<(U2, U2, U1)>, Yes>::backward(&op, x, y);
        assert_eq!(dx.as_slice(), [0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn gradients() {
        gradient(
            &Op::<Window<U3, U2>>::new(),
            random((Dyn(2), U4::default(), U3::default(), U2::default()), 1),
        );
        gradient(&Op::<Window<U3, U3>, Strides<U2, U2>, Same>::new(), random(<(U5, U4, U1)>::default(), 1));
        gradient(&Op::<U2, U3, (Pad<U1, U0>, Pad<U0, U1>)>::new(), random(<(U1, U5, U5, U2)>::default(), 1));
        gradient(&Op::<U2>::new(), random((Dyn(0), U5::default(), U5::default(), U2::default()), 1));
    }

    #[test]
    fn the_rule() {
        let x = Sizes::known(&[7, 27, 26, 32]);
        fits(Op::<U2, U2>::shape([x]), "[7, 13, 13, 32]");
        fits(Op::<U2, U2, Same>::shape([x]), "[7, 14, 13, 32]");
        refused(
            Op::<U2>::shape([Sizes::known(&[5])]),
            "max_pool_with: expects images [.., H, W, C], got [5]",
        );
    }
}
