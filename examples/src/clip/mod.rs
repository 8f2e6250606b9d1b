//! The vision tower of CLIP (Radford and others 2021), with the names of Hugging Face's `FlaxCLIPModel`, so that its
//! pretrained parameters fit.
//!
//! A vision transformer (Dosovitskiy and others 2020): an image is cut into patches, each patch becomes a vector, and a stack
//! of encoder layers with self-attention changes them. What stands for the whole image is the vector of one more token.

mod attention;
mod classifier;
mod config;
mod embeddings;
mod encoder;
mod pretrained;
mod vision;

pub use attention::Attention;
pub use classifier::Classifier;
pub use config::VisionConfig;
pub use embeddings::{PositionEmbedding, VisionEmbeddings};
pub use encoder::{EncoderLayer, Mlp};
pub use pretrained::Pretrained;
pub use vision::{ClipVision, Encoder, VisionTransformer};

use flaxen::prelude::*;

/// What CLIP adds to a variance (`layer_norm_eps`).
pub const EPSILON: f64 = 1e-5;

/// The vision transformer of openai/clip-vit-base-patch32: 12 layers of width 768, images of 224 by 224.
pub type VitBasePatch32 = VisionTransformer<U224, U32, U49, U768, U12, U64, dim!(3072), U12>;

/// A small one, for tests and first tries: 2 layers of width 32, images of 32 by 32.
pub type VitTiny = VisionTransformer<U32, U8, U16, U32, U4, U8, U64, U2>;
