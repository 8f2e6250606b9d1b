//! Matrix products as panels.
//!
//! A task computes a block of `C` over the whole of `k`, in blocks of [`DEPTH`]: so the order in which an element's
//! products are added depends on the sizes only. `A` is read where it lies if its rows are side by side (a
//! transposed operand, as in the gradient of a dense layer's kernel); otherwise its block is packed, which is little
//! more than a copy. `B` is read where it lies, or packed strip by strip when more than one tile of rows
//! reads it or when its columns are not side by side.

#![allow(unsafe_code)]

use pulp::Arch;

use super::lanes::Lanes;
use super::panel::{BLOCK, Panel, Rows, Tap, strip};
use super::scratch::{padded, with_scratch};
use super::simd::arch;
use super::threads::{Shared, parallel_seated, seats, threads};
use crate::backend::{Epilogue, Gemm};

/// Steps of the sum that are packed at once: a strip of `B` of this depth fits the first cache.
const DEPTH: usize = 256;

/// Products of fewer multiplications than this are not worth a second thread.
const SMALL: usize = 1 << 17;

/// `C = A·B` with an [`Epilogue`]; `c` is `m` by `n` in row-major order.
pub fn gemm<E: Lanes>(gemm: Gemm<'_, E>, c: &mut [E], epilogue: Epilogue<'_, E>) {
    gemm_with(arch(), gemm, c, epilogue);
}

/// [`gemm`] with a given instruction set.
pub(super) fn gemm_with<E: Lanes>(arch: Arch, gemm: Gemm<'_, E>, c: &mut [E], epilogue: Epilogue<'_, E>) {
    let Gemm { m, k, n, .. } = gemm;
    assert_eq!(c.len(), m * n, "a product of {m} by {n}");
    assert!(
        reach(gemm.a_strides, [m, k]) <= gemm.a.len(),
        "A is shorter than {m} by {k} with its strides"
    );
    assert!(
        reach(gemm.b_strides, [k, n]) <= gemm.b.len(),
        "B is shorter than {k} by {n} with its strides"
    );
    if c.is_empty() {
        return;
    }
    let plan = Plan::new(arch, &gemm);
    let tasks = m.div_ceil(plan.rows) * n.div_ceil(plan.columns);
    let seats = seats(tasks);
    let c = Shared(c.as_mut_ptr());
    with_scratch(seats * plan.seat::<E>(), |scratch: &mut [E]| {
        let scratch = Shared(scratch.as_mut_ptr());
        parallel_seated(seats, tasks, |seat, task| {
            let (row, column) = (task / n.div_ceil(plan.columns), task % n.div_ceil(plan.columns));
            let (row, column) = (row * plan.rows, column * plan.columns);
            let (rows, columns) = (plan.rows.min(m - row), plan.columns.min(n - column));
            let block = Block {
                arch,
                plan: &plan,
                gemm: &gemm,
                row,
                column,
                rows,
                columns,
            };
            // SAFETY: the blocks of different tasks do not overlap, `c` has `m * n` elements and stays borrowed,
            // the operands were measured above, and every seat has its own piece of the scratch buffer.
            unsafe { block.compute(scratch.at(seat * plan.seat::<E>()), c, epilogue) };
        });
    });
}

/// The number of elements that a matrix with these strides reaches over.
fn reach(strides: [usize; 2], sizes: [usize; 2]) -> usize {
    if sizes.contains(&0) {
        0
    } else {
        (sizes[0] - 1) * strides[0] + (sizes[1] - 1) * strides[1] + 1
    }
}

/// How a product is cut up.
struct Plan {
    /// Rows and columns of a task's block.
    rows: usize,
    columns: usize,
    /// Columns of a strip.
    strip: usize,
    pack_a: bool,
    pack_b: bool,
}

impl Plan {
    fn new<E: Lanes>(arch: Arch, gemm: &Gemm<'_, E>) -> Self {
        let Gemm {
            m,
            k,
            n,
            a_strides,
            b_strides,
            ..
        } = *gemm;
        let strip = strip::<E>(arch);
        let tasks = if m * n * k.max(1) < SMALL {
            1
        } else {
            2 * threads()
        };
        let (rows, columns) = if tasks > 1 && m >= 112 {
            (m.div_ceil(tasks).next_multiple_of(56).min(112), n)
        } else {
            (m.min(112), n.div_ceil(tasks).next_multiple_of(strip))
        };
        Self {
            rows,
            columns,
            strip,
            pack_a: m > 1 && a_strides[0] != 1,
            pack_b: b_strides[1] != 1 || m > 16,
        }
    }

    /// Elements of scratch for a block of `A`.
    fn a_len<E>(&self) -> usize {
        if self.pack_a {
            padded::<E>(self.rows * DEPTH)
        } else {
            0
        }
    }

    /// Elements of scratch for a thread: the block of `A` and a strip of `B`.
    fn seat<E>(&self) -> usize {
        self.a_len::<E>() + DEPTH * self.strip
    }
}

/// A task: a block of `C`.
struct Block<'a, E> {
    arch: Arch,
    plan: &'a Plan,
    gemm: &'a Gemm<'a, E>,
    row: usize,
    column: usize,
    rows: usize,
    columns: usize,
}

