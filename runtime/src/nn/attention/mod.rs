//! Attention with several heads.

mod inputs;
mod params;
mod passes;

pub use inputs::{Inputs, Pull};
pub use params::{IntoHeads, MultiHeadParams, OutOfHeads};

use super::{Layer, NoBias, NoScale, UseBias, UseScale, WithBias, WithScale};
use crate::init::{Initializer, lecun_normal, zeros};
use crate::keyword::{self, Switch, With};
use crate::module::{Module, Trainable};
use crate::op::Needs;
use crate::ops::AttentionMask;
use crate::rng::Scope;
use crate::shape::heads::{Given, Heads};
use crate::shape::{Message, Rule, Size, Sizes, Static};
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// Attention with `H` heads (Vaswani and others 2017), as `nn.MultiHeadDotProductAttention`: queries, keys and values are
/// projected into heads, each attends by itself ([`dot_product_attention`](fn@crate::ops::dot_product_attention)), and what they
/// give is projected into the output.
///
/// It takes `x`, for attention of a sequence to itself; `(queries, keys)`, for keys that are the values too; or `(queries, keys,
/// values)`. Inputs are `[.., T, I]`. A mask of `bool` may follow `x` or the values; it broadcasts to `[.., H, T, S]`, and where it
/// is false the key does not count.
///
/// | argument | keyword | default |
/// |---|---|---|
/// | `H` | | the number of heads, Flax's `num_heads` |
/// | `Q` | `qkv_features = 64`, of all heads together | those of the queries' input |
/// | `O` | `out_features = 64` | those of the queries' input |
/// | `B` | `use_bias = false` | [`WithBias`] |
/// | `L` | `normalize_qk = true`: queries and keys are normalised, head by head (Dehghani and others 2023) | [`NoScale`] |
/// | | `kernel_init`, `bias_init`, of all projections | [`lecun_normal`], [`zeros`] |
///
/// | parameter | shape |
/// |---|---|
/// | `query/kernel`, `query/bias`, and of `key` and `value` | `[I, H, D]`, `[H, D]` |
/// | `query_ln/scale`, `key_ln/scale` | `[D]`, with `normalize_qk = true` |
/// | `out/kernel`, `out/bias` | `[H, D, O]`, `[O]` |
///
/// ```
/// use flaxen::nn::MultiHeadDotProductAttention;
/// use flaxen::prelude::*;
///
/// let layer = MultiHeadDotProductAttention::<U2>::new();
/// let x: Tensor![3, 5, 8] = Key::new(1).normal(Default::default());
/// let variables = layer.init(Key::new(0), &x);
/// assert_eq!(variables.params.query.kernel.sizes(), [8, 2, 4]);
/// let y: Tensor![3, 5, 8] = layer.apply(&variables, x.clone());
/// // A single query for each of the three, and only the first two tokens count.
/// let query: Tensor![3, 1, 8] = Key::new(2).normal(Default::default());
/// let mask: Tensor![5; bool] = Tensor::of(&[true, true, false, false, false])?;
/// let y: Tensor![3, 1, 8] = layer.apply(&variables, (query, x.clone(), x, mask));
/// # Ok::<(), flaxen::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct MultiHeadDotProductAttention<H, Q = (), O = (), B = WithBias, L = NoScale> {
    kernel_init: Initializer,
    bias_init: Initializer,
    #[serde(skip)]
    arguments: PhantomData<(H, Q, O, B, L)>,
}

/// Attention of a sequence to itself: another name of [`MultiHeadDotProductAttention`], which takes one input too.
pub type SelfAttention<H, Q = (), O = (), B = WithBias, L = NoScale> =
    MultiHeadDotProductAttention<H, Q, O, B, L>;

impl<H: Static, Q, O: Given, B, L> MultiHeadDotProductAttention<H, Q, O, B, L> {
    /// A layer with Flax's initialisers.
    pub const fn new() -> Self {
        Self { kernel_init: lecun_normal(), bias_init: zeros(), arguments: PhantomData }
    }

    /// The layer with another initialiser of all kernels.
    pub const fn kernel_init(mut self, kernel_init: Initializer) -> Self {
        self.kernel_init = kernel_init;
        self
    }

    /// The layer with another initialiser of all biases.
    pub const fn bias_init(mut self, bias_init: Initializer) -> Self {
        self.bias_init = bias_init;
        self
    }

    /// The rule in numbers: the queries' sizes, with the features of the output.
    pub const fn shape<const N: usize>(inputs: [Sizes; N]) -> Rule {
        let queries = inputs[0];
        if queries.rank() < 2 {
            let message = Message::new("MultiHeadDotProductAttention: expects [.., T, features], got ");
            return Rule::Refused(message.sizes(queries));
        }
        match O::GIVEN {
            Some(features) => Rule::Out(queries.with(queries.rank() - 1, Size::Known(features))),
            None => Rule::Out(queries),
        }
    }
}

