//! Uniform numbers in the shape of a tensor: `uniform_like(x, key)` is `jax.random.uniform(key, x.shape)`.
//!
//! They are constants: nothing of their derivative reaches `x`, whose values do not matter, nor the key.

use crate::op::{self, Differentiable, Need, No};
use crate::rng::Key;
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};

/// Uniform numbers from 0, included, to 1, not included.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: the output has the sizes of the first input; the second is the key.
    pub const fn shape([x, _]: [Sizes; 2]) -> Rule {
        Rule::Out(x)
    }
}

impl<S: Shape, E: Float> op::Op<(Tensor<S, E>, Key)> for Op {
    type Out = Tensor<S, E>;

    fn infer(&self, (x, key): (Tensor<S, E>, Key)) -> Tensor<S, E> {
        key.uniform(x.shape(), 0.0, 1.0)
    }
}

impl<S: Shape, E: Float, NX: Need> Differentiable<(Tensor<S, E>, Key), (NX, No)> for Op {
    type Residuals = S;

    fn forward(&self, (x, key): (Tensor<S, E>, Key)) -> (Tensor<S, E>, S) {
        let shape = x.shape();
        (key.uniform(shape, 0.0, 1.0), shape)
    }

    fn backward(&self, shape: S, _: Tensor<S, E>) -> (NX::Of<Tensor<S, E>>, ()) {
        (NX::when(|| Tensor::zeros(shape)), ())
    }
}

/// Uniform numbers from 0, included, to 1, not included, in the shape of `x`.
pub fn uniform_like<X>(x: X, key: Key) -> <Op as op::Op<(X, Key)>>::Out
where
    Op: op::Op<(X, Key)>,
{
    op::Op::infer(&Op, (x, key))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::op::Yes;
    use crate::ops::testing::{fits, random};
    use crate::prelude::*;

    #[test]
    fn the_numbers_are_those_of_the_key() {
        let x = random((Dyn(2), U3::default()), 1);
        let expected: Tensor<_, f64> = Key::new(4).uniform(x.shape(), 0.0, 1.0);
        assert_eq!(uniform_like(x.clone(), Key::new(4)), expected);
        let op = Op::new();
        let (y, residuals) = Differentiable::<_, (Yes, No)>::forward(&op, (x.clone(), Key::new(4)));
        let (dx, ()) =
            Differentiable::<(Tensor<_, f64>, Key), (Yes, No)>::backward(&op, residuals, y.clone());
        assert_eq!((y, dx), (expected, Tensor::zeros(x.shape())));
    }

    #[test]
    fn the_rule() {
        fits(Op::shape([Sizes::known(&[2, 3]), Sizes::known(&[])]), "[2, 3]");
    }
}
