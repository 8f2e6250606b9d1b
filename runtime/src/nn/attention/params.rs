//! The parameters of attention with several heads.

use crate::nn::{KernelBias, NoBias, ScaleBias, UseBias, UseScale};
use crate::ops::PerFeature;
use crate::shape::Static;
use crate::tensor::Float;
use crate::tree::{Path, Tree, branches};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The projection of inputs of `I` features into `H` heads of `D`.
pub type IntoHeads<I, H, D, E, B> = KernelBias<(I, H, D), E, B, (H, D)>;

/// The projection of `H` heads of `D` features into outputs of `O`.
pub type OutOfHeads<H, D, O, E, B> = KernelBias<(H, D, O), E, B, (O,)>;

/// The parameters of [`MultiHeadDotProductAttention`](super::MultiHeadDotProductAttention), for queries, keys and values of `I`,
/// `J` and `K` features, `H` heads of `D`, and outputs of `O`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
#[allow(clippy::type_complexity)]
pub struct MultiHeadParams<I, J, K, H, D, O, E, B, L>
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
    /// Of queries: `[I, H, D]`.
    pub query: IntoHeads<I, H, D, E, B>,
    /// Of keys: `[J, H, D]`.
    pub key: IntoHeads<J, H, D, E, B>,
    /// Of values: `[K, H, D]`.
    pub value: IntoHeads<K, H, D, E, B>,
    /// The scale of the normalised queries, if they are normalised.
    #[serde(skip_serializing_if = "is_empty")]
    pub query_ln: ScaleBias<(D,), E, L, NoBias>,
    /// The scale of the normalised keys, if they are normalised.
    #[serde(skip_serializing_if = "is_empty")]
    pub key_ln: ScaleBias<(D,), E, L, NoBias>,
    /// Of outputs: `[H, D, O]`.
    pub out: OutOfHeads<H, D, O, E, B>,
}

fn is_empty<D: Static, E: Float, L: UseScale>(scale: &ScaleBias<(D,), E, L, NoBias>) -> bool {
    PerFeature::<(D,), E>::numbers(&scale.scale).is_none()
}

impl<I, J, K, H, D, O, E, B, L> Tree for MultiHeadParams<I, J, K, H, D, O, E, B, L>
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
    branches!(Path::child: query key value query_ln key_ln out);
}

/// Prints the shapes, as Flax does: `{query: {kernel: (8, 2, 4), bias: (2, 4)}, …}`.
impl<I, J, K, H, D, O, E, B, L> fmt::Debug for MultiHeadParams<I, J, K, H, D, O, E, B, L>
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
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = formatter.debug_map();
        map.entry(&format_args!("query"), &self.query);
        map.entry(&format_args!("key"), &self.key);
        map.entry(&format_args!("value"), &self.value);
        if !is_empty(&self.query_ln) {
            map.entry(&format_args!("query_ln"), &self.query_ln);
            map.entry(&format_args!("key_ln"), &self.key_ln);
        }
        map.entry(&format_args!("out"), &self.out).finish()
    }
}
