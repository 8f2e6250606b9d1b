//! All axes but the first as one: `[B, 7, 7, 64]` becomes `[B, 3136]`, as `x.reshape((x.shape[0], -1))` in Flax's
//! tutorials. Nothing is copied.

use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::reshape::{Flatten, flattened};
use crate::shape::{Rule, Sizes};
use crate::tensor::{Element, Float, Tensor};

/// All axes but the first as one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: the product of all sizes but the first.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        flattened(x)
    }
}

impl<S: Flatten, E: Element> op::Op<Tensor<S, E>> for Op {
    type Out = Tensor<S::Out, E>;
    const BY_EXAMPLE: bool = true;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        let sizes = x.sizes();
        let (&first, rest) = sizes.as_ref().split_first().unwrap_or((&1, &[]));
        x.reshaped(&[first, rest.iter().product()])
    }
}

impl<S: Flatten, E: Float> Differentiable<Tensor<S, E>, Yes> for Op {
    type Residuals = S;

    fn forward(&self, x: Tensor<S, E>) -> (Self::Out, S) {
        let shape = x.shape();
        (self.infer(x), shape)
    }

    fn backward(&self, shape: S, cotangent: Self::Out) -> Tensor<S, E> {
        cotangent.reshaped(shape.sizes().as_ref())
    }
}

/// All axes but the first as one.
pub fn flatten<X>(x: X) -> <Op as op::Op<X>>::Out
where
    Op: op::Op<X>,
{
    Op.infer(x)
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient, random, refused};
    use crate::prelude::*;
    use crate::shape::Size;

    #[test]
    fn shapes() {
        let x: Tensor![Dyn, 3136] = flatten(Tensor::<(Dyn, U7, U7, U64)>::zeros((
            Dyn(2),
            U7::default(),
            U7::default(),
            U64::default(),
        )));
        assert_eq!(x.sizes(), [2, 3136]);
        let x: Tensor<(U5, U1)> = flatten(Tensor::<(U5,)>::zeros(Default::default()));
        assert_eq!(x.sizes(), [5, 1]);
        assert_eq!(flatten(random((U2::default(), Dyn(3), U2::default()), 1)).sizes(), [2, 6]);
    }

    #[test]
    fn gradients() {
        gradient(&Op, random((Dyn(2), U3::default(), U1::default(), U2::default()), 1));
    }

    #[test]
    fn sizes() {
        let images = Sizes::new(&[Size::Named("B"), Size::Known(7), Size::Known(7), Size::Known(64)]);
        fits(Op::shape([images]), "[B, 3136]");
        fits(Op::shape([Sizes::new(&[Size::Known(2), Size::Named("F")])]), "[2, F]");
        refused(Op::shape([Sizes::known(&[])]), "flatten: a scalar has no first axis");
    }
}
