//! Matrix products as panels.
//!
//! A task computes a part of `C` over the whole of `k`, in equal blocks of at most [`DEPTH`]: so the order in which an element's
//! products are added depends on the sizes only. Both operands are read where they lie as long as that is no slower
//! than a copy in order. Rows of `A` are, however far apart: a tile reads along each of them. `A` is packed where the
//! elements of its rows are not side by side and many strips of columns read them; `B` where many rows of a task read it or
//! where its columns are not side by side. It is packed row after row, because a matrix of weights comes from memory and wants
//! to be read in one stream.
//!
//! Where `B` is a large transposed matrix (as in the gradient of a dense layer's input), the transposed product
//! `Cᵀ = Bᵀ·Aᵀ` is made instead, so that it is the small `A` and `C` that are transposed on the way.
//!
//! Without SIMD, [`portable`] takes over.

#![allow(unsafe_code)]

use pulp::Arch;

use super::lanes::Lanes;
use super::long_sum;
use super::pack::{pack_strips, pack_tiles, strip_len, tile_row, tiles_len};
use super::panel::{BLOCK, Finish, Panel, Rows, Tap, height, strip};
use super::portable;
use super::scratch::{padded, with_scratch};
use super::simd::arch;
use super::small;
use super::threads::{Shared, parallel_seated, seats, threads};
use crate::backend::{Epilogue, Gemm, Product};

/// Steps of the sum between two visits to `C`. A strip of `B` of this depth does not fit the first cache; half as deep, it does,
/// and that was measured to be slower.
const DEPTH: usize = 512;

/// Rows that take their turn with a strip of `B`: so many, rounded up to tiles.
const ROWS: usize = 56;

/// As many where all strips of `B`, of no more elements than [`SHALLOW`], stay in the first cache: then it is better to write
/// `C` in order.
const SHALLOW_ROWS: usize = 28;
const SHALLOW: usize = 3 << 10;

/// The most columns that are packed at once: of [`DEPTH`] steps a megabyte of `f32`, for the second cache.
const COLUMNS: usize = 512;

/// The most tiles that read a strip of `B` where it lies: more of them are worth a copy in order.
const FEW_TILES: usize = 5;

/// As many of low tiles, which do little with each row of a strip, where these rows are far apart, so that the first cache keeps
/// few of them.
const FEW_LOW_TILES: usize = 2;

/// Tiles of fewer rows are low, and rows of `B` of more elements far apart.
const LOW: usize = 8;
const FAR: usize = 128;

/// Tasks of no more rows than this read `B`, whose rows are so many elements apart, where it lies.
pub(super) fn few_rows<E: Lanes>(arch: Arch, apart: usize) -> usize {
    let height = height::<E>(arch);
    height * if height < LOW && apart > FAR { FEW_LOW_TILES } else { FEW_TILES }
}

/// Where a step is a row of memory, tasks of fewer columns than this read `A` where it lies, and so do sums of no more steps: of
/// longer ones a tile reads from more pages than the processor remembers.
const FEW_COLUMNS: usize = 128;
const FEW_STEPS: usize = 64;

/// The most columns of a `C` that is narrow: a register of AVX-512 has 16 lanes, two of AVX2 have as many.
const NARROW: usize = 12;

/// See [`crate::backend::gemm`]; the rows of `c` are `c_stride` apart.
pub(super) fn gemm<E: Lanes>(gemm: Gemm<'_, E>, c: &mut [E], c_stride: usize, epilogue: Epilogue<'_, E>) {
    gemm_with(arch(), gemm, c, c_stride, epilogue);
}

/// [`gemm`] with a given instruction set.
pub(super) fn gemm_with<E: Lanes>(
    arch: Arch,
    gemm: Gemm<'_, E>,
    c: &mut [E],
    c_stride: usize,
    epilogue: Epilogue<'_, E>,
) {
    let c = checked(&gemm, c, c_stride, epilogue);
    if !c.is_empty() && !small::product(arch, &gemm, c, c_stride, epilogue) {
        large(arch, gemm, c, c_stride, epilogue);
    }
}

