//! The kernels on the processor: SIMD chosen when the program runs, and a thread pool.

pub(super) mod conv;
pub(super) mod gemm;
pub(super) mod lanes;
mod panel;
pub(super) mod pool;
mod rows;
mod scratch;
mod simd;
pub(super) mod threads;
