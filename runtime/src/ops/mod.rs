//! The ops: one file each, with its formula, shape rule, body, derivative and cases.
//!
//! Enters: the op contract and the kernels of the backend. Leaves: for every op a module with a type `Op` in it and,
//! where no type-level arguments are needed, a function of the same name for use outside of modules.

mod bias;
mod elementwise;
mod pool;
#[cfg(test)]
pub(crate) mod testing;

pub mod avg_pool;
pub mod avg_pool_with;
pub mod conv;
pub mod linear;
pub mod matmul;
pub mod max_pool;
pub mod max_pool_with;
pub mod relu;

pub use bias::Bias;
pub use elementwise::{Elementwise, Kept};
pub use linear::linear;
pub use matmul::matmul;
pub use relu::relu;
