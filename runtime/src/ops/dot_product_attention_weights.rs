//! How much each query attends to each key, as `nn.dot_product_attention_weights`:
//! `softmax(query · keyᵀ / sqrt(depth) + bias)` over the keys.
//!
//! Queries are `[.., Q, H, D]`, keys `[.., K, H, D]`, and the weights `[.., H, Q, K]`. A mask of `bool`, or a bias of the scores
//! and a mask, may follow the keys; they broadcast to the weights, and either may be `()`. Where the mask is false the score
//! is the lowest number, so that a query without any key attends to all alike.

use super::attention_mask::{AttentionBias, AttentionMask, shorter};
use super::{div, softmax};
use crate::backend::attention::{AttentionGeometry, scores, sums_over_keys, sums_over_queries};
use crate::op::{self, Differentiable, Need, No, Op as _, Yes};
use crate::shape::attention::{Attention, weights};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor, shape_by};

/// `softmax(query · keyᵀ / sqrt(depth) + bias)`, where the mask is true.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers, for queries and keys and what may follow: `[.., Q, H, D], [.., K, H, D]` gives `[.., H, Q, K]`.
    pub const fn shape<const N: usize>(inputs: [Sizes; N]) -> Rule {
        weights("dot_product_attention_weights", inputs[0], inputs[1])
    }
}

/// The sizes of weights `[.., H, Q, K]` and of what belongs to keys, `[.., K, H, D]`.
pub(super) fn geometry(weights: impl Shape, keys: impl Shape) -> AttentionGeometry {
    let (weights, keys) = (weights.sizes(), keys.sizes());
    let (front, back) = weights.as_ref().split_at(weights.as_ref().len() - 3);
    let depth = keys.as_ref()[keys.as_ref().len() - 1];
    AttentionGeometry {
        batch: front.iter().product(),
        heads: back[0],
        queries: back[1],
        keys: back[2],
        depth,
    }
}

/// The root of the depth, by which queries are divided.
fn divisor(keys: impl Shape) -> div::Scalar {
    let sizes = keys.sizes();
    div::Scalar::new((sizes.as_ref()[sizes.as_ref().len() - 1] as f64).sqrt())
}

/// What the derivative reads.
pub struct Residuals<Q: Shape, K: Shape, W: Shape, E: Float, B, M, NQ: Need, NK: Need> {
    /// Divided by the root of the depth.
    queries: NK::Of<Tensor<Q, E>>,
    keys: NQ::Of<Tensor<K, E>>,
    shapes: (Q, K),
    weights: Tensor<W, E>,
    bias: B,
    mask: M,
}

/// The weights for queries that have been divided.
fn attend<Q: Attention<K>, K: Shape, E: Float>(
    queries: &Tensor<Q, E>,
    keys: &Tensor<K, E>,
    bias: &impl AttentionBias<Q::Weights, E>,
    mask: &impl AttentionMask<Q::Weights>,
) -> Tensor<Q::Weights, E> {
    let shape = shape_by(Op::shape, (queries.shape(), keys.shape()));
    let weights = Tensor::written(shape, |weights| {
        scores(&geometry(shape, keys.shape()), queries.as_slice(), keys.as_slice(), weights);
    });
    let mut weights = bias.add_to(weights);
    mask.fill(&mut weights, E::from_f64(f32::MIN.into()));
    softmax::Op.infer(weights)
}

impl<Q, K, E, B, M> op::Op<(Tensor<Q, E>, Tensor<K, E>, B, M)> for Op
where
    Q: Attention<K>,
    K: Shape,
    E: Float,
    B: AttentionBias<Q::Weights, E>,
    M: AttentionMask<Q::Weights>,
{
    type Out = Tensor<Q::Weights, E>;

    fn infer(&self, (queries, keys, bias, mask): (Tensor<Q, E>, Tensor<K, E>, B, M)) -> Self::Out {
        let queries = divisor(keys.shape()).infer(queries);
        attend(&queries, &keys, &bias, &mask)
    }
}

impl<Q, K, E, B, M, NQ, NK, NB> Differentiable<(Tensor<Q, E>, Tensor<K, E>, B, M), (NQ, NK, NB, No)> for Op
where
    Q: Attention<K>,
    K: Shape,
    E: Float,
    B: AttentionBias<Q::Weights, E>,
    M: AttentionMask<Q::Weights>,
    NQ: Need,
    NK: Need,
    NB: Need,
{
    type Residuals = Residuals<Q, K, Q::Weights, E, B, M, NQ, NK>;

    fn forward(
        &self,
        (queries, keys, bias, mask): (Tensor<Q, E>, Tensor<K, E>, B, M),
    ) -> (Self::Out, Self::Residuals) {
        let queries = divisor(keys.shape()).infer(queries);
        let weights = attend(&queries, &keys, &bias, &mask);
        let shapes = (queries.shape(), keys.shape());
        let (queries, keys) = (NK::when(|| queries), NQ::when(|| keys));
        (weights.clone(), Residuals { queries, keys, shapes, weights, bias, mask })
    }

    fn backward(
        &self,
        residuals: Self::Residuals,
        cotangent: Self::Out,
    ) -> (NQ::Of<Tensor<Q, E>>, NK::Of<Tensor<K, E>>, NB::Of<B>, ()) {
        let Residuals { queries, keys, shapes, weights, bias, mask } = residuals;
        let geometry = geometry(weights.shape(), shapes.1);
        let mut scores = Differentiable::<_, Yes>::backward(&softmax::Op, weights, cotangent);
        mask.fill(&mut scores, E::ZERO);
        let dqueries = NQ::map(keys, |keys| {
            let sums = Tensor::written(shapes.0, |dqueries| {
                sums_over_keys(&geometry, scores.as_slice(), keys.as_slice(), dqueries);
            });
            divisor(shapes.1).infer(sums)
        });
        let dkeys = NK::map(queries, |queries| {
            Tensor::written(shapes.1, |dkeys| {
                sums_over_queries(&geometry, scores.as_slice(), queries.as_slice(), dkeys);
            })
        });
        (dqueries, dkeys, NB::when(|| bias.cotangent(&scores)), ())
    }
}