impl<E: Lanes> Block<'_, E> {
    /// Computes the block.
    ///
    /// # Safety
    /// `scratch` must be writable for [`Plan::seat`] elements and `c` for `m * n`; nobody else may touch the scratch or
    /// this block of `c` meanwhile. The operands must reach as far as their strides say.
    unsafe fn compute(&self, scratch: *mut E, c: Shared<E>, epilogue: Epilogue<'_, E>) {
        let Gemm {
            k,
            n,
            a,
            a_strides,
            b,
            b_strides,
            ..
        } = *self.gemm;
        let (packed_a, packed_b) = (scratch, scratch.wrapping_add(self.plan.a_len::<E>()));
        let mut done = 0;
        loop {
            let depth = DEPTH.min(k - done);
            let a = a
                .as_ptr()
                .wrapping_add(self.row * a_strides[0] + done * a_strides[1]);
            if self.plan.pack_a {
                // SAFETY: the block lies within `A`, and `a_len` is its packed size.
                unsafe { pack_rows(a, a_strides, self.rows, depth, packed_a) };
            }
            for start in (0..self.columns).step_by(self.plan.strip) {
                let width = self.plan.strip.min(self.columns - start);
                let column = self.column + start;
                let mut b = b
                    .as_ptr()
                    .wrapping_add(done * b_strides[0] + column * b_strides[1]);
                let mut b_step = b_strides[0];
                if self.plan.pack_b || width < self.plan.strip {
                    // SAFETY: the strip lies within `B`, and the piece has room for one of full width.
                    unsafe { pack_strip(b, b_strides, depth, width, self.plan.strip, packed_b) };
                    (b, b_step) = (packed_b, self.plan.strip);
                }
                let (first, last) = (done == 0, done + depth == k);
                let bias = match epilogue {
                    Epilogue::Bias(bias) | Epilogue::BiasRelu(bias) if last => {
                        Some(&bias[column..column + width])
                    }
                    _ => None,
                };
                let mut taps = [Tap {
                    a: 0,
                    b: 0,
                    len: depth,
                }; DEPTH / BLOCK];
                let panel = Panel {
                    rows: self.rows,
                    columns: width,
                    taps: self.taps(&mut taps, depth, b_step),
                    a: if self.plan.pack_a { packed_a } else { a },
                    a_rows: if self.plan.pack_a {
                        Rows::Blocked
                    } else {
                        Rows::Adjacent
                    },
                    a_step: if self.plan.pack_a { 1 } else { a_strides[1] },
                    b,
                    b_step,
                    c: c.at(self.row * n + column),
                    c_row: n,
                    accumulate: !first || matches!(epilogue, Epilogue::Accumulate),
                    bias,
                    relu: last && matches!(epilogue, Epilogue::BiasRelu(_)),
                };
                // SAFETY: `A` and `B` are read within the block (packed or in place, where a strip is
                // full), `C` is the caller's promise.
                unsafe { panel.run(self.arch) };
            }
            done += depth;
            if done >= k {
                break;
            }
        }
    }

    /// The sum over `depth` steps: in one stretch where `A` is read in place, in blocks where it is packed.
    fn taps<'t>(&self, taps: &'t mut [Tap], depth: usize, b_step: usize) -> &'t [Tap] {
        if !self.plan.pack_a {
            return &taps[..1];
        }
        let count = depth.div_ceil(BLOCK);
        for (i, tap) in taps[..count].iter_mut().enumerate() {
            let start = i * BLOCK;
            *tap = Tap {
                a: start * self.rows,
                b: start * b_step,
                len: BLOCK.min(depth - start),
            };
        }
        &taps[..count]
    }
}

/// Packs rows of `A` for [`Rows::Blocked`]: block after block of the sum, in each row after row.
///
/// # Safety
/// `a` must be readable for `rows` by `depth` elements with these strides, `packed` writable for `rows` times `depth`
/// rounded up to blocks.
unsafe fn pack_rows<E: Lanes>(a: *const E, strides: [usize; 2], rows: usize, depth: usize, packed: *mut E) {
    for row in 0..rows {
        let from = a.wrapping_add(row * strides[0]);
        for start in (0..depth).step_by(BLOCK) {
            let to = packed.wrapping_add(start * rows + row * BLOCK);
            let from = from.wrapping_add(start * strides[1]);
            let len = BLOCK.min(depth - start);
            // SAFETY: the caller's promise. The first case is a copy of known size, the common one.
            unsafe {
                if strides[1] == 1 && len == BLOCK {
                    to.copy_from_nonoverlapping(from, BLOCK);
                } else {
                    (0..len).for_each(|i| *to.add(i) = *from.add(i * strides[1]));
                }
            }
        }
    }
}

/// Packs a strip of `B`, with zeros to its right where it is not full.
///
/// # Safety
/// `b` must be readable for `depth` by `width` elements with these strides, `packed` writable for `depth * strip`.
pub(super) unsafe fn pack_strip<E: Lanes>(
    b: *const E,
    strides: [usize; 2],
    depth: usize,
    width: usize,
    strip: usize,
    packed: *mut E,
) {
    // SAFETY: the caller's promise, here and below.
    let packed = unsafe { std::slice::from_raw_parts_mut(packed, depth * strip) };
    if width < strip {
        packed.fill(E::default());
    }
    if strides[1] == 1 {
        for (step, row) in packed.chunks_exact_mut(strip).enumerate() {
            // SAFETY: as above.
            row[..width]
                .copy_from_slice(unsafe { std::slice::from_raw_parts(b.add(step * strides[0]), width) });
        }
    } else {
        for column in 0..width {
            for (step, row) in packed.chunks_exact_mut(strip).enumerate() {
                // SAFETY: as above.
                row[column] = unsafe { *b.add(step * strides[0] + column * strides[1]) };
            }
        }
    }
}
