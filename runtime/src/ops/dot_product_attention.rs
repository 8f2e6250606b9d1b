//! Attention, as `nn.dot_product_attention`: for each query the values of the keys, weighted by how much it attends to them
//! (Vaswani and others 2017).
//!
//! ```text
//! softmax(query · keyᵀ / sqrt(depth) + bias) · value
//! ```
//!
//! Queries are `[.., Q, H, D]`, keys `[.., K, H, D]`, values `[.., K, H, V]`, and the result `[.., Q, H, V]`. A mask of `bool`, or a
//! bias of the scores and a mask, may follow, see [`dot_product_attention_weights`](fn@super::dot_product_attention_weights).
//!
//! ```
//! use flaxen::prelude::*;
//! let queries: Tensor![2, 3, 4, 8] = Tensor::full(Default::default(), 0.1);
//! let keys: Tensor![2, 5, 4, 8] = Tensor::full(Default::default(), 0.2);
//! let out: Tensor![2, 3, 4, 8] = dot_product_attention(queries, keys.clone(), keys);
//! assert!((out.as_slice()[0] - 0.2).abs() < 1e-6);
//! ```

use super::attention_mask::{AttentionBias, AttentionMask, shorter};
use super::{attention_values, dot_product_attention_weights as weights};
use crate::__private::nothing;
use crate::op::{self, Differentiable, Need, No, Op as _};
use crate::shape::attention::{Attends, Attention};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};

/// `softmax(query · keyᵀ / sqrt(depth) + bias) · value`, where the mask is true.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

const NAME: &str = "dot_product_attention";

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers, for queries, keys, values and what may follow: `[.., Q, H, D], [.., K, H, D], [.., K, H, V]` gives
    /// `[.., Q, H, V]`.
    pub const fn shape<const N: usize>(inputs: [Sizes; N]) -> Rule {
        match crate::shape::attention::weights(NAME, inputs[0], inputs[1]) {
            Rule::Out(weights) => crate::shape::attention::values(NAME, weights, inputs[2]),
            refused => refused,
        }
    }
}

impl<Q, K, V, E, B, M> op::Op<(Tensor<Q, E>, Tensor<K, E>, Tensor<V, E>, B, M)> for Op
where
    Q: Attention<K>,
    Q::Weights: Attends<V>,
    K: Shape,
    V: Shape,
    E: Float,
    B: AttentionBias<Q::Weights, E>,
    M: AttentionMask<Q::Weights>,
{
    type Out = Tensor<<Q::Weights as Attends<V>>::Out, E>;

    fn infer(
        &self,
        (queries, keys, values, bias, mask): (Tensor<Q, E>, Tensor<K, E>, Tensor<V, E>, B, M),
    ) -> Self::Out {
        attention_values::Op.infer((weights::Op.infer((queries, keys, bias, mask)), values))
    }
}

/// What is needed of the weights.
type NeedOfWeights<NQ, NK, NB> = <<NQ as Need>::Or<NK> as Need>::Or<NB>;

/// What the derivative reads.
pub struct Residuals<
    Q: Attention<K>,
    K: Shape,
    V: Shape,
    E: Float,
    B,
    M,
    NQ: Need,
    NK: Need,
    NV: Need,
    NB: Need,
> {
    of_weights: weights::Residuals<Q, K, Q::Weights, E, B, M, NQ, NK>,
    of_values: attention_values::Residuals<Q::Weights, V, E, NeedOfWeights<NQ, NK, NB>, NV>,
}

impl<Q, K, V, E, B, M, NQ, NK, NV, NB>
    Differentiable<(Tensor<Q, E>, Tensor<K, E>, Tensor<V, E>, B, M), (NQ, NK, NV, NB, No)> for Op
