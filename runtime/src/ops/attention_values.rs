//! For each query the sum of the values, each times the weight of its key: `einsum('...hqk,...khd->...qhd', weights, values)`,
//! the second half of attention.
//!
//! Weights are `[.., H, Q, K]`, values `[.., K, H, V]`, and the sums `[.., Q, H, V]`.

use super::dot_product_attention_weights::geometry;
use crate::backend::attention::{scores, sums_over_keys, sums_over_queries};
use crate::op::{self, Differentiable, Need, Op as _};
use crate::shape::attention::{Attends, values};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor, shape_by};

/// `einsum('...hqk,...khd->...qhd', weights, values)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: `[.., H, Q, K], [.., K, H, V]` gives `[.., Q, H, V]`.
    pub const fn shape([weights, of_keys]: [Sizes; 2]) -> Rule {
        values("attention_values", weights, of_keys)
    }
}

/// What the derivative reads: each of the two factors if the other's cotangent is needed.
pub struct Residuals<W: Shape, V: Shape, E: Float, NW: Need, NV: Need> {
    weights: NV::Of<Tensor<W, E>>,
    values: NW::Of<Tensor<V, E>>,
    shapes: (W, V),
}

impl<W, V, E> op::Op<(Tensor<W, E>, Tensor<V, E>)> for Op
where
    W: Attends<V>,
    V: Shape,
    E: Float,
{
    type Out = Tensor<W::Out, E>;

    fn infer(&self, (weights, values): (Tensor<W, E>, Tensor<V, E>)) -> Self::Out {
        let shape = shape_by(Op::shape, (weights.shape(), values.shape()));
        let geometry = geometry(weights.shape(), values.shape());
        Tensor::written(shape, |out| sums_over_keys(&geometry, weights.as_slice(), values.as_slice(), out))
    }
}

impl<W, V, E, NW, NV> Differentiable<(Tensor<W, E>, Tensor<V, E>), (NW, NV)> for Op
where
    W: Attends<V>,
    V: Shape,
    E: Float,
    NW: Need,
    NV: Need,
{
    type Residuals = Residuals<W, V, E, NW, NV>;

    fn forward(&self, (weights, values): (Tensor<W, E>, Tensor<V, E>)) -> (Self::Out, Self::Residuals) {
        let residuals = Residuals {
            shapes: (weights.shape(), values.shape()),
            weights: NV::when(|| weights.clone()),
            values: NW::when(|| values.clone()),
        };
        (self.infer((weights, values)), residuals)
    }

    fn backward(
        &self,
        Residuals { weights, values, shapes }: Self::Residuals,
        cotangent: Self::Out,
    ) -> (NW::Of<Tensor<W, E>>, NV::Of<Tensor<V, E>>) {
        let (geometry, cotangent) = (geometry(shapes.0, shapes.1), cotangent.as_slice());
        let dweights = NW::map(values, |values| {
            Tensor::written(shapes.0, |dweights| scores(&geometry, cotangent, values.as_slice(), dweights))
        });
        let dvalues = NV::map(weights, |weights| {
            Tensor::written(shapes.1, |dvalues| {
                sums_over_queries(&geometry, weights.as_slice(), cotangent, dvalues);
            })
        });
        (dweights, dvalues)
    }
}

/// For each query the sum of the values, each times the weight of its key.
pub fn attention_values<W, V>(weights: W, values: V) -> <Op as op::Op<(W, V)>>::Out
where
    Op: op::Op<(W, V)>,
{
    Op.infer((weights, values))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient2, random, refused};
    use crate::prelude::*;

    #[test]
    fn values() {
        let weights = Tensor::<(U1, U2, U2)>::of(&[1.0, 0.0, 0.5, 2.0]).unwrap();
        let values = Tensor::<(U2, U1, U1)>::of(&[10.0, 1.0]).unwrap();
        let sums: Tensor<(U2, U1, U1)> = attention_values(weights, values);
        assert_eq!(sums.as_slice(), [10.0, 7.0]);
    }

    #[test]
    fn gradients() {
        let weights = random((Dyn(2), U3::default(), Dyn(2), Dyn(4)), 1);
        gradient2(&Op, weights, random((Dyn(2), Dyn(4), U3::default(), U5::default()), 2));
        let weights = random((U3::default(), Dyn(2), Dyn(0)), 1);
        gradient2(&Op, weights, random((Dyn(0), U3::default(), U5::default()), 2));
    }

    #[test]
    fn sizes() {
        fits(Op::shape([<(Dyn, U2, U3, U4)>::STATIC, <(Dyn, U4, U2, U5)>::STATIC]), "[?, 3, 2, 5]");
        let message = "attention_values: weights [2, 3, 4] do not go with values [5, 2, 5]; \
                       they are [.., H, Q, K] and [.., K, H, V]";
        refused(Op::shape([Sizes::known(&[2, 3, 4]), Sizes::known(&[5, 2, 5])]), message);
    }
}
