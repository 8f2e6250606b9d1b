//! The kernels on the processor: SIMD chosen when the program runs, and a thread pool.

pub(crate) mod attention;
pub(crate) mod columns;
pub(super) mod conv;
pub(crate) mod copy;
mod dual;
pub(crate) mod gather;
mod gemm;
pub(super) mod kernels;
pub(super) mod lanes;
pub(crate) mod map;
pub(crate) mod math;
pub(crate) mod normalize;
mod pack;
mod panel;
mod pool;
mod portable;
pub(super) mod prefetch;
pub(crate) mod reduce;
mod rows;
pub(crate) mod rowwise;
mod scratch;
pub(super) mod share;
mod simd;
mod small;
pub(super) mod squares;
pub(crate) mod stretch;
pub(super) mod threads;
