//! The larger of two, element by element with broadcasting, as `jnp.maximum`. NaN wins, and equals share the cotangent.

use super::broadcast::each;
use super::extremum::{self, Largest};
use crate::op::{self, Differentiable, Need, Op as _};
use crate::shape::broadcast::{Broadcast, sizes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};

/// `max(a, b)` element by element, broadcast.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: sizes broadcast.
    pub const fn shape([a, b]: [Sizes; 2]) -> Rule {
        sizes("maximum", a, b)
    }
}

impl<A: Broadcast<B>, B: Shape, E: Float> op::Op<(Tensor<A, E>, Tensor<B, E>)> for Op {
    type Out = Tensor<A::Out, E>;

    fn infer(&self, (a, b): (Tensor<A, E>, Tensor<B, E>)) -> Self::Out {
        extremum::of_pairs(&Largest, a, b)
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
    /// The shapes, and the share of `a` in every cotangent.
    type Residuals = (A, B, Self::Out);

    fn forward(&self, (a, b): (Tensor<A, E>, Tensor<B, E>)) -> (Self::Out, Self::Residuals) {
        let residuals = (a.shape(), b.shape(), extremum::shares(&Largest, &a, &b));
        (self.infer((a, b)), residuals)
    }

    fn backward(
        &self,
        (a, b, shares): Self::Residuals,
        cotangent: Self::Out,
    ) -> (NA::Of<Tensor<A, E>>, NB::Of<Tensor<B, E>>) {
        let da = NA::when(|| extremum::part(true, cotangent.clone(), shares.clone(), a));
        (da, NB::when(|| extremum::part(false, cotangent, shares, b)))
    }

    each!(backward A B E NA NB);
}

/// `max(a, b)` element by element, broadcast.
pub fn maximum<A, B>(a: A, b: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((a, b))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::op::Yes;
    use crate::ops::testing::{gradient2, random};
    use crate::prelude::*;

    #[test]
    fn values() {
        let a = Tensor::<(U2, U2)>::of(&[1.0, f32::NAN, 3.0, 4.0]).unwrap();
        let b = Tensor::<(U2,)>::of(&[2.0, 0.5]).unwrap();
        let y = maximum(b.clone(), a.clone());
        assert!(maximum(a, b).as_slice()[1].is_nan() && y.as_slice()[1].is_nan());
        assert_eq!([y.as_slice()[0], y.as_slice()[2], y.as_slice()[3]], [2.0, 3.0, 4.0]);
    }

    #[test]
    fn equals_share_the_cotangent() {
        let ones = || Tensor::<(U1,)>::of(&[1.0]).unwrap();
        let (_, residuals) = Differentiable::<_, (Yes, Yes)>::forward(&Op, (ones(), ones()));
        let (da, db) =
            Differentiable::<(Tensor<(U1,)>, Tensor<(U1,)>), (Yes, Yes)>::backward(&Op, residuals, ones());
        assert_eq!([da.as_slice(), db.as_slice()], [[0.5]; 2]);
    }

    #[test]
    fn gradients() {
        gradient2(&Op, random((Dyn(3), U5::default()), 1), random((Dyn(3), U5::default()), 2));
        gradient2(&Op, random((Dyn(3), U1::default()), 1), random((U5::default(),), 2));
    }
}
