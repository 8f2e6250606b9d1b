//! The smallest of all elements, as `jnp.min`. NaN wins, and equals share the cotangent.

use super::extremum::{self, Smallest};
use super::reduction::whole;
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};

/// The smallest of all elements.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: a scalar.
    pub const fn shape([_]: [Sizes; 1]) -> Rule {
        Rule::Out(Sizes::new(&[]))
    }
}

impl<S: Shape, E: Float> op::Op<Tensor<S, E>> for Op {
    type Out = Tensor<(), E>;

    fn infer(&self, x: Tensor<S, E>) -> Tensor<(), E> {
        extremum::along(&Smallest, x.as_slice(), whole(x.as_slice().len()), ())
    }
}

impl<S: Shape, E: Float> Differentiable<Tensor<S, E>, Yes> for Op {
    /// Input and output.
    type Residuals = (Tensor<S, E>, Tensor<(), E>);

    fn forward(&self, x: Tensor<S, E>) -> (Tensor<(), E>, Self::Residuals) {
        let y = self.infer(x.clone());
        (y.clone(), (x, y))
    }

    fn backward(&self, (x, y): Self::Residuals, cotangent: Tensor<(), E>) -> Tensor<S, E> {
        extremum::spread(&x, y.as_slice(), cotangent, whole(x.as_slice().len()))
    }
}

/// The smallest of all elements.
pub fn min<X>(x: X) -> <Op as op::Op<X>>::Out
where
    Op: op::Op<X>,
{
    Op.infer(x)
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn values() {
        let x = |element| Tensor::<(U2, U2)>::of(&[2.0, -3.0, element, 2.0]).unwrap();
        assert_eq!(min(x(0.0)).item(), -3.0);
        assert!(min(x(f32::NAN)).item().is_nan());
    }

    #[test]
    fn gradients() {
        testing::gradient(&Op, testing::random((Dyn(13), U7::default()), 1));
        testing::gradient(&Op, testing::random((), 1));
    }
}