/// [`gemm_with`] of what is not small; `c` is [`checked`]. Not inlined, so that small products do without its registers.
#[inline(never)]
fn large<E: Lanes>(arch: Arch, gemm: Gemm<'_, E>, c: &mut [E], c_stride: usize, epilogue: Epilogue<'_, E>) {
    if matches!(arch, Arch::Scalar) || !long_sum::product(arch, &gemm, c, c_stride, epilogue) {
        uncut(arch, gemm, c, c_stride, epilogue);
    }
}

/// [`gemm_with`] of what is not small, in sums that are not cut; `c` is [`checked`].
fn uncut<E: Lanes>(arch: Arch, gemm: Gemm<'_, E>, c: &mut [E], c_stride: usize, epilogue: Epilogue<'_, E>) {
    if matches!(arch, Arch::Scalar) {
        return portable::gemm(gemm, c, c_stride, epilogue);
    }
    let work = work(&gemm);
    // The more tasks, the less time one thread waits for the other; but where every task packs all of `B`, two a thread are
    // enough, and one where that has to be turned.
    let each = match gemm.b_strides[1] {
        1 if gemm.m < gemm.n && work >= threads() << 23 => 4,
        1 => 2,
        _ => 1,
    };
    let tasks = if seats(2, work) == 1 { 1 } else { each * threads() };
    let job = Job::new(arch, gemm, c_stride, tasks);
    let (seats, len, c) = (seats(job.tasks(), work), job.seat_len(), Shared(c.as_mut_ptr()));
    with_scratch(seats * len, |scratch: &mut [E]| {
        let scratch = Shared(scratch.as_mut_ptr());
        parallel_seated(seats, job.tasks(), |seat, task| {
            // SAFETY: the parts of different tasks do not overlap, `c` and the operands were measured above and stay
            // borrowed, and every seat has its own piece of the scratch buffer.
            unsafe { job.compute(task, scratch.at(seat * len), c, epilogue) };
        });
    });
}

/// See [`crate::backend::gemm_each`].
pub(super) fn each<'a, E: Lanes>(
    c: &mut [E],
    piece: usize,
    products: usize,
    product: impl Fn(usize, usize) -> Product<'a, E> + Sync,
) {
    if c.is_empty() || products == 0 {
        return;
    }
    let (arch, pieces) = (arch(), c.len() / piece);
    let seats = seats(pieces, pieces * products * work(&product(0, 0).gemm));
    if seats == 1 || pieces < threads() || matches!(arch, Arch::Scalar) {
        for (index, c) in c.chunks_exact_mut(piece).enumerate() {
            for Product { gemm, start, c_stride } in (0..products).map(|which| product(index, which)) {
                // As with several threads, below, so that they do not change the sums.
                let c = checked(&gemm, &mut c[start..], c_stride, Epilogue::Assign);
                if !c.is_empty() && !small::product(arch, &gemm, c, c_stride, Epilogue::Assign) {
                    uncut(arch, gemm, c, c_stride, Epilogue::Assign);
                }
            }
        }
        return;
    }
    // All products have the same sizes and strides, so that one scratch buffer does for each.
    let Product { gemm, c_stride, .. } = product(0, 0);
    let len = Job::new(arch, gemm, c_stride, 1).seat_len();
    let c = Shared(c.as_mut_ptr());
    with_scratch(seats * len, |scratch: &mut [E]| {
        let scratch = Shared(scratch.as_mut_ptr());
        parallel_seated(seats, pieces, |seat, index| {
            // SAFETY: the pieces of different tasks do not overlap, and lie within `c`, which stays borrowed.
            let c = unsafe { std::slice::from_raw_parts_mut(c.at(index * piece), piece) };
            for Product { gemm, start, c_stride } in (0..products).map(|which| product(index, which)) {
                let c = checked(&gemm, &mut c[start..], c_stride, Epilogue::Assign);
                if small::product(arch, &gemm, c, c_stride, Epilogue::Assign) {
                    continue;
                }
                let job = Job::new(arch, gemm, c_stride, 1);
                assert!(job.seat_len() <= len, "products of the same sizes and strides");
                let c = Shared(c.as_mut_ptr());
                for task in 0..job.tasks() {
                    // SAFETY: `c` and the operands were measured, and every seat has its own piece of the scratch buffer.
                    unsafe { job.compute(task, scratch.at(seat * len), c, Epilogue::Assign) };
                }
            }
        });
    });
}

