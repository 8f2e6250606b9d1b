//! The tutorials of Flax, in flaxen: what more than one of their programs needs.

pub mod clip;
pub mod digits;
pub mod fashion_mnist;
pub mod metrics_log;
pub mod picture_grid;
pub mod progress;