impl<H: Static, Q, O: Given, B, L> Default for MultiHeadDotProductAttention<H, Q, O, B, L> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H, Q, O, B, L> Layer for MultiHeadDotProductAttention<H, Q, O, B, L> {}

impl<H, Q, O, B, L, V> With<keyword::qkv_features, V> for MultiHeadDotProductAttention<H, Q, O, B, L> {
    type Out = MultiHeadDotProductAttention<H, V, O, B, L>;
}

impl<H, Q, O, B, L, V> With<keyword::out_features, V> for MultiHeadDotProductAttention<H, Q, O, B, L> {
    type Out = MultiHeadDotProductAttention<H, Q, V, B, L>;
}

impl<H, Q, O, B, L, V: Switch> With<keyword::use_bias, V> for MultiHeadDotProductAttention<H, Q, O, B, L> {
    type Out = MultiHeadDotProductAttention<H, Q, O, V::Choose<WithBias, NoBias>, L>;
}

impl<H, Q, O, B, L, V: Switch> With<keyword::normalize_qk, V>
    for MultiHeadDotProductAttention<H, Q, O, B, L>
{
    type Out = MultiHeadDotProductAttention<H, Q, O, B, V::Choose<WithScale, NoScale>>;
}

/// The parameters of a layer for inputs `In`.
type Params<In, H, Q, O, B, L> = MultiHeadParams<
    <Queries<In> as Heads<Keys<In>, Values<In>, H, Q, O>>::OfQueries,
    <Queries<In> as Heads<Keys<In>, Values<In>, H, Q, O>>::OfKeys,
    <Queries<In> as Heads<Keys<In>, Values<In>, H, Q, O>>::OfValues,
    H,
    <Queries<In> as Heads<Keys<In>, Values<In>, H, Q, O>>::Depth,
    <Queries<In> as Heads<Keys<In>, Values<In>, H, Q, O>>::OfOutputs,
    <In as Inputs>::Element,
    B,
    L,
>;

type Queries<In> = <In as Inputs>::Queries;
type Keys<In> = <In as Inputs>::Keys;
type Values<In> = <In as Inputs>::Values;

impl<In, H, Q, O, B, L> Module<In> for MultiHeadDotProductAttention<H, Q, O, B, L>
where
    In: Inputs,
    In::Queries: Heads<In::Keys, In::Values, H, Q, O>,
    In::Mask: AttentionMask<<In::Queries as Heads<In::Keys, In::Values, H, Q, O>>::Weights>,
    H: Static,
    B: UseBias,
    L: UseScale,
{
    type Out = Tensor<<In::Queries as Heads<In::Keys, In::Values, H, Q, O>>::Out, In::Element>;
    type Params = Params<In, H, Q, O, B, L>;
    type State = ();
    type Updates = ();
    type Draws = ();

    fn init(&self, scope: &Scope) -> (Self::Params, ()) {
        (passes::init(scope, &self.kernel_init, &self.bias_init), ())
    }

    fn infer(&self, params: &Self::Params, (): &mut (), _: &Scope, input: In) -> Self::Out {
        passes::infer::<In::Queries, In::Keys, In::Values, H, Q, O, _, B, L, _>(params, input.parts())
    }
}

impl<In, H, Q, O, B, L, N> Trainable<In, N> for MultiHeadDotProductAttention<H, Q, O, B, L>
where
    In: Pull<N>,
    In::Queries: Heads<In::Keys, In::Values, H, Q, O>,
    In::Mask: AttentionMask<<In::Queries as Heads<In::Keys, In::Values, H, Q, O>>::Weights>,
    H: Static,
    B: UseBias,
    L: UseScale,
    N: Needs<In>,
{
    type Residuals = passes::Residuals<
        In::Queries,
        In::Keys,
        In::Values,
        H,
        Q,
        O,
        In::Element,
        L,
        In::Mask,
        In::NeedQueries,
        In::NeedKeys,
        In::NeedValues,
    >;

    fn forward(
        &self,
        params: &Self::Params,
        (): &mut (),
        _: &Scope,
        input: In,
    ) -> (Self::Out, Self::Residuals) {
        passes::forward::<In::Queries, In::Keys, In::Values, H, Q, O, _, B, L, _, _, _, _>(
            params,
            input.parts(),
        )
    }

    fn backward(
        &self,
        params: &Self::Params,
        residuals: Self::Residuals,
        cotangent: Self::Out,
    ) -> (Self::Params, N::Cotangents) {
        let (gradient, (queries, keys, values)) = passes::backward::<
            In::Queries,
            In::Keys,
            In::Values,
            H,
            Q,
            O,
            _,
            B,
            L,
            _,
            In::NeedQueries,
            In::NeedKeys,
            In::NeedValues,
        >(params, residuals, cotangent);
        (gradient, In::pull(queries, keys, values))
    }
}
