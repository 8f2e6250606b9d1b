//! The kernels on the processor: SIMD chosen when the program runs, and a thread pool.

pub(super) mod conv;
pub(super) mod gemm;
pub(super) mod lanes;
pub(super) mod pool;
pub(super) mod threads;
