//! Subtraction with broadcasting, `a - b`, `a - v` and `v - a`, as `jnp.subtract`.

use super::broadcast::{broadcast, each, sum_to};
use super::elementwise::{Elementwise, Nothing};
use super::scalar::scalar;
use crate::backend::map::Function;
use crate::op::{self, Differentiable, Need, Op as _};
use crate::shape::broadcast::{Broadcast, sizes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};

/// `a - b`, broadcast.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: sizes broadcast.
    pub const fn shape([a, b]: [Sizes; 2]) -> Rule {
        sizes("sub", a, b)
    }
}

impl<E: Float> Function<(E, E)> for Op {
    type Out = E;

    #[inline(always)]
    fn at(&self, (a, b): (E, E)) -> E {
        a - b
    }
}

impl<A: Broadcast<B>, B: Shape, E: Float> op::Op<(Tensor<A, E>, Tensor<B, E>)> for Op {
    type Out = Tensor<A::Out, E>;

    fn infer(&self, (a, b): (Tensor<A, E>, Tensor<B, E>)) -> Self::Out {
        broadcast(self, a, b)
    }

    each!(infer A B E E);
}

impl<A, B, E, NA, NB> Differentiable<(Tensor<A, E>, Tensor<B, E>), (NA, NB)> for Op
where
    A: Broadcast<B>,
    B: Shape,
    E: Float,
    NA: Need,
    NB: Need,
{
    type Residuals = (A, B);

    fn forward(&self, (a, b): (Tensor<A, E>, Tensor<B, E>)) -> (Self::Out, (A, B)) {
        let shapes = (a.shape(), b.shape());
        (self.infer((a, b)), shapes)
    }

    fn backward(&self, (a, b): (A, B), cotangent: Self::Out) -> (NA::Of<Tensor<A, E>>, NB::Of<Tensor<B, E>>) {
        let da = NA::when(|| sum_to(cotangent.clone(), a));
        (da, NB::when(|| super::neg(sum_to(cotangent, b))))
    }

    each!(backward A B E NA NB);
}

/// `a - b`, broadcast.
pub fn sub<A, B>(a: A, b: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((a, b))
}

scalar! {
    /// `x - v`.
    Scalar
}

impl<V: Copy + Into<f64> + Sync> Elementwise for Scalar<V> {
    type Kept = Nothing;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        x - E::from_f64(self.0.into())
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, _: E, cotangent: E) -> E {
        cotangent
    }
}

scalar! {
    /// `v - x`.
    FromScalar
}

impl<V: Copy + Into<f64> + Sync> Elementwise for FromScalar<V> {
    type Kept = Nothing;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        E::from_f64(self.0.into()) - x
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, _: E, cotangent: E) -> E {
        -cotangent
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{broadcasts, gradient, random_positive};
    use crate::prelude::*;

    #[test]
    fn values() {
        let a = Tensor::<(U2, U3)>::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let row = Tensor::<(U3,)>::of(&[4.0, 2.0, 1.0]).unwrap();
        let column = Tensor::<(U2, U1)>::of(&[2.0, 4.0]).unwrap();
        assert_eq!(sub(a.clone(), row.clone()).as_slice(), [-3.0, 0.0, 2.0, 0.0, 3.0, 5.0]);
        assert_eq!(sub(row.clone(), a.clone()).as_slice(), [3.0, 0.0, -2.0, 0.0, -3.0, -5.0]);
        assert_eq!(sub(a.clone(), column.clone()).as_slice(), [-1.0, 0.0, 1.0, 0.0, 1.0, 2.0]);
        assert_eq!(sub(column, row).as_slice(), [-2.0, 0.0, 1.0, 0.0, 2.0, 3.0]);
        assert_eq!(sub(a.clone(), a).as_slice(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn gradients_and_sizes() {
        broadcasts!(Op, "sub");
    }

    #[test]
    fn with_a_scalar() {
        let x = || Tensor::<(U2,)>::of(&[1.0, 2.0]).unwrap();
        assert_eq!(Scalar::new(0.5).infer(x()).as_slice(), [0.5, 1.5]);
        assert_eq!(FromScalar::new(1).infer(x()).as_slice(), [0.0, -1.0]);
        gradient(&Scalar::new(0.5), random_positive((Dyn(3),), 1));
        gradient(&FromScalar::new(1), random_positive((Dyn(3),), 1));
    }
}