where
    Q: Attention<K>,
    Q::Weights: Attends<V>,
    K: Shape,
    V: Shape,
    E: Float,
    B: AttentionBias<Q::Weights, E>,
    M: AttentionMask<Q::Weights>,
    NQ: Need,
    NK: Need,
    NV: Need,
    NB: Need,
{
    type Residuals = Residuals<Q, K, V, E, B, M, NQ, NK, NV, NB>;

    fn forward(
        &self,
        (queries, keys, values, bias, mask): (Tensor<Q, E>, Tensor<K, E>, Tensor<V, E>, B, M),
    ) -> (Self::Out, Self::Residuals) {
        let (weights, of_weights) =
            Differentiable::<_, (NQ, NK, NB, No)>::forward(&weights::Op, (queries, keys, bias, mask));
        let (out, of_values) = Differentiable::<_, (NeedOfWeights<NQ, NK, NB>, NV)>::forward(
            &attention_values::Op,
            (weights, values),
        );
        (out, Residuals { of_weights, of_values })
    }

    fn backward(
        &self,
        Residuals { of_weights, of_values }: Self::Residuals,
        cotangent: Self::Out,
    ) -> (NQ::Of<Tensor<Q, E>>, NK::Of<Tensor<K, E>>, NV::Of<Tensor<V, E>>, NB::Of<B>, ()) {
        type OfValues<W, V, E> = (Tensor<W, E>, Tensor<V, E>);
        type OfWeights<Q, K, E, B, M> = (Tensor<Q, E>, Tensor<K, E>, B, M);
        let (dweights, dvalues) =
            Differentiable::<OfValues<Q::Weights, V, E>, (NeedOfWeights<NQ, NK, NB>, NV)>::backward(
                &attention_values::Op,
                of_values,
                cotangent,
            );
        let cotangents = NeedOfWeights::<NQ, NK, NB>::map(dweights, |dweights| {
            Differentiable::<OfWeights<Q, K, E, B, M>, (NQ, NK, NB, No)>::backward(
                &weights::Op,
                of_weights,
                dweights,
            )
        });
        let (dqueries, dkeys, dbias, ()) = NeedOfWeights::<NQ, NK, NB>::or(cotangents, || {
            (nothing::<NQ, _>(), nothing::<NK, _>(), nothing::<NB, _>(), ())
        });
        (dqueries, dkeys, dvalues, dbias, ())
    }
}

shorter!(Q: NQ, K: NK, V: NV);

/// `softmax(query · keyᵀ / sqrt(depth)) · value`.
pub fn dot_product_attention<Q, K, V>(queries: Q, keys: K, values: V) -> <Op as op::Op<(Q, K, V)>>::Out
where
    Op: op::Op<(Q, K, V)>,
{
    Op.infer((queries, keys, values))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient3, random, refused};
    use crate::prelude::*;

    #[test]
    fn gradients() {
        gradient3(
            &Op,
            random((Dyn(2), Dyn(3), U2::default(), U5::default()), 1),
            random((Dyn(2), Dyn(4), U2::default(), U5::default()), 2),
            random((Dyn(2), Dyn(4), U2::default(), U3::default()), 3),
        );
    }

    #[test]
    fn sizes() {
        let (queries, keys) = (<(Dyn, U3, U2, U5)>::STATIC, <(Dyn, U4, U2, U5)>::STATIC);
        fits(Op::shape([queries, keys, <(Dyn, U4, U2, U7)>::STATIC]), "[?, 3, 2, 7]");
        let message = "dot_product_attention: weights [?, 2, 3, 4] do not go with values [?, 5, 2, 7]; \
                       they are [.., H, Q, K] and [.., K, H, V]";
        refused(Op::shape([queries, keys, <(Dyn, U5, U2, U7)>::STATIC]), message);
        let message = "dot_product_attention: queries [?, 3, 2, 5] do not go with keys [?, 4, 3, 5]; \
                       only their numbers, third from the end, may differ";
        refused(Op::shape([queries, <(Dyn, U4, U3, U5)>::STATIC, keys]), message);
    }
}
