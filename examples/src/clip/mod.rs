//! The vision tower of CLIP (Radford and others 2021), with the names of Hugging Face's `FlaxCLIPModel`, so that its
//! pretrained parameters fit.
//!
//! A vision transformer (Dosovitskiy and others 2020): an image is cut into patches, each patch becomes a vector, and a stack
//! of encoder layers with self-attention changes them. What stands for the whole image is the vector of one more token.

mod attention;
mod classifier;
mod embeddings;
mod encoder;
mod pretrained;
mod vision;

pub use attention::Attention;
pub use classifier::Classifier;
pub use embeddings::{PositionEmbedding, VisionEmbeddings};
pub use encoder::{EncoderLayer, Mlp};
pub use pretrained::Pretrained;
pub use vision::{ClipVision, Encoder, VisionTransformer};

/// What CLIP adds to a variance (`layer_norm_eps`).
pub const EPSILON: f64 = 1e-5;
