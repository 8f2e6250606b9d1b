//! Matrix products so small that packing and planning would take longer than the sums.
//!
//! Operands are read where they lie, a register of columns of `B` at a time, the last of them in part; only a small `B`
//! whose columns are not side by side is copied first. The product of a matrix with a vector is a special case: where the
//! rows of the matrix are contiguous it is a dot product for each, of any length.

#![allow(unsafe_code)]

use pulp::{Arch, Simd, WithSimd};

use super::gemm::is_better_transposed;
use super::lanes::Lanes;
use super::panel::{Finish, each};
use super::threads::parallel_chunks;
use crate::backend::{Epilogue, Gemm};

/// The most multiply-adds of a small product.
const SMALL: usize = 1 << 14;

/// The most of one that is a single row, an outer product, or whose few columns end within a register.
const RAGGED: usize = 1 << 17;

/// The most of a product with a vector that is made by one thread in one go.
const LONG: usize = 1 << 18;

/// Elements of `B` that are copied where its columns are not side by side.
const COPIED: usize = 1024;

/// Computes the product if it is small, and says whether it has. Which products are small depends on sizes and strides only.
///
/// The operands must reach as far as their strides say, and so must `c`, which is not empty.
pub(super) fn product<E: Lanes>(
    arch: Arch,
    gemm: &Gemm<'_, E>,
    c: &mut [E],
    c_stride: usize,
    epilogue: Epilogue<'_, E>,
) -> bool {
    let (finish, Gemm { m, k, n, a_strides, b_strides, .. }) = (Finish::from(epilogue), *gemm);
    let work = m * k * n;
    if n == 1 && a_strides[1] == 1 && b_strides[0] == 1 {
        let together = (LONG / k.max(1)).max(1);
        parallel_chunks(c, together * c_stride, |chunk, c| {
            let first = chunk * together;
            arch.dispatch(Dots { gemm, first, rows: together.min(m - first), c, c_stride, finish });
        });
    } else if n == 1 && a_strides[0] == 1 && c_stride == 1 && finish.bias.is_none() && work <= LONG {
        // A column is a row of the transposed product.
        arch.dispatch(&mut Tiles::new(&gemm.transposed(), c, m, finish));
    } else if work > SMALL && (work > most([m, k, n]) || is_better_transposed(gemm)) {
        return false;
    } else if n == 1 || b_strides[1] == 1 {
        arch.dispatch(&mut Tiles::new(gemm, c, c_stride, finish));
    } else if k * n <= COPIED {
        copied(arch, gemm, c, c_stride, finish);
    } else {
        return false;
    }
    true
}

/// A product with a `B` that is copied first. Not inlined, so that others do without the room for it.
#[inline(never)]
fn copied<E: Lanes>(arch: Arch, gemm: &Gemm<'_, E>, c: &mut [E], c_stride: usize, finish: Finish<'_, E>) {
    let Gemm { k, n, b, b_strides, .. } = *gemm;
    let mut copy = [E::default(); COPIED];
    for (row, copy) in copy[..k * n].chunks_exact_mut(n).enumerate() {
        let column = b[row * b_strides[0]..].iter().step_by(b_strides[1]);
        copy.iter_mut().zip(column).for_each(|(copy, &b)| *copy = b);
    }
    let gemm = &Gemm { b: &copy, b_strides: [n, 1], ..*gemm };
    arch.dispatch(&mut Tiles::new(gemm, c, c_stride, finish));
}

/// The most multiply-adds of a product of these sizes that is a small one, as measured.
fn most([m, k, n]: [usize; 3]) -> usize {
    let ragged = n < 48 && !n.is_multiple_of(16);
    if m == 1 || k == 1 || ragged { RAGGED } else { SMALL }
}

/// The most rows, of one register and of two, whose sums are made side by side: fewer would not keep the multipliers busy,
/// and a sixth of two leaves no register of AVX2's sixteen for the mask of the last columns.
const HIGHEST: [usize; 2] = [10, 5];

/// The most registers of one row, or rows that are dot products, whose sums are made side by side.
const TILE: usize = 8;

/// The product in tiles. The columns of `B` lie side by side, or are one.
struct Tiles<'a, E> {
    gemm: &'a Gemm<'a, E>,
    c: &'a mut [E],
    c_stride: usize,
    finish: Finish<'a, E>,
    /// How far apart every third row of `A` is. Were the compiler to know that it is three times its stride, it would
    /// walk from row to row, one addition after the other, and the multiplications would wait for them.
    three_rows: usize,
}

