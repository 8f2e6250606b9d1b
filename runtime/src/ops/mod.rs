//! The ops: one file each, with its formula, shape rule, body, derivative and cases.
//!
//! Enters: the op contract and the kernels of the backend. Leaves: for every op a module with a type `Op` in it and,
//! where no type-level arguments are needed, a function of the same name for use outside of modules.

mod elementwise;
#[cfg(test)]
pub(crate) mod testing;

pub mod relu;

pub use elementwise::{Elementwise, Kept};
pub use relu::relu;