shorter!(Q: NQ, K: NK);

/// `softmax(query · keyᵀ / sqrt(depth))`, the weights of attention.
pub fn dot_product_attention_weights<Q, K>(queries: Q, keys: K) -> <Op as op::Op<(Q, K)>>::Out
where
    Op: op::Op<(Q, K)>,
{
    Op.infer((queries, keys))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient2, gradient3, random, refused};
    use crate::prelude::*;

    #[test]
    fn values() {
        // One head, a depth of four: the scores are half of the products.
        let queries = Tensor::<(U1, U1, U4)>::of(&[1.0, 1.0, 0.0, 0.0]).unwrap();
        let keys = Tensor::<(U3, U1, U4)>::of(&[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 9.0, 9.0])
            .unwrap();
        let weights: Tensor<(U1, U1, U3)> = dot_product_attention_weights(queries.clone(), keys.clone());
        let e = 1f32.exp();
        for (found, expected) in weights.as_slice().iter().zip([1.0, e, 1.0]) {
            assert!((found - expected / (2.0 + e)).abs() < 1e-6);
        }
        let mask = Tensor::<(U3,), bool>::of(&[true, true, false]).unwrap();
        let weights = Op.infer((queries.clone(), keys.clone(), mask));
        assert!((weights.as_slice()[1] - e / (1.0 + e)).abs() < 1e-6 && weights.as_slice()[2] == 0.0);
        let nothing = Tensor::<(U1, U1), bool>::of(&[false]).unwrap();
        assert_eq!(Op.infer((queries, keys, nothing)).as_slice(), [1.0 / 3.0; 3]);
    }

    #[test]
    fn gradients() {
        let queries = || random((Dyn(2), Dyn(3), U2::default(), U5::default()), 1);
        let keys = || random((Dyn(2), Dyn(4), U2::default(), U5::default()), 2);
        gradient2(&Op, queries(), keys());
        gradient2(
            &Op,
            random((U1::default(), U1::default(), U3::default()), 1),
            random((U2::default(), U1::default(), U3::default()), 2),
        );
        gradient2(
            &Op,
            random((Dyn(0), U2::default(), U3::default()), 1),
            random((Dyn(2), U2::default(), U3::default()), 2),
        );
    }

    #[test]
    fn gradients_of_a_bias_and_with_a_mask() {
        let queries = random((Dyn(2), Dyn(3), U2::default(), U5::default()), 1);
        let keys = random((Dyn(2), Dyn(4), U2::default(), U5::default()), 2);
        let bias = random((U2::default(), U1::default(), Dyn(4)), 3);
        // The first query has no keys at all.
        let mask = Tensor::from_fn((Dyn(3), Dyn(4)), |i| i > 3 && i % 3 != 0);
        gradient3(&Masked(mask), queries, keys, bias);
    }

    /// The op with a mask that is given, so that all its inputs are numbers.
    struct Masked(Tensor<(Dyn, Dyn), bool>);

    type Three<Q, K, B, E> = (Tensor<Q, E>, Tensor<K, E>, Tensor<B, E>);
    type Four<Q, K, B, E> = (Tensor<Q, E>, Tensor<K, E>, Tensor<B, E>, Tensor<(Dyn, Dyn), bool>);

    impl<Q: Shape, K: Shape, B: Shape, E: Float> op::Op<Three<Q, K, B, E>> for Masked
    where
        Op: op::Op<Four<Q, K, B, E>>,
    {
        type Out = <Op as op::Op<Four<Q, K, B, E>>>::Out;
        fn infer(&self, (queries, keys, bias): Three<Q, K, B, E>) -> Self::Out {
            Op.infer((queries, keys, bias, self.0.clone()))
        }
    }

    impl<Q: Shape, K: Shape, B: Shape, E: Float, NQ: Need, NK: Need, NB: Need>
        Differentiable<Three<Q, K, B, E>, (NQ, NK, NB)> for Masked
    where
        Op: Differentiable<Four<Q, K, B, E>, (NQ, NK, NB, No)>,
    {
        type Residuals = <Op as Differentiable<Four<Q, K, B, E>, (NQ, NK, NB, No)>>::Residuals;
        fn forward(&self, (queries, keys, bias): Three<Q, K, B, E>) -> (Self::Out, Self::Residuals) {
            Op.forward((queries, keys, bias, self.0.clone()))
        }
        fn backward(
            &self,
            residuals: Self::Residuals,
            cotangent: Self::Out,
        ) -> (NQ::Of<Tensor<Q, E>>, NK::Of<Tensor<K, E>>, NB::Of<Tensor<B, E>>) {
            let (queries, keys, bias, ()) = Op.backward(residuals, cotangent);
            (queries, keys, bias)
        }
    }

    #[test]
    fn sizes() {
        fits(Op::shape([<(Dyn, U3, U2, U5)>::STATIC, <(Dyn, U4, U2, U5)>::STATIC]), "[?, 2, 3, 4]");
        let message = "dot_product_attention_weights: queries [3, 2, 5] do not go with keys [4, 2, 6]; \
                       only their numbers, third from the end, may differ";
        refused(Op::shape([Sizes::known(&[3, 2, 5]), Sizes::known(&[4, 2, 6])]), message);
    }
}
