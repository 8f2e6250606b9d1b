//! The passes of attention with several heads: three projections, attention, and a projection of what it gives.

use super::params::MultiHeadParams;
use crate::init::{Initializer, ones, zeros};
use crate::nn::{NoBias, ScaleBias, UseBias, UseScale, projection};
use crate::op::{Differentiable, Need, No, Op as _, Yes};
use crate::ops::normalize::{self, Moments};
use crate::ops::{AttentionMask, PerFeature, dot_product_attention};
use crate::rng::Scope;
use crate::shape::heads::Heads;
use crate::shape::{Shape, SplitLast, Static};
use crate::tensor::{Float, Tensor};

/// The normalisation of queries and keys: `nn.LayerNorm(use_bias=False)`.
const MOMENTS: Moments = Moments { use_mean: true, use_fast_variance: true, epsilon: 1e-6 };

/// Queries, keys, values and a mask.
type Parts<X, K, V, E, M> = (Tensor<X, E>, Tensor<K, E>, Tensor<V, E>, M);

/// The parameters for inputs of these shapes.
type Params<X, K, V, H, Q, O, E, B, L> = MultiHeadParams<
    <X as Heads<K, V, H, Q, O>>::OfQueries,
    <X as Heads<K, V, H, Q, O>>::OfKeys,
    <X as Heads<K, V, H, Q, O>>::OfValues,
    H,
    <X as Heads<K, V, H, Q, O>>::Depth,
    <X as Heads<K, V, H, Q, O>>::OfOutputs,
    E,
    B,
    L,
>;

/// The inputs of attention: heads of queries, keys and values, no bias, and the mask.
type Attended<X, K, V, H, Q, O, E, M> = (
    Tensor<<X as Heads<K, V, H, Q, O>>::Queries, E>,
    Tensor<<X as Heads<K, V, H, Q, O>>::Keys, E>,
    Tensor<<X as Heads<K, V, H, Q, O>>::Keys, E>,
    (),
    M,
);

/// What the derivative of the normalisation of heads reads, if there is one.
type OfNorm<S, E, L> = Option<normalize::Residuals<S, E, <L as UseScale>::Of<(<S as SplitLast>::Last,), E>>>;

/// What the derivative reads.
pub struct Residuals<X, K, V, H, Q, O, E, L, M, NX, NK, NV>
where
    X: Heads<K, V, H, Q, O>,
    K: Shape,
    V: Shape,
    H: Static,
    E: Float,
    L: UseScale,
    NX: Need,
    NK: Need,
    NV: Need,
{
    query: projection::Residuals<X, E, NX>,
    key: projection::Residuals<K, E, NK>,
    value: projection::Residuals<V, E, NV>,
    query_ln: OfNorm<X::Queries, E, L>,
    key_ln: OfNorm<X::Keys, E, L>,
    attention: dot_product_attention::Residuals<X::Queries, X::Keys, X::Keys, E, (), M, Yes, Yes, Yes, No>,
    out: projection::Residuals<X::Queries, E, Yes>,
}

/// Draws the parameters, in Flax's order.
pub fn init<I, J, K, H, D, O, E, B, L>(
    scope: &Scope,
    kernel: &Initializer,
    bias: &Initializer,
) -> MultiHeadParams<I, J, K, H, D, O, E, B, L>
where
    I: Static,
    J: Static,
    K: Static,
    H: Static,
    D: Static,
    O: Static,
    E: Float,
    B: UseBias,
    L: UseScale,
{
    MultiHeadParams {
        query: projection::init(&scope.child("query"), kernel, bias),
        key: projection::init(&scope.child("key"), kernel, bias),
        value: projection::init(&scope.child("value"), kernel, bias),
        query_ln: ScaleBias::init(&scope.child("query_ln"), &ones(), &zeros()),
        key_ln: ScaleBias::init(&scope.child("key_ln"), &ones(), &zeros()),
        out: projection::init(&scope.child("out"), kernel, bias),
    }
}

/// Computes the output.
pub fn infer<X, K, V, H, Q, O, E, B, L, M>(
    params: &Params<X, K, V, H, Q, O, E, B, L>,
    (queries, keys, values, mask): Parts<X, K, V, E, M>,
) -> Tensor<X::Out, E>
where
    X: Heads<K, V, H, Q, O>,
    K: Shape,
    V: Shape,
    H: Static,
    E: Float,
    B: UseBias,
    L: UseScale,
    M: AttentionMask<X::Weights>,
{
    let queries: Tensor<X::Queries, E> = projection::infer(&params.query, queries);
    let keys: Tensor<X::Keys, E> = projection::infer(&params.key, keys);
    let values: Tensor<X::Keys, E> = projection::infer(&params.value, values);
    let (queries, keys) = (normalized(&params.query_ln, queries), normalized(&params.key_ln, keys));
    let heads = dot_product_attention::Op.infer((queries, keys, values, (), mask));
    projection::infer(&params.out, heads)
}

