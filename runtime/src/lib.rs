//! Flax Linen for Rust: shapes checked and backward passes written at compile time.

pub mod error;
pub mod rng;

pub use error::{Error, Result};
