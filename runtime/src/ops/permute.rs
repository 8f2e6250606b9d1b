//! The axes in another order, as `jnp.transpose(x, axes)`: `permute::<1, 0, 2>(x)`, for two to four axes. Axis `i` of the
//! result is the axis of `x` that comes at place `i`.

use crate::backend::copy;
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::permute::{Axes, Permute, permuted};
use crate::shape::{MAX_RANK, Rule, Shape, Sizes, Static};
use crate::tensor::{Element, Float, Tensor, shape_of};
use std::marker::PhantomData;

/// The axes in the order `I`, `J`, `K`, `L`, of which the last two may be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<I, J, K = (), L = ()>(PhantomData<(I, J, K, L)>);

impl<I, J, K, L> Op<I, J, K, L>
where
    Self: Order,
{
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: the sizes in the new order.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        permuted("permute", x, <Self as Order>::Axes::NUMBERS)
    }
}

/// The axes that the parameters of [`Op`] list.
pub trait Order {
    /// A tuple of as many axes as are given.
    type Axes: Axes;
}

impl<I: Static, J: Static> Order for Op<I, J> {
    type Axes = (I, J);
}

impl<I: Static, J: Static, K: Static> Order for Op<I, J, K> {
    type Axes = (I, J, K);
}

impl<I: Static, J: Static, K: Static, L: Static> Order for Op<I, J, K, L> {
    type Axes = (I, J, K, L);
}

impl<I, J, K, L, S, E: Element> op::Op<Tensor<S, E>> for Op<I, J, K, L>
where
    Self: Order,
    S: Permute<<Self as Order>::Axes>,
{
    type Out = Tensor<S::Out, E>;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        const { permuted("permute", S::STATIC, <Self as Order>::Axes::NUMBERS).speak() };
        reordered(x, <Self as Order>::Axes::NUMBERS)
    }
}

impl<I, J, K, L, S, E: Float> Differentiable<Tensor<S, E>, Yes> for Op<I, J, K, L>
where
    Self: Order,
    S: Permute<<Self as Order>::Axes>,
{
    type Residuals = ();

    fn forward(&self, x: Tensor<S, E>) -> (Self::Out, ()) {
        (self.infer(x), ())
    }

    fn backward(&self, (): (), cotangent: Self::Out) -> Tensor<S, E> {
        let axes = <Self as Order>::Axes::NUMBERS;
        let mut back = [0; MAX_RANK];
        axes.iter().enumerate().for_each(|(place, &axis)| back[axis] = place);
        reordered(cotangent, &back[..axes.len()])
    }
}

fn reordered<S: Shape, T: Shape, E: Element>(x: Tensor<S, E>, axes: &[usize]) -> Tensor<T, E> {
    let sizes = x.sizes();
    let mut out_sizes = [0; MAX_RANK];
    axes.iter().zip(&mut out_sizes).for_each(|(&axis, size)| *size = sizes.as_ref()[axis]);
    Tensor::written(shape_of(&out_sizes[..axes.len()]), |out| {
        copy::permute(x.as_slice(), sizes.as_ref(), axes, out);
    })
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient, random, refused};
    use crate::prelude::*;

    #[test]
    fn values() {
        let x = Tensor::<(U1, U2, U3), i32>::of(&[1, 2, 3, 4, 5, 6]).unwrap();
        let y: Tensor<(U2, U3, U1), i32> = Op::<U1, U2, U0>::new().infer(x.clone());
        assert_eq!(y.as_slice(), [1, 2, 3, 4, 5, 6]);
        let y: Tensor<(U3, U1, U2), i32> = Op::<U2, U0, U1>::new().infer(x);
        assert_eq!(y.as_slice(), [1, 4, 2, 5, 3, 6]);
    }

    #[test]
    fn gradients() {
        gradient(&Op::<U1, U0>::new(), random((Dyn(3), U2::default()), 1));
        gradient(&Op::<U2, U0, U1>::new(), random((Dyn(3), U2::default(), U4::default()), 1));
        gradient(
            &Op::<U0, U2, U3, U1>::new(),
            random((Dyn(2), U2::default(), U1::default(), U3::default()), 1),
        );
        gradient(&Op::<U1, U0>::new(), random((Dyn(0), U2::default()), 1));
    }

    #[test]
    fn orders_that_are_none_are_refused() {
        fits(Op::<U1, U0>::shape([Sizes::known(&[2, 3])]), "[3, 2]");
        refused(Op::<U1, U1>::shape([Sizes::known(&[2, 3])]), "permute: the axis 1 is given twice");
        refused(Op::<U0, U1>::shape([Sizes::known(&[2])]), "permute: 2 axes are given, [2] has 1");
        let message = "permute: there is no axis 2 in [2, 3]; axes count from 0";
        refused(Op::<U0, U2>::shape([Sizes::known(&[2, 3])]), message);
    }
}
