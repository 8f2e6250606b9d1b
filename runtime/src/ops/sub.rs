//! Subtraction with broadcasting, `a - b`, `a - v` and `v - a`, as `jnp.subtract`.

use super::broadcast::{broadcast, each, sum_to};
use super::elementwise::{Elementwise, Nothing};
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

/// `x - v`.
#[derive(Clone, Copy, Debug)]
pub struct Scalar<V = f64>(V);

impl<V> Scalar<V> {
    /// The op with this `v`.
    pub const fn new(v: V) -> Self {
        Scalar(v)
    }

    /// The rule in numbers: the output has the input's sizes.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        Rule::Out(x)
    }
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

/// `v - x`.
#[derive(Clone, Copy, Debug)]
pub struct FromScalar<V = f64>(V);

impl<V> FromScalar<V> {
    /// The op with this `v`.
    pub const fn new(v: V) -> Self {
        FromScalar(v)
    }

    /// The rule in numbers: the output has the input's sizes.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        Rule::Out(x)
    }
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
    use crate::ops::testing::gradient;
    use crate::ops::testing::{gradient2, random, random_positive, refused};
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
    fn gradients() {
        let matrix = || random((Dyn(3), U5::default()), 1);
        gradient2(&Op, matrix(), random_positive((Dyn(3), U5::default()), 2));
        gradient2(&Op, matrix(), random_positive((U5::default(),), 2));
        gradient2(&Op, matrix(), random_positive((Dyn(3), U1::default()), 2));
        gradient2(
            &Op,
            random((U1::default(), U5::default()), 1),
            random_positive((Dyn(3), U1::default()), 2),
        );
        gradient2(
            &Op,
            random((), 1),
            random_positive((U2::default(), Dyn(3), U1::default(), U2::default()), 2),
        );
        gradient2(&Op, random((U5::default(),), 1), random_positive((Dyn(0), U5::default()), 2));
    }

    #[test]
    fn sizes_that_differ_are_refused() {
        refused(
            Op::shape([Sizes::known(&[2, 3]), Sizes::known(&[2])]),
            "sub: sizes do not broadcast: [2, 3] and [2]; sizes are aligned at the right, and must be equal or 1",
        );
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
