//! Average pooling with any window, strides and padding, as `nn.avg_pool`:
//! `avg_pool_with::<Window<3, 3>, Strides<2, 2>, Same>(x)`.
//!
//! Images are `[.., H, W, C]`. As in Flax the strides are 1 and the padding is [`Valid`] where nothing is said, and what does
//! not fill a window is dropped. Padding counts as zeros, unless [`ExcludePad`] is the last argument.

use super::pool::{self, OfAverages};
use crate::backend::{self, Divisor, Halving};
use crate::op::{self, Deferred, Differentiable, Handover, Now, Pooling, Yes};
use crate::shape::dim::Dim1;
use crate::shape::window::{ImagePadding, PerAxis, Pools, Valid};
use crate::shape::{Rule, Sizes};
use crate::tensor::{Float, Tensor, shape_by};
use std::marker::PhantomData;

/// The average is over the whole window, of which padding is a part: Flax's `count_include_pad=True`, its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IncludePad;

/// The average is over the part of the window that lies inside the image: Flax's `count_include_pad=False`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExcludePad;

/// What an average is divided by: [`IncludePad`] or [`ExcludePad`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what an average is divided by",
    label = "write `IncludePad` or `ExcludePad`"
)]
pub trait Count: 'static {
    /// In the words of the kernels.
    const DIVISOR: Divisor;
}

impl Count for IncludePad {
    const DIVISOR: Divisor = Divisor::Window;
}

impl Count for ExcludePad {
    const DIVISOR: Divisor = Divisor::Inside;
}

/// The average of every window of `K` with strides `S` and padding `P`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<K, S = Dim1<1>, P = Valid, C = IncludePad>(PhantomData<(K, S, P, C)>);

impl<K: PerAxis, S: PerAxis, P: ImagePadding, C: Count> Op<K, S, P, C> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: `[.., H, W, C]` gives `[.., H', W', C]`.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        pool::sliding("avg_pool_with", pool::windows::<K, S, P>(), x)
    }
}

impl<X, E, K, S, P, C> op::Op<Tensor<X, E>> for Op<K, S, P, C>
where
    X: Pools<K, S, P>,
    E: Float,
    K: PerAxis,
    S: PerAxis,
    P: ImagePadding,
    C: Count,
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
    ) -> impl Deferred<Self::Out> + use<X, E, K, S, P, C, D> {
        Now(x.pool(self))
    }
}

impl<X, K, S, P, C> Pooling<X> for Op<K, S, P, C>
where
    X: Pools<K, S, P>,
    K: PerAxis,
    S: PerAxis,
    P: ImagePadding,
    C: Count,
{
    type Out = X::Out;

    fn pool<E: Float>(&self, x: Tensor<X, E>) -> Tensor<X::Out, E> {
        let shape = shape_by(Self::shape, (x.shape(),));
        let geometry = pool::geometry(pool::windows::<K, S, P>(), x.shape(), shape);
        Tensor::written(shape, |y| backend::avg_pool(&geometry, C::DIVISOR, x.as_slice(), y))
    }

    fn halving(&self, x: X) -> Option<(Halving, X::Out)> {
        pool::halving(Halving::Average, pool::windows::<K, S, P>(), x, shape_by(Self::shape, (x,)))
    }
}

impl<X, E, K, S, P, C> Differentiable<Tensor<X, E>, Yes> for Op<K, S, P, C>
where
    X: Pools<K, S, P>,
    E: Float,
    K: PerAxis,
    S: PerAxis,
    P: ImagePadding,
    C: Count,
{
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
    ) -> impl Deferred<Tensor<X, E>> + use<X, E, K, S, P, C, D> {
        let windows = pool::windows::<K, S, P>();
        OfAverages { windows, divisor: C::DIVISOR, x, cotangent: cotangent.compute() }
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
        let x = Tensor::<(U2, U3, U1)>::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let y = Op::<Window<U2, U2>>::new().infer(x.clone());
        assert_eq!(y.as_slice(), [3.0, 4.0]);
        let y = Op::<Window<U2, U2>, Strides<U2, U2>, Same>::new().infer(x.clone());
        assert_eq!(y.as_slice(), [3.0, 2.25]);
        let y = Op::<Window<U2, U2>, Strides<U2, U2>, Same, ExcludePad>::new().infer(x);
        assert_eq!(y.as_slice(), [3.0, 4.5]);
    }

    #[test]
    fn gradients() {
        gradient(
            &Op::<Window<U3, U2>>::new(),
            random((Dyn(2), U4::default(), U3::default(), U2::default()), 1),
        );
        gradient(
            &Op::<Window<U3, U3>, Strides<U2, U2>, Same, ExcludePad>::new(),
            random(<(U5, U4, U1)>::default(), 1),
        );
        gradient(&Op::<U2, U3, (Pad<U1, U0>, Pad<U0, U1>)>::new(), random(<(U1, U5, U5, U2)>::default(), 1));
        gradient(&Op::<U2>::new(), random((Dyn(0), U5::default(), U5::default(), U2::default()), 1));
    }

    #[test]
    fn the_rule() {
        let x = Sizes::known(&[7, 27, 26, 32]);
        fits(Op::<U2, U2>::shape([x]), "[7, 13, 13, 32]");
        fits(Op::<U2, U2, Same>::shape([x]), "[7, 14, 13, 32]");
        refused(
            Op::<U30>::shape([x]),
            "avg_pool_with: no window of 30x30 fits [7, 27, 26, 32]; pad with `Same`, or take a smaller window",
        );
        refused(Op::<U2>::shape([Sizes::known(&[])]), "avg_pool_with: expects images [.., H, W, C], got []");
    }
}