/// What a product takes, in multiply-adds: to move an element takes as long as a few.
pub(super) fn work<E>(&Gemm { m, k, n, .. }: &Gemm<'_, E>) -> usize {
    (m * k * n).max(4 * (m * k + k * n + m * n))
}

/// The part of `c` that the product is written to.
fn checked<'c, E: Lanes>(
    gemm: &Gemm<'_, E>,
    c: &'c mut [E],
    c_stride: usize,
    epilogue: Epilogue<'_, E>,
) -> &'c mut [E] {
    let Gemm { m, k, n, .. } = *gemm;
    assert!(n <= c_stride, "rows of {n} that are {c_stride} apart");
    let len = reach([c_stride, 1], [m, n]);
    assert!(len <= c.len(), "C is shorter than {m} by {n} with rows {c_stride} apart");
    assert!(reach(gemm.a_strides, [m, k]) <= gemm.a.len(), "A is shorter than {m} by {k} with its strides");
    assert!(reach(gemm.b_strides, [k, n]) <= gemm.b.len(), "B is shorter than {k} by {n} with its strides");
    if let Epilogue::Bias(bias) | Epilogue::BiasRelu(bias) = epilogue {
        assert_eq!(bias.len(), n, "the bias of a product of {m} by {n}");
    }
    &mut c[..len]
}

/// A product that is not empty, and how it is cut up.
pub(super) struct Job<'a, E> {
    gemm: Gemm<'a, E>,
    plan: Plan,
}

impl<'a, E: Lanes> Job<'a, E> {
    /// The product, for about so many tasks.
    pub fn new(arch: Arch, gemm: Gemm<'a, E>, c_stride: usize, tasks: usize) -> Self {
        let transposed = is_better_transposed(&gemm);
        let gemm = if transposed { gemm.transposed() } else { gemm };
        Job { plan: Plan::new(arch, &gemm, c_stride, transposed, tasks), gemm }
    }

    /// The tasks across.
    fn across(&self) -> usize {
        self.gemm.n.div_ceil(self.plan.columns)
    }

    pub fn tasks(&self) -> usize {
        self.across() * self.gemm.m.div_ceil(self.plan.rows)
    }

    /// Elements of scratch for a thread.
    pub fn seat_len(&self) -> usize {
        self.plan.pieces().into_iter().map(padded::<E>).sum()
    }

    /// Computes the part of a task.
    ///
    /// # Safety
    /// As for [`Part::compute`].
    pub unsafe fn compute(&self, task: usize, scratch: *mut E, c: Shared<E>, epilogue: Epilogue<'_, E>) {
        let (plan, across) = (&self.plan, self.across());
        let (row, column) = (task / across * plan.rows, task % across * plan.columns);
        let part = Part {
            plan,
            gemm: &self.gemm,
            row,
            column,
            rows: plan.rows.min(self.gemm.m - row),
            columns: plan.columns.min(self.gemm.n - column),
        };
        // SAFETY: the caller's promise.
        unsafe { part.compute(scratch, c, epilogue) };
    }
}

/// Whether `Cᵀ = Bᵀ·Aᵀ` takes less: where `B` is large and its columns are not side by side, or where those of `Aᵀ` are and
/// most of a strip of `C` would be empty.
pub(super) fn is_better_transposed<E>(gemm: &Gemm<'_, E>) -> bool {
    let Gemm { m, k, n, a_strides, b_strides, .. } = *gemm;
    let large = b_strides[1] != 1 && b_strides[0] == 1 && k * n > 2 * m * (k + n);
    let narrow = a_strides[1] != 1 && a_strides[0] == 1 && n <= NARROW && k >= 2 * BLOCK && m >= 4 * BLOCK;
    large || narrow
}

