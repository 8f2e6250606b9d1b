//! The layers, under Flax's names.
//!
//! Enters: ops, initialisers, the module contract. Leaves: one file a layer family.

mod attention;
mod batch_norm;
mod conv;
mod dense;
mod dense_general;
mod dropout;
mod embed;
mod frozen;
mod kernel_bias;
mod layer;
mod norm;
mod projection;
mod scale_bias;
mod stack;

pub use attention::{
    Inputs as AttentionInputs, IntoHeads, MultiHeadDotProductAttention, MultiHeadParams, OutOfHeads,
    SelfAttention,
};
pub use batch_norm::{BatchNorm, NoAxis, RunningStatistics};
pub use conv::{Conv, ConvParams};
pub use dense::{Dense, DenseParams};
pub use dense_general::{DenseGeneral, Features};
pub use dropout::Dropout;
pub use embed::{Embed, EmbedParams};
pub use frozen::Frozen;
pub use kernel_bias::{KernelBias, NoBias, UseBias, WithBias};
pub use layer::Layer;
pub use norm::{
    GroupNorm, Groups, InstanceNorm, Instances, Kind, LayerNorm, Norm, Normalizes, RMSNorm, RootMeanSquare,
    Rows,
};
pub use scale_bias::{NoScale, ScaleBias, UseScale, WithScale};
pub use stack::{Repeated, Repeats, Stack};
