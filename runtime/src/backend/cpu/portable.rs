//! The matrix product where the processor has no SIMD that our kernels know: that of `matrixmultiply`.
//!
//! Rows are shared out among the threads in pieces of a fixed size, so that the result does not depend on their number.
//! Unlike the kernels, `matrixmultiply` allocates its packing buffers at every call.

use super::lanes::Lanes;
use super::panel::Finish;
use super::threads::parallel_chunks;
use crate::backend::{Epilogue, Gemm};

/// Rows of a task.
const ROWS: usize = 64;

/// See [`crate::backend::gemm`]. The caller has measured the operands and `c`, which is not empty.
pub(super) fn gemm<E: Lanes>(gemm: Gemm<'_, E>, c: &mut [E], c_stride: usize, epilogue: Epilogue<'_, E>) {
    let finish = Finish::from(epilogue);
    parallel_chunks(c, ROWS * c_stride, |task, c| {
        // Where `k` is 0, `A` is empty.
        let first = (task * ROWS * gemm.a_strides[0]).min(gemm.a.len());
        let part = Gemm { m: c.len().div_ceil(c_stride), a: &gemm.a[first..], ..gemm };
        E::portable_product(part, finish.accumulate, c, c_stride);
        if finish.bias.is_some() || finish.relu {
            for row in c.chunks_mut(c_stride) {
                let row = row[..gemm.n].iter_mut().enumerate();
                row.for_each(|(column, c)| finish.apply(c, *c, column));
            }
        }
    });
}