/// The number of elements that a matrix with these strides reaches over.
fn reach(strides: [usize; 2], sizes: [usize; 2]) -> usize {
    if sizes.contains(&0) { 0 } else { (sizes[0] - 1) * strides[0] + (sizes[1] - 1) * strides[1] + 1 }
}

impl<E> Gemm<'_, E> {
    /// `Bᵀ·Aᵀ`.
    pub(super) fn transposed(self) -> Self {
        let swap = |[rows, columns]: [usize; 2]| [columns, rows];
        Self {
            m: self.n,
            n: self.m,
            a: self.b,
            a_strides: swap(self.b_strides),
            b: self.a,
            b_strides: swap(self.a_strides),
            ..self
        }
    }
}

/// How a product is cut up.
struct Plan {
    arch: Arch,
    /// Rows and columns of a task's part.
    rows: usize,
    columns: usize,
    /// Columns of a strip.
    strip: usize,
    /// Rows that take their turn with a strip.
    at_once: usize,
    pack_a: bool,
    pack_b: bool,
    /// The distance between rows of `C`.
    c_stride: usize,
    /// Whether `C` is to be transposed.
    transposed: bool,
}

impl Plan {
    fn new<E: Lanes>(
        arch: Arch,
        gemm: &Gemm<'_, E>,
        c_stride: usize,
        transposed: bool,
        tasks: usize,
    ) -> Self {
        let Gemm { m, k, n, a_strides, b_strides, .. } = *gemm;
        let (height, strip) = (height::<E>(arch), strip::<E>(arch));
        // By rows every task reads all of `B`, by columns all of `A`.
        let by_rows = m >= n && m >= tasks * ROWS / 2;
        let (rows, columns) = if by_rows { (m.div_ceil(tasks), n) } else { (m, n.div_ceil(tasks)) };
        // Nearly equal turns: a few rows that are left over would be a low tile, whose sums wait for each other.
        let most = (if k * columns <= SHALLOW { SHALLOW_ROWS } else { ROWS }).next_multiple_of(height);
        let at_once = rows.div_ceil(rows.div_ceil(most)).next_multiple_of(height);
        Self {
            arch,
            rows,
            columns: columns.next_multiple_of(strip).min(COLUMNS),
            strip,
            at_once,
            pack_a: match a_strides {
                [_, 1] => false,
                [1, _] => k > FEW_STEPS && columns >= FEW_COLUMNS,
                _ => m > 1,
            },
            pack_b: b_strides[1] != 1 || rows > few_rows::<E>(arch, b_strides[0]),
            c_stride,
            transposed,
        }
    }

    /// Elements of scratch for blocks of `A` and `B` and for the transposed part of `C`.
    fn pieces(&self) -> [usize; 3] {
        [
            if self.pack_a { tiles_len(self.rows.min(self.at_once), DEPTH) } else { 0 },
            self.columns / self.strip * strip_len(self.strip, DEPTH),
            if self.transposed { self.rows * self.columns } else { 0 },
        ]
    }
}

/// A task: a part of `C`.
struct Part<'a, E> {
    plan: &'a Plan,
    gemm: &'a Gemm<'a, E>,
    row: usize,
    column: usize,
    rows: usize,
    columns: usize,
}

