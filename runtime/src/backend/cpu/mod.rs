//! The kernels on the processor: SIMD chosen when the program runs, and a thread pool.

mod conv;
mod gemm;
pub(super) mod kernels;
pub(super) mod lanes;
pub(crate) mod map;
pub(crate) mod math;
mod pack;
mod panel;
mod pool;
pub(crate) mod reduce;
mod rows;
mod scratch;
mod simd;
pub(super) mod threads;