impl<'a, E: Lanes> Tiles<'a, E> {
    fn new(gemm: &'a Gemm<'a, E>, c: &'a mut [E], c_stride: usize, finish: Finish<'a, E>) -> Self {
        Self { gemm, c, c_stride, finish, three_rows: 3 * gemm.a_strides[0] }
    }
}

/// By reference, as a [`Panel`](super::panel::Panel) is, and for the same reason.
impl<E: Lanes> WithSimd for &mut Tiles<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (lanes, Gemm { m, n, .. }) = (E::lanes::<S>(), *self.gemm);
        let mut column = 0;
        while column < n {
            let registers = (n - column).div_ceil(lanes);
            // SAFETY: the tiles lie within the product, whose operands and result reach as far as their strides say.
            column += lanes
                * unsafe {
                    match registers {
                        TILE.. if m == 1 => self.tile::<S, 1, TILE>(simd, 0, column),
                        4.. if m == 1 => self.tile::<S, 1, 4>(simd, 0, column),
                        2.. => self.strip::<S, 2>(simd, column),
                        _ => self.strip::<S, 1>(simd, column),
                    }
                };
        }
    }
}

impl<E: Lanes> Tiles<'_, E> {
    /// One or two registers of columns, of all rows. Returns `WIDTH`.
    ///
    /// # Safety
    /// As for [`Self::tile`], for all rows.
    #[inline(always)]
    unsafe fn strip<S: Simd, const WIDTH: usize>(&mut self, simd: S, column: usize) -> usize {
        let mut row = 0;
        while row < self.gemm.m {
            let (left, highest) = (self.gemm.m - row, const { HIGHEST[WIDTH - 1] });
            // Nearly equal heights: the sums of a low tile wait for each other.
            let height = match left {
                _ if left <= highest => left,
                _ if left <= 2 * highest => left.div_ceil(2),
                _ if left <= 3 * highest => left.div_ceil(3),
                _ if left <= 4 * highest => left.div_ceil(4),
                _ => highest,
            };
            macro_rules! heights {
                ($($height:literal)*) => {
                    match height {
                        $($height if const { $height <= HIGHEST[WIDTH - 1] } => {
                            // SAFETY: the caller's promise.
                            unsafe {
                                match WIDTH {
                                    1 => self.tile::<S, $height, 1>(simd, row, column),
                                    _ => self.tile_apart::<S, $height, WIDTH>(simd, row, column),
                                }
                            };
                        })*
                        _ => unreachable!("a tile is at most {highest} rows high"),
                    }
                };
            }
            heights!(1 2 3 4 5 6 7 8 9 10);
            row += height;
        }
        WIDTH
    }

    /// [`Self::tile`] in a function of its own: the compiler assigns registers badly where several of them are in one.
    ///
    /// # Safety
    /// As for [`Self::tile`].
    #[inline(never)]
    unsafe fn tile_apart<S: Simd, const HEIGHT: usize, const WIDTH: usize>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) -> usize {
        simd.vectorize(
            #[inline(always)]
            // SAFETY: the caller's promise.
            || unsafe { self.tile::<S, HEIGHT, WIDTH>(simd, row, column) },
        )
    }

    /// The sums of `HEIGHT` rows by `WIDTH` registers of columns, of which the last may reach beyond the product.
    /// Returns `WIDTH`.
    ///
    /// # Safety
    /// The rows, and a column of each register, are in the product, and operands and `c` reach as far as their strides say.
    #[inline(always)]
    unsafe fn tile<S: Simd, const HEIGHT: usize, const WIDTH: usize>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
    ) -> usize {
        let (lanes, three_rows) = (E::lanes::<S>(), self.three_rows);
        let Gemm { k, n, a_strides, b_strides, .. } = *self.gemm;
        let last = E::first_lanes(simd, n - column - (WIDTH - 1) * lanes);
        // SAFETY: all registers but the last are full of columns, and of that the columns are read.
        let load = |from: *const E, v: usize| unsafe {
            if v + 1 < WIDTH { E::load::<S>(from) } else { E::load_some(simd, last, from) }
        };
        let mut a = self.gemm.a.as_ptr().wrapping_add(row * a_strides[0]);
        let mut b = self.gemm.b.as_ptr().wrapping_add(column);
        let mut sums = [[E::splat(simd, E::default()); WIDTH]; HEIGHT];
        for _ in 0..k {
            let strip: [_; WIDTH] = std::array::from_fn(|v| load(b.wrapping_add(v * lanes), v));
            let (mut row, mut next) = (a, a.wrapping_add(a_strides[0]));
            let mut third = next.wrapping_add(a_strides[0]);
            for sums in &mut sums {
                // SAFETY: the rows are in the product.
                let factor = E::splat(simd, unsafe { *row });
                (row, next, third) = (next, third, row.wrapping_add(three_rows));
                for (sum, strip) in sums.iter_mut().zip(strip) {
                    *sum = E::mul_add_lanes(simd, factor, strip, *sum);
                }
            }
            a = a.wrapping_add(a_strides[1]);
            b = b.wrapping_add(b_strides[0]);
        }
        let c = self.c.as_mut_ptr().wrapping_add(row * self.c_stride + column);
        let Finish { accumulate, bias, relu } = self.finish;
        if accumulate {
            each(&mut sums, c, self.c_stride, lanes, |c, v, sum| *sum = E::add_lanes(simd, load(c, v), *sum));
        }
        if let Some(bias) = bias {
            let bias: [_; WIDTH] = std::array::from_fn(|v| load(bias[column + v * lanes..].as_ptr(), v));
            each(&mut sums, c, self.c_stride, lanes, |_, v, sum| *sum = E::add_lanes(simd, *sum, bias[v]));
        }
        if relu {
            each(&mut sums, c, self.c_stride, lanes, |_, _, sum| *sum = E::relu_lanes(simd, *sum));
        }
        // Where `C` is one strip whose rows touch, what is written beyond a row is overwritten by the next ones, and the last
        // register may be whole up to here.
        let touching = !accumulate && self.c_stride == n && n <= WIDTH * lanes && self.c.len() >= lanes;
        let limit = if touching { self.c[self.c.len() - lanes..].as_ptr().addr() } else { 0 };
        let is_whole = |c: *mut E, v: usize| v + 1 < WIDTH || c.addr() <= limit;
        each(&mut sums, c, self.c_stride, lanes, |c, v, sum| {
            if is_whole(c, v) {
                // SAFETY: `c` is ours, and has room for a whole register.
                unsafe { E::store::<S>(c, *sum) };
            }
        });
        let (end, v) = (c.wrapping_add((HEIGHT - 1) * self.c_stride + (WIDTH - 1) * lanes), WIDTH - 1);
        if !is_whole(end, v) {
            let mut sums = sums;
            each(&mut sums, c, self.c_stride, lanes, |c, v, sum| {
                if !is_whole(c, v) {
                    // SAFETY: as above, for the columns of the last register.
                    unsafe { E::store_some(simd, last, c, *sum) };
                }
            });
        }
        WIDTH
    }
}

