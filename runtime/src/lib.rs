//! Flax Linen for Rust: shapes checked and backward passes written at compile time.

pub mod backend;
pub mod error;

pub use error::{Error, Result};