impl<E: Lanes> Part<'_, E> {
    /// Computes the part.
    ///
    /// # Safety
    /// `scratch` must be writable for [`Job::seat_len`] elements and `c` for the whole product; nobody else may touch
    /// the scratch or this part of `c` meanwhile. The operands must reach as far as their strides say.
    unsafe fn compute(&self, scratch: *mut E, c: Shared<E>, epilogue: Epilogue<'_, E>) {
        let (k, c_row) = (self.gemm.k, self.plan.c_stride);
        let [a_len, b_len, _] = self.plan.pieces().map(padded::<E>);
        let (packed_a, packed_b) = (scratch, scratch.wrapping_add(a_len));
        let product = scratch.wrapping_add(a_len + b_len);
        let finish = Finish::from(epilogue);
        let deepest = k.div_ceil(k.div_ceil(DEPTH).max(1)).next_multiple_of(BLOCK);
        let mut done = 0;
        loop {
            let depth = deepest.min(k - done);
            let mut block = if self.plan.transposed {
                Block { done, depth, c: product, c_row: self.columns, finish: Finish::from(Epilogue::Assign) }
            } else {
                let c = c.at(self.row * c_row + self.column);
                Block { done, depth, c, c_row, finish: finish.columns(self.column, self.columns) }
            };
            block.finish.accumulate |= done > 0;
            if done + depth < k {
                block.finish = Finish { bias: None, relu: false, ..block.finish };
            }
            // SAFETY: the caller's promise; the pieces are as long as the plan says.
            unsafe { self.add(&block, packed_a, packed_b) };
            done += depth;
            if done >= k {
                break;
            }
        }
        if self.plan.transposed {
            // SAFETY: the caller's promise; the product has been written above.
            unsafe { self.transpose(product, c, finish) };
        }
    }

    /// Adds a block of the sum.
    ///
    /// # Safety
    /// As for [`Self::compute`], for the block's `c`; the packed blocks must be as long as the plan says.
    unsafe fn add(&self, block: &Block<'_, E>, packed_a: *mut E, packed_b: *mut E) {
        let Gemm { a, a_strides, b, b_strides, .. } = *self.gemm;
        let plan = self.plan;
        let b = b.as_ptr().wrapping_add(block.done * b_strides[0] + self.column * b_strides[1]);
        if plan.pack_b {
            // SAFETY: the block lies within `B`.
            unsafe { pack_strips(plan.arch, b, b_strides, block.depth, self.columns, plan.strip, packed_b) };
        }
        let taps = [Tap { a: 0, b: 0, len: block.depth }];
        for row in (0..self.rows).step_by(plan.at_once) {
            let rows = plan.at_once.min(self.rows - row);
            let a = a.as_ptr().wrapping_add((self.row + row) * a_strides[0] + block.done * a_strides[1]);
            // SAFETY: the block lies within `A`.
            let (a, a_rows, a_step) = unsafe { self.left(a, rows, block.depth, packed_a) };
            for (index, start) in (0..self.columns).step_by(plan.strip).enumerate() {
                let columns = plan.strip.min(self.columns - start);
                let (b, b_step) = if plan.pack_b {
                    (
                        packed_b.cast_const().wrapping_add(index * strip_len(plan.strip, block.depth)),
                        plan.strip,
                    )
                } else if columns < plan.strip {
                    let b = b.wrapping_add(start * b_strides[1]);
                    // SAFETY: the strip lies within `B`.
                    unsafe {
                        pack_strips(plan.arch, b, b_strides, block.depth, columns, plan.strip, packed_b)
                    };
                    (packed_b.cast_const(), plan.strip)
                } else {
                    (b.wrapping_add(start), b_strides[0])
                };
                let panel = Panel {
                    rows,
                    columns,
                    taps: &taps[..block.depth.min(1)],
                    others: &[],
                    a,
                    a_rows,
                    a_step,
                    b,
                    b_step,
                    c: block.c.wrapping_add(row * block.c_row + start),
                    c_row: block.c_row,
                    finish: block.finish.columns(start, columns),
                };
                // SAFETY: `A` and `B` are read within the block (packed, or in place where a strip is full), `C` is the
                // caller's promise.
                unsafe { panel.run(plan.arch) };
            }
        }
    }

    /// Some rows of a block of `A` as a panel reads them, packed if they are to be: where, how far apart rows are, and steps.
    ///
    /// # Safety
    /// The rows must be readable to that depth, and `packed` as long as the plan says.
    unsafe fn left(&self, a: *const E, rows: usize, depth: usize, packed: *mut E) -> (*const E, Rows, usize) {
        let (arch, strides) = (self.plan.arch, self.gemm.a_strides);
        match (self.plan.pack_a, strides) {
            (false, [1, step]) => (a, Rows::Adjacent, step),
            (false, [apart, step]) => (a, Rows::Apart(apart), step),
            (true, strides) => {
                // SAFETY: the caller's promise.
                unsafe { pack_tiles(arch, a, strides, rows, depth, packed) };
                (packed, Rows::Tiled(tile_row(depth)), 0)
            }
        }
    }

    /// Writes the transposed product to `C`.
    ///
    /// # Safety
    /// `product` must be readable for the part; as for [`Self::compute`].
    unsafe fn transpose(&self, product: *const E, c: Shared<E>, finish: Finish<'_, E>) {
        // A square at a time, so that each line is touched while it is in the first cache.
        for start in (0..self.rows).step_by(BLOCK) {
            for row in 0..self.columns {
                let c = c.at((self.column + row) * self.plan.c_stride + self.row);
                for column in start..self.rows.min(start + BLOCK) {
                    // SAFETY: the caller's promise.
                    unsafe {
                        let sum = *product.add(column * self.columns + row);
                        finish.apply(&mut *c.add(column), sum, self.row + column);
                    }
                }
            }
        }
    }
}

