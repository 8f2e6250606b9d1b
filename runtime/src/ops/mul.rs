//! Multiplication element by element with broadcasting, `a * b` and `a * v`, as `jnp.multiply`.

use super::broadcast::{broadcast, each, sum_to};
use super::elementwise::{Elementwise, Nothing};
use super::scalar::scalar;
use crate::backend::map::Function;
use crate::op::{self, Differentiable, Need, Op as _};
use crate::shape::broadcast::{Broadcast, sizes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};

/// `a * b` element by element, broadcast.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: sizes broadcast.
    pub const fn shape([a, b]: [Sizes; 2]) -> Rule {
        sizes("mul", a, b)
    }
}

impl<E: Float> Function<(E, E)> for Op {
    type Out = E;

    #[inline(always)]
    fn at(&self, (a, b): (E, E)) -> E {
        a * b
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
    /// The shapes, and what the cotangent of each input is multiplied by.
    type Residuals = (A, B, NA::Of<Tensor<B, E>>, NB::Of<Tensor<A, E>>);

    fn forward(&self, (a, b): (Tensor<A, E>, Tensor<B, E>)) -> (Self::Out, Self::Residuals) {
        let residuals = (a.shape(), b.shape(), NA::when(|| b.clone()), NB::when(|| a.clone()));
        (self.infer((a, b)), residuals)
    }

    fn backward(
        &self,
        (a_shape, b_shape, b, a): Self::Residuals,
        cotangent: Self::Out,
    ) -> (NA::Of<Tensor<A, E>>, NB::Of<Tensor<B, E>>) {
        let da = NA::map(b, |b| sum_to(broadcast::<_, _, A::Out, E>(self, cotangent.clone(), b), a_shape));
        let db = NB::map(a, |a| sum_to(broadcast::<_, _, A::Out, E>(self, cotangent, a), b_shape));
        (da, db)
    }

    each!(backward A B E NA NB);
}

/// `a * b` element by element, broadcast.
pub fn mul<A, B>(a: A, b: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((a, b))
}

scalar! {
    /// `x * v`.
    Scalar
}

impl<V: Copy + Into<f64> + Sync> Elementwise for Scalar<V> {
    type Kept = Nothing;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        x * E::from_f64(self.0.into())
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, _: E, cotangent: E) -> E {
        cotangent * E::from_f64(self.0.into())
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
        assert_eq!(mul(a.clone(), row.clone()).as_slice(), [4.0, 4.0, 3.0, 16.0, 10.0, 6.0]);
        assert_eq!(mul(row.clone(), a.clone()).as_slice(), [4.0, 4.0, 3.0, 16.0, 10.0, 6.0]);
        assert_eq!(mul(a.clone(), column.clone()).as_slice(), [2.0, 4.0, 6.0, 16.0, 20.0, 24.0]);
        assert_eq!(mul(column, row).as_slice(), [8.0, 4.0, 2.0, 16.0, 8.0, 4.0]);
        assert_eq!(mul(a.clone(), a).as_slice(), [1.0, 4.0, 9.0, 16.0, 25.0, 36.0]);
    }

    #[test]
    fn gradients_and_sizes() {
        broadcasts!(Op, "mul");
    }

    #[test]
    fn with_a_scalar() {
        let x = || Tensor::<(U2,)>::of(&[1.0, 2.0]).unwrap();
        assert_eq!(Scalar::new(-0.5).infer(x()).as_slice(), [-0.5, -1.0]);
        gradient(&Scalar::new(-0.5), random_positive((Dyn(3),), 1));
    }
}
