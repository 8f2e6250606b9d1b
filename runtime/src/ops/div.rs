//! Division element by element with broadcasting, `a / b`, `a / v` and `v / a`, as `jnp.divide`.

use super::broadcast::{broadcast, each, sum_to};
use super::elementwise::{Elementwise, Input, Nothing};
use super::scalar::scalar;
use crate::backend::map::Function;
use crate::op::{self, Differentiable, Need, Op as _};
use crate::shape::broadcast::{Broadcast, sizes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};

/// `a / b` element by element, broadcast.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: sizes broadcast.
    pub const fn shape([a, b]: [Sizes; 2]) -> Rule {
        sizes("div", a, b)
    }
}

impl<E: Float> Function<(E, E)> for Op {
    type Out = E;

    #[inline(always)]
    fn at(&self, (a, b): (E, E)) -> E {
        a / b
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
    /// The shapes, `b`, and for the cotangent of `b` the quotient.
    type Residuals = (A, B, Tensor<B, E>, NB::Of<Self::Out>);

    fn forward(&self, (a, b): (Tensor<A, E>, Tensor<B, E>)) -> (Self::Out, Self::Residuals) {
        let (a_shape, b_shape) = (a.shape(), b.shape());
        let quotient: Self::Out = self.infer((a, b.clone()));
        let kept = NB::when(|| quotient.clone());
        (quotient, (a_shape, b_shape, b, kept))
    }

    fn backward(
        &self,
        (a_shape, b_shape, b, quotient): Self::Residuals,
        cotangent: Self::Out,
    ) -> (NA::Of<Tensor<A, E>>, NB::Of<Tensor<B, E>>) {
        let da: Self::Out = broadcast(self, cotangent, b);
        let db = NB::map(quotient, |quotient| {
            super::neg(sum_to(broadcast::<_, _, A::Out, E>(&super::mul::Op, da.clone(), quotient), b_shape))
        });
        (NA::when(|| sum_to(da, a_shape)), db)
    }

    each!(backward A B E NA NB);
}

/// `a / b` element by element, broadcast.
pub fn div<A, B>(a: A, b: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((a, b))
}

scalar! {
    /// `x / v`.
    Scalar
}

impl<V: Copy + Into<f64> + Sync> Elementwise for Scalar<V> {
    type Kept = Nothing;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        x / E::from_f64(self.0.into())
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, _: E, cotangent: E) -> E {
        cotangent / E::from_f64(self.0.into())
    }
}

scalar! {
    /// `v / x`.
    IntoScalar
}

impl<V: Copy + Into<f64> + Sync> Elementwise for IntoScalar<V> {
    type Kept = Input;

    #[inline(always)]
    fn value<E: Float>(&self, x: E) -> E {
        E::from_f64(self.0.into()) / x
    }

    #[inline(always)]
    fn pullback<E: Float>(&self, x: E, cotangent: E) -> E {
        -cotangent * E::from_f64(self.0.into()) / (x * x)
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
        assert_eq!(div(a.clone(), row.clone()).as_slice(), [0.25, 1.0, 3.0, 1.0, 2.5, 6.0]);
        assert_eq!(div(row.clone(), a.clone()).as_slice(), [4.0, 1.0, 0.333333333, 1.0, 0.4, 0.166666667]);
        assert_eq!(div(a.clone(), column.clone()).as_slice(), [0.5, 1.0, 1.5, 1.0, 1.25, 1.5]);
        assert_eq!(div(column, row).as_slice(), [0.5, 1.0, 2.0, 1.0, 2.0, 4.0]);
        assert_eq!(div(a.clone(), a).as_slice(), [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn gradients_and_sizes() {
        broadcasts!(Op, "div");
    }

    #[test]
    fn with_a_scalar() {
        let x = || Tensor::<(U2,)>::of(&[1.0, 2.0]).unwrap();
        assert_eq!(Scalar::new(4).infer(x()).as_slice(), [0.25, 0.5]);
        assert_eq!(IntoScalar::new(3.0f32).infer(x()).as_slice(), [3.0, 1.5]);
        gradient(&Scalar::new(4), random_positive((Dyn(3),), 1));
        gradient(&IntoScalar::new(3.0f32), random_positive((Dyn(3),), 1));
    }
}
