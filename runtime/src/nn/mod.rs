//! The layers, under Flax's names.
//!
//! Enters: ops, initialisers, the module contract. Leaves: one file a layer family.

mod conv;
mod dense;
mod kernel_bias;
mod layer;

pub use conv::{Conv, ConvParams};
pub use dense::{Dense, DenseParams};
pub use kernel_bias::{KernelBias, NoBias, UseBias, WithBias};
pub use layer::Layer;