/// Computes the output, and keeps what [`backward`] reads.
#[allow(clippy::type_complexity)]
pub fn forward<X, K, V, H, Q, O, E, B, L, M, NX, NK, NV>(
    params: &Params<X, K, V, H, Q, O, E, B, L>,
    (queries, keys, values, mask): Parts<X, K, V, E, M>,
) -> (Tensor<X::Out, E>, Residuals<X, K, V, H, Q, O, E, L, M, NX, NK, NV>)
where
    X: Heads<K, V, H, Q, O>,
    K: Shape,
    V: Shape,
    H: Static,
    E: Float,
    B: UseBias,
    L: UseScale,
    M: AttentionMask<X::Weights>,
    NX: Need,
    NK: Need,
    NV: Need,
{
    let (queries, query) = projection::forward(&params.query, queries);
    let (keys, key) = projection::forward(&params.key, keys);
    let (values, value) = projection::forward(&params.value, values);
    let (queries, query_ln) = normalized_forward(&params.query_ln, queries);
    let (keys, key_ln) = normalized_forward(&params.key_ln, keys);
    let heads: Attended<X, K, V, H, Q, O, E, M> = (queries, keys, values, (), mask);
    let (heads, attention) =
        Differentiable::<_, (Yes, Yes, Yes, No, No)>::forward(&dot_product_attention::Op, heads);
    let (y, out) = projection::forward(&params.out, heads);
    (y, Residuals { query, key, value, query_ln, key_ln, attention, out })
}

/// From the cotangent of the output, the gradient of the parameters and the cotangents of queries, keys and values.
#[allow(clippy::type_complexity)]
pub fn backward<X, K, V, H, Q, O, E, B, L, M, NX, NK, NV>(
    params: &Params<X, K, V, H, Q, O, E, B, L>,
    residuals: Residuals<X, K, V, H, Q, O, E, L, M, NX, NK, NV>,
    cotangent: Tensor<X::Out, E>,
) -> (Params<X, K, V, H, Q, O, E, B, L>, (NX::Of<Tensor<X, E>>, NK::Of<Tensor<K, E>>, NV::Of<Tensor<V, E>>))
where
    X: Heads<K, V, H, Q, O>,
    K: Shape,
    V: Shape,
    H: Static,
    E: Float,
    B: UseBias,
    L: UseScale,
    M: AttentionMask<X::Weights>,
    NX: Need,
    NK: Need,
    NV: Need,
{
    let (out, heads) = projection::backward(&params.out, residuals.out, cotangent);
    let (queries, keys, values, (), ()) = Differentiable::<
        Attended<X, K, V, H, Q, O, E, M>,
        (Yes, Yes, Yes, No, No),
    >::backward(
        &dot_product_attention::Op, residuals.attention, heads
    );
    let (query_ln, queries) = normalized_backward::<_, _, L>(residuals.query_ln, queries);
    let (key_ln, keys) = normalized_backward::<_, _, L>(residuals.key_ln, keys);
    let (query, queries) = projection::backward(&params.query, residuals.query, queries);
    let (key, keys) = projection::backward(&params.key, residuals.key, keys);
    let (value, values) = projection::backward(&params.value, residuals.value, values);
    (MultiHeadParams { query, key, value, query_ln, key_ln, out }, (queries, keys, values))
}

/// Heads whose depth is normalised, if there is a scale.
fn normalized<S: SplitLast, E: Float, L: UseScale>(
    params: &ScaleBias<(S::Last,), E, L, NoBias>,
    heads: Tensor<S, E>,
) -> Tensor<S, E>
where
    S::Last: Static,
{
    match PerFeature::<(S::Last,), E>::numbers(&params.scale) {
        None => heads,
        Some(_) => normalize::Op::<(S::Last,)>::rows(MOMENTS).infer((heads, params.scale.clone(), ())),
    }
}

/// The same, and what `normalized_backward` reads.
fn normalized_forward<S: SplitLast, E: Float, L: UseScale>(
    params: &ScaleBias<(S::Last,), E, L, NoBias>,
    heads: Tensor<S, E>,
) -> (Tensor<S, E>, OfNorm<S, E, L>)
where
    S::Last: Static,
{
    if PerFeature::<(S::Last,), E>::numbers(&params.scale).is_none() {
        return (heads, None);
    }
    let op = normalize::Op::<(S::Last,)>::rows(MOMENTS);
    let (heads, kept) = Differentiable::<_, (Yes, Yes, No)>::forward(&op, (heads, params.scale.clone(), ()));
    (heads, Some(kept))
}

/// The gradient of the scale and the cotangent of the heads.
fn normalized_backward<S: SplitLast, E: Float, L: UseScale>(
    kept: OfNorm<S, E, L>,
    cotangent: Tensor<S, E>,
) -> (ScaleBias<(S::Last,), E, L, NoBias>, Tensor<S, E>)
where
    S::Last: Static,
{
    let Some(kept) = kept else {
        let scale = L::Of::written((S::Last::default(),), |_| ());
        return (ScaleBias { scale, bias: () }, cotangent);
    };
    type Inputs<S, E, L> = (Tensor<S, E>, <L as UseScale>::Of<(<S as SplitLast>::Last,), E>, ());
    let op = normalize::Op::<(S::Last,)>::rows(MOMENTS);
    let (heads, scale, ()) =
        Differentiable::<Inputs<S, E, L>, (Yes, Yes, No)>::backward(&op, kept, cotangent);
    (ScaleBias { scale, bias: () }, heads)
}