/// Rows of the product of a matrix whose rows are contiguous with a vector that is.
struct Dots<'a, E> {
    gemm: &'a Gemm<'a, E>,
    first: usize,
    rows: usize,
    c: &'a mut [E],
    c_stride: usize,
    finish: Finish<'a, E>,
}

impl<E: Lanes> WithSimd for Dots<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut row = 0;
        while row < self.rows {
            // SAFETY: the rows are in the product, whose operands reach as far as their strides say.
            row += unsafe {
                match self.rows - row {
                    TILE.. => self.dots::<S, TILE>(simd, row),
                    4.. => self.dots::<S, 4>(simd, row),
                    2.. => self.dots::<S, 2>(simd, row),
                    _ => self.dots::<S, 1>(simd, row),
                }
            };
        }
    }
}

impl<E: Lanes> Dots<'_, E> {
    /// The sums of `HEIGHT` rows. Returns `HEIGHT`.
    ///
    /// # Safety
    /// The rows are in the product, and the operands reach as far as their strides say.
    #[inline(always)]
    unsafe fn dots<S: Simd, const HEIGHT: usize>(&mut self, simd: S, row: usize) -> usize {
        let (lanes, Gemm { k, a_strides, .. }) = (E::lanes::<S>(), *self.gemm);
        let a = self.gemm.a.as_ptr().wrapping_add((self.first + row) * a_strides[0]);
        let b = self.gemm.b.as_ptr();
        let mut sums = [E::splat(simd, E::default()); HEIGHT];
        let mut step = 0;
        while step + lanes <= k {
            // SAFETY: so many steps of the sum are left, here and in the rows.
            let b = unsafe { E::load::<S>(b.wrapping_add(step)) };
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: as above.
                let a = unsafe { E::load::<S>(a.wrapping_add(i * a_strides[0] + step)) };
                *sum = E::mul_add_lanes(simd, a, b, *sum);
            }
            step += lanes;
        }
        if step < k {
            let rest = E::first_lanes(simd, k - step);
            // SAFETY: only the steps that are left are read, here and in the rows.
            let b = unsafe { E::load_some(simd, rest, b.wrapping_add(step)) };
            for (i, sum) in sums.iter_mut().enumerate() {
                // SAFETY: as above.
                let a = unsafe { E::load_some(simd, rest, a.wrapping_add(i * a_strides[0] + step)) };
                *sum = E::mul_add_lanes(simd, a, b, *sum);
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            self.finish.apply(&mut self.c[(row + i) * self.c_stride], E::sum_lanes(simd, sum), 0);
        }
        HEIGHT
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::simd::{arch, available};
    use super::super::threads::set_threads;
    use super::*;

    /// Whole numbers, so that sums are exact in any order.
    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7 + seed) * 31 % 17) as f32 - 8.0).collect()
    }

    /// The strides of `rows` by `columns` elements: in rows, in columns, or with gaps; and how far they reach.
    fn strides(rows: usize, columns: usize, layout: usize) -> ([usize; 2], usize) {
        let strides = match layout {
            0 => [columns, 1],
            1 => [1, rows],
            2 => [columns + 3, 1],
            3 => [2 * columns, 2],
            _ => [3, 3 * rows + 1],
        };
        (strides, rows.saturating_sub(1) * strides[0] + columns.saturating_sub(1) * strides[1] + 1)
    }

    fn check([m, k, n]: [usize; 3], layouts: [usize; 2], gap: usize) {
        let ((a_strides, a_len), (b_strides, b_len)) = (strides(m, k, layouts[0]), strides(k, n, layouts[1]));
        let (a, b, bias, before) =
            (numbers(a_len, 1), numbers(b_len, 2), numbers(n, 3), numbers(m * (n + gap), 4));
        let gemm = Gemm { m, k, n, a: &a, a_strides, b: &b, b_strides };
        let c_len = (m - 1) * (n + gap) + n;
        for epilogue in
            [Epilogue::Assign, Epilogue::Accumulate, Epilogue::Bias(&bias), Epilogue::BiasRelu(&bias)]
        {
            let mut expected = before.clone();
            for (i, row) in expected.chunks_mut(n + gap).enumerate() {
                for (j, c) in row[..n].iter_mut().enumerate() {
                    let product = |l: usize| {
                        a[i * a_strides[0] + l * a_strides[1]] * b[l * b_strides[0] + j * b_strides[1]]
                    };
                    Finish::from(epilogue).apply(c, (0..k).map(product).sum(), j);
                }
            }
            for arch in available() {
                let mut found = before.clone();
                if product(arch, &gemm, &mut found[..c_len], n + gap, epilogue) {
                    assert_eq!(
                        found, expected,
                        "{arch:?} {m} {k} {n} {a_strides:?} {b_strides:?} {gap} {epilogue:?}"
                    );
                } else {
                    assert!(m * k * n > most([m, k, n]) || k * n > COPIED, "{m} {k} {n} are few");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn small_products_are_the_plain_sums(
            m in prop_oneof![1_usize..4, 5_usize..40],
            k in prop_oneof![0_usize..4, 5_usize..40],
            n in prop_oneof![Just(1), 2_usize..5, 5_usize..40],
            layouts in prop::array::uniform2(0_usize..5),
            gap in prop_oneof![Just(0_usize), Just(3)],
        ) {
            check([m, k, n], layouts, gap);
        }

        #[test]
        fn rows_columns_and_outer_products_are_the_plain_sums(
            long in 30_usize..400,
            which in 0_usize..3,
            layouts in prop::array::uniform2(0_usize..5),
        ) {
            let mut sizes = [[long, 37, 1], [1, 37, long], [long, 1, 37]];
            check(sizes[which], layouts, 0);
            sizes[which].swap(0, 1);
            check(sizes[which], layouts, 0);
        }
    }

    #[test]
    fn dot_products_do_not_depend_on_the_threads() {
        let (m, k) = (700, 2 * LONG / 700 + 5);
        let fractions = |len: usize| (0..len).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<_>>();
        let (a, b) = (fractions(m * k), fractions(k));
        let gemm = Gemm { m, k, n: 1, a: &a, a_strides: [k, 1], b: &b, b_strides: [1, 1] };
        let [one, two] = [1, 2].map(|threads| {
            set_threads(threads);
            let mut c = vec![0.0; m];
            assert!(product(arch(), &gemm, &mut c, 1, Epilogue::Assign));
            c
        });
        assert_eq!(one, two);
        for (row, &found) in a.chunks_exact(k).zip(&one) {
            let exact: f64 = row.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
            assert!((f64::from(found) - exact).abs() < 1e-3, "{found} instead of {exact}");
        }
    }
}