/// A block of the sum of a part, and where it goes.
struct Block<'a, E> {
    done: usize,
    depth: usize,
    c: *mut E,
    c_row: usize,
    finish: Finish<'a, E>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::simd::available;
    use super::super::threads::set_threads;
    use super::*;

    /// Whole numbers, so that sums are exact in any order.
    fn numbers<E: From<i16>>(len: usize, seed: usize) -> Vec<E> {
        (0..len).map(|i| E::from(((i * 7 + seed) * 31 % 17) as i16 - 8)).collect()
    }

    /// An operand of `rows` by `columns` and its strides: in rows, in columns, or with gaps.
    fn operand<E: From<i16>>(
        rows: usize,
        columns: usize,
        layout: usize,
        seed: usize,
    ) -> (Vec<E>, [usize; 2]) {
        let strides = match layout {
            0 => [columns, 1],
            1 => [1, rows],
            2 => [columns * 2 + 3, 2],
            _ => [1, rows + 1],
        };
        (numbers(reach(strides, [rows, columns]), seed), strides)
    }

    fn plain<E: Lanes>(gemm: &Gemm<'_, E>, c: &mut [E], c_stride: usize, finish: Finish<'_, E>) {
        for i in 0..gemm.m {
            for j in 0..gemm.n {
                let mut sum = E::default();
                for l in 0..gemm.k {
                    sum += gemm.a[i * gemm.a_strides[0] + l * gemm.a_strides[1]]
                        * gemm.b[l * gemm.b_strides[0] + j * gemm.b_strides[1]];
                }
                finish.apply(&mut c[i * c_stride + j], sum, j);
            }
        }
    }

    fn check<E: Lanes + From<i16> + std::fmt::Debug>([m, k, n]: [usize; 3], layouts: [usize; 2]) {
        let (a, a_strides) = operand::<E>(m, k, layouts[0], 1);
        let (b, b_strides) = operand::<E>(k, n, layouts[1], 2);
        let gemm = Gemm { m, k, n, a: &a, a_strides, b: &b, b_strides };
        let bias = numbers(n, 3);
        for epilogue in
            [Epilogue::Assign, Epilogue::Accumulate, Epilogue::Bias(&bias), Epilogue::BiasRelu(&bias)]
        {
            for c_stride in [n, n + 3] {
                let before = numbers(m * c_stride, 4);
                let mut expected = before.clone();
                plain(&gemm, &mut expected, c_stride, Finish::from(epilogue));
                for arch in available() {
                    let mut found = before.clone();
                    gemm_with(arch, gemm, &mut found, c_stride, epilogue);
                    let case =
                        format!("{arch:?} {m} {k} {n} {a_strides:?} {b_strides:?} {c_stride} {epilogue:?}");
                    assert_eq!(found, expected, "{case}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn products_are_the_plain_sums(
            m in prop_oneof![0_usize..4, 10_usize..40, 100_usize..130],
            k in prop_oneof![0_usize..4, 10_usize..40, 120_usize..300, DEPTH - 1..DEPTH + 80],
            n in prop_oneof![0_usize..4, 10_usize..70],
            layouts in prop::array::uniform2(0_usize..4),
        ) {
            check::<f32>([m, k, n], layouts);
            check::<f64>([m, k, n], layouts);
        }
    }

    #[test]
    fn a_large_transposed_operand_is_read_in_place() {
        check::<f32>([5, 131, 300], [0, 1]);
        check::<f32>([3, 400, 700], [1, 1]);
    }

    #[test]
    fn narrow_gradients_of_kernels_are_made_transposed() {
        for [m, k, n] in [[64, 32, NARROW], [131, 33, 10], [300, DEPTH + 5, 3], [65, 700, 1]] {
            assert!(is_better_transposed(&Gemm {
                m,
                k,
                n,
                a: &[0.0],
                a_strides: [1, m],
                b: &[0.0],
                b_strides: [n, 1]
            }));
            check::<f32>([m, k, n], [1, 0]);
            check::<f64>([m, k, n], [3, 2]);
        }
    }

    #[test]
    fn steps_that_are_far_apart_are_packed() {
        for m in [1, 2, 5, 7, 13, 15, 29, 61, 70, 127] {
            check::<f32>([m, 301, 257], [1, 0]);
            check::<f64>([m, 67, 130], [3, 0]);
        }
        check::<f32>([30, DEPTH + 3, 300], [1, 1]);
        check::<f32>([30, 300, 200], [2, 0]);
        check::<f64>([3, 257, 300], [3, 2]);
    }

    #[test]
    fn nan_passes_through_relu() {
        let mut c = [0.0_f32; 3];
        let gemm = Gemm {
            m: 1,
            k: 1,
            n: 3,
            a: &[1.0],
            a_strides: [1, 1],
            b: &[f32::NAN, -1.0, 2.0],
            b_strides: [3, 1],
        };
        gemm_with(arch(), gemm, &mut c, 3, Epilogue::BiasRelu(&[0.0; 3]));
        assert!(c[0].is_nan());
        assert_eq!(c[1..], [0.0, 2.0]);
    }

    /// Of sizes that one product alone would be cut for.
    #[test]
    fn threads_do_not_change_products_of_pieces() {
        let (m, k, n, pieces) = (32, 1024, 64, 4);
        let fractions = |len: usize| (0..len).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<_>>();
        let (a, b) = (fractions(pieces * m * k), fractions(pieces * k * n));
        let [one, two, many] = [1, 2, 8].map(|count| {
            set_threads(count);
            let mut c = vec![0.0; pieces * m * n];
            each(&mut c, m * n, 1, |index, _| {
                let (a, b) = (&a[index * m * k..][..m * k], &b[index * k * n..][..k * n]);
                let gemm = Gemm { m, k, n, a, a_strides: [1, m], b, b_strides: [n, 1] };
                Product { gemm, start: 0, c_stride: n }
            });
            c.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        });
        assert!(one == two && one == many);
    }

    #[test]
    fn one_and_two_threads_give_the_same_bits() {
        let fractions =
            |len: usize, scale: f32| (0..len).map(|i| (i as f32 * scale).sin()).collect::<Vec<_>>();
        for [m, k, n] in [[33, 300, 257], [300, 35, 70], [9, 2 * DEPTH + 1, 600]] {
            for b_strides in [[n, 1], [1, k]] {
                let (a, b) = (fractions(m * k, 0.37), fractions(k * n, 0.71));
                let [one, two] = [1, 2].map(|count| {
                    set_threads(count);
                    let mut c = vec![0.0; m * n];
                    let gemm = Gemm { m, k, n, a: &a, a_strides: [k, 1], b: &b, b_strides };
                    gemm_with(arch(), gemm, &mut c, n, Epilogue::Assign);
                    c.into_iter().map(f32::to_bits).collect::<Vec<_>>()
                });
                assert!(one == two);
            }
        }
    }
}
