//! The one inner loop: a panel of a product, held in registers while its sums are made.
//!
//! Everything else in this folder arranges memory so that a matrix product or a convolution becomes panels. A
//! panel is up to a few registers wide (a *strip* of columns) and any number of rows high; it is cut into tiles
//! of as many rows as fit the registers. For each step of the sum a tile loads the strip's row of `B` once and
//! multiplies it with one broadcast element of `A` a row: on AVX-512 14 by 2 registers of sums, 16 loads and
//! 28 multiply-adds, so that the multipliers and not the load ports are what is full.
//!
//! The sum is walked as a list of [`Tap`]s. For a plain product a tap is a block of `k`; for a convolution it
//! is an offset into the packed image, so that patches are never written out.

#![allow(unsafe_code)]

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use super::lanes::Lanes;
use super::prefetch;
use crate::backend::Epilogue;

/// Rows of a packed `A` keep this many steps of the sum together.
pub(super) const BLOCK: usize = 16;

/// A stretch of the sum: `len` steps, at least one, that begin at offset `a` of the row's `A` and offset `b` of `B`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    pub a: usize,
    pub b: usize,
    pub len: usize,
}

/// How far apart in memory the elements of `A` of neighbouring rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// Side by side.
    Adjacent,
    /// [`BLOCK`] elements apart, with the steps of the sum side by side.
    Blocked,
    /// So many elements apart: `A` where it lies.
    Apart(usize),
    /// Side by side within a tile, with the steps of the sum as far apart as the tile is high; a tile begins so many elements
    /// for each row before it from the first.
    Tiled(usize),
}

/// How so many rows are cut into tiles of nearly equal height.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    tiles: usize,
    height: usize,
    /// The first tiles, which are one row higher.
    higher: usize,
}

impl Cut {
    /// At least one row, in tiles no higher than `highest`.
    #[inline(always)]
    fn of(rows: usize, highest: usize) -> Self {
        let tiles = rows.div_ceil(highest);
        Self { tiles, height: rows / tiles, higher: rows % tiles }
    }

    /// As panels with one sum for each element cut theirs.
    #[inline(always)]
    pub fn new<S: Simd, E>(rows: usize) -> Self {
        Self::of(rows, highest::<S, E>())
    }

    /// How many tiles there are.
    #[inline(always)]
    pub fn tiles(self) -> usize {
        self.tiles
    }

    /// How many tiles of which height there are, from the first on.
    #[inline(always)]
    pub fn groups(self) -> [(usize, usize); 2] {
        [(self.higher, self.height + 1), (self.tiles - self.higher, self.height)]
    }

    /// The heights, from the first tile on.
    #[inline(always)]
    pub fn heights(self) -> impl Iterator<Item = usize> {
        (0..self.tiles).map(move |tile| self.height + usize::from(tile < self.higher))
    }
}

/// `C = A·B` for a strip of columns, with what is to be done on the way to memory.
pub(super) struct Panel<'a, E> {
    /// Rows of the panel.
    pub rows: usize,
    /// Columns of `C` to be written; `B` can be read for a whole strip, see [`strip`].
    pub columns: usize,
    pub taps: &'a [Tap],
    /// What is summed up apart from the other taps and then added, so that less is rounded away; nothing for a plain sum.
    pub others: &'a [Tap],
    pub a: *const E,
    pub a_rows: Rows,
    /// The distance in `A` between steps of the sum, where `a_rows` does not say it.
    pub a_step: usize,
    pub b: *const E,
    /// The distance in `B` between steps of the sum.
    pub b_step: usize,
    pub c: *mut E,
    /// The distance between rows of `C`.
    pub c_row: usize,
    pub finish: Finish<'a, E>,
}

/// What is done to the sums on the way to memory, in this order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish<'a, E> {
    /// Add what `C` holds.
    pub accumulate: bool,
    /// Add a bias, with an element a column.
    pub bias: Option<&'a [E]>,
    /// Make negative sums 0.
    pub relu: bool,
}

impl<'a, E: Lanes> From<Epilogue<'a, E>> for Finish<'a, E> {
    fn from(epilogue: Epilogue<'a, E>) -> Self {
        let bias = match epilogue {
            Epilogue::Bias(bias) | Epilogue::BiasRelu(bias) => Some(bias),
            Epilogue::Assign | Epilogue::Accumulate => None,
        };
        let accumulate = matches!(epilogue, Epilogue::Accumulate);
        Self { accumulate, bias, relu: matches!(epilogue, Epilogue::BiasRelu(_)) }
    }
}

impl<E: Lanes> Finish<'_, E> {
    /// The same for `count` columns from `start` on.
    pub fn columns(self, start: usize, count: usize) -> Self {
        Self { bias: self.bias.map(|bias| &bias[start..start + count]), ..self }
    }

    /// Writes one sum.
    #[inline(always)]
    pub fn apply(self, c: &mut E, sum: E, column: usize) {
        let sum = if self.accumulate { *c + sum } else { sum };
        let sum = self.bias.map_or(sum, |bias| sum + bias[column]);
        *c = if self.relu && sum < E::default() { E::default() } else { sum };
    }
}

/// The number of columns of a strip: how far `B` is read.
pub(super) fn strip<E: Lanes>(arch: pulp::Arch) -> usize {
    arch.dispatch(Size::<E>(PhantomData)).1
}

/// The number of rows of the highest tile.
pub(super) fn height<E: Lanes>(arch: pulp::Arch) -> usize {
    arch.dispatch(Size::<E>(PhantomData)).0
}

/// Rows and columns of the highest tile.
struct Size<E>(PhantomData<E>);

impl<E: Lanes> WithSimd for Size<E> {
    type Output = (usize, usize);

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (usize, usize) {
        (highest::<S, E>(), REGISTERS * E::lanes::<S>())
    }
}

/// Registers across a strip.
pub(super) const REGISTERS: usize = 2;

/// The highest tile whose sums, strip of `B` and broadcast element fit the registers. Tiles of `f64`, which is there
/// for checks rather than for speed, stay lower: every height is compiled on its own.
pub(super) const fn highest<S: Simd, E>() -> usize {
    match S::REGISTER_COUNT {
        32.. if size_of::<E>() == 4 => 14,
        16.. => 6,
        _ => 2,
    }
}

/// Whether tiles of half the height, with two sums for each of `C`, have sums enough to keep the multipliers busy.
const fn has_room_for_two<S: Simd, E>() -> bool {
    highest::<S, E>() * REGISTERS / 2 >= 8
}

impl<E: Lanes> Panel<'_, E> {
    /// Computes the panel.
    ///
    /// # Safety
    /// For every row and tap, `A` must be readable at `a + row * (distance of a_rows) + tap.a + step * a_step`, `B` for a whole
    /// strip at `b + tap.b + step * b_step`, and `C` writable (and readable, to accumulate) for `columns` elements at
    /// `c + row * c_row`; nobody else may touch that part of `C` meanwhile.
    pub unsafe fn run(&self, arch: pulp::Arch) {
        debug_assert!(
            self.columns <= strip::<E>(arch)
                && self.finish.bias.is_none_or(|bias| bias.len() >= self.columns)
        );
        arch.dispatch(self);
    }
}

/// By reference: a panel that was moved would be read in one piece where it has just been written field by field, and that waits
/// until all that was written before, tiles of `C` included, has reached the cache.
impl<E: Lanes> WithSimd for &Panel<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.others.is_empty() {
            self.tiles::<S, 1>(simd);
        } else if const { has_room_for_two::<S, E>() } {
            self.tiles::<S, 2>(simd);
        } else {
            // One after the other, through memory.
            let first = Finish { bias: None, relu: false, ..self.finish };
            let then = Finish { accumulate: true, ..self.finish };
            Panel { others: &[], finish: first, ..*self }.tiles::<S, 1>(simd);
            Panel { taps: self.others, others: &[], finish: then, ..*self }.tiles::<S, 1>(simd);
        }
    }
}

impl<E: Lanes> Panel<'_, E> {
    /// Cuts the panel into tiles of nearly equal height, with so many sums for each of `C`; called by `with_simd` only.
    #[inline(always)]
    fn tiles<S: Simd, const SUMS: usize>(&self, simd: S) {
        if self.rows == 0 {
            return;
        }
        let narrow = self.columns <= E::lanes::<S>();
        let mut row = 0;
        for height in Cut::of(self.rows, highest::<S, E>() / SUMS).heights() {
            let compute = match (self.a_rows, narrow) {
                (Rows::Adjacent | Rows::Tiled(_), false) => tile_of::<S, E, REGISTERS, 1, SUMS>(height),
                (Rows::Adjacent | Rows::Tiled(_), true) => tile_of::<S, E, 1, 1, SUMS>(height),
                (Rows::Blocked, false) => tile_of::<S, E, REGISTERS, BLOCK, SUMS>(height),
                (Rows::Blocked, true) => tile_of::<S, E, 1, BLOCK, SUMS>(height),
                (Rows::Apart(_), false) => tile_of::<S, E, REGISTERS, 0, SUMS>(height),
                (Rows::Apart(_), true) => tile_of::<S, E, 1, 0, SUMS>(height),
            };
            // SAFETY: the tile's rows are among the panel's; `run`, which leads here, passes its caller's promise on.
            unsafe { compute(simd, self, row) };
            row += height;
        }
    }
}

/// The function that computes the tile of a panel that begins at a row.
type Tile<S, E> = unsafe fn(S, &Panel<'_, E>, usize);

/// The tile of a given height, with `SUMS` sums for each of `C`. `ROW` is the distance between rows of `A`, 0 where the panel
/// says it. Each is a function of its own, called through a pointer, because the compiler assigns registers badly when all of
/// them are inlined into one.
#[inline(always)]
fn tile_of<S: Simd, E: Lanes, const WIDTH: usize, const ROW: usize, const SUMS: usize>(
    height: usize,
) -> Tile<S, E> {
    macro_rules! heights {
        ($($height:literal)*) => {
            match height {
                $($height if const { $height <= highest::<S, E>() / SUMS } => {
                    tile::<S, E, $height, WIDTH, ROW, SUMS>
                })*
                _ => unreachable!("a tile is at most as high as the registers allow"),
            }
        };
    }
    heights!(1 2 3 4 5 6 7 8 9 10 11 12 13 14)
}

/// Computes the tile of `HEIGHT` rows that begins at `row`.
///
/// # Safety
/// As for [`Panel::run`], for these rows.
unsafe fn tile<
    S: Simd,
    E: Lanes,
    const HEIGHT: usize,
    const WIDTH: usize,
    const ROW: usize,
    const SUMS: usize,
>(
    simd: S,
    panel: &Panel<'_, E>,
    row: usize,
) {
    simd.vectorize(
        #[inline(always)]
        // SAFETY: the caller's promise.
        || unsafe { whole::<S, E, HEIGHT, WIDTH, ROW, SUMS>(simd, panel, row) },
    );
}

/// [`tile`], from its sums to memory.
#[inline(always)]
unsafe fn whole<
    S: Simd,
    E: Lanes,
    const HEIGHT: usize,
    const WIDTH: usize,
    const ROW: usize,
    const SUMS: usize,
>(
    simd: S,
    panel: &Panel<'_, E>,
    row: usize,
) {
    let mut c = panel.c.wrapping_add(row * panel.c_row);
    for _ in 0..HEIGHT {
        for v in 0..WIDTH {
            prefetch::to_write(c.wrapping_add(v * E::lanes::<S>()));
        }
        c = c.wrapping_add(panel.c_row);
    }
    // SAFETY: the promise of `Panel::run`.
    let mut sums = unsafe { sums::<S, E, HEIGHT, WIDTH, ROW>(simd, panel, panel.taps, row) };
    if SUMS > 1 {
        // SAFETY: as above.
        let others = unsafe { self::sums::<S, E, HEIGHT, WIDTH, ROW>(simd, panel, panel.others, row) };
        for (sums, others) in sums.iter_mut().zip(&others) {
            for (sum, other) in sums.iter_mut().zip(others) {
                *sum = E::add_lanes(simd, *sum, *other);
            }
        }
    }
    if panel.columns == WIDTH * E::lanes::<S>() {
        // SAFETY: the promise of `Panel::run` about `c`, whose rows are as wide as the tile.
        unsafe { finish::<S, E, HEIGHT, WIDTH, true>(simd, panel, row, sums) }
    } else {
        // SAFETY: the promise of `Panel::run` about `c`.
        unsafe { finish::<S, E, HEIGHT, WIDTH, false>(simd, panel, row, sums) }
    }
}

/// The sums of `HEIGHT` rows by `WIDTH` registers.
#[inline(always)]
unsafe fn sums<S: Simd, E: Lanes, const HEIGHT: usize, const WIDTH: usize, const ROW: usize>(
    simd: S,
    panel: &Panel<'_, E>,
    taps: &[Tap],
    row: usize,
) -> [[E::Register<S>; WIDTH]; HEIGHT] {
    let (apart, start, a_step) = match panel.a_rows {
        Rows::Apart(apart) if ROW == 0 => (apart, row * apart, panel.a_step),
        Rows::Tiled(apart) if ROW == 1 => (1, row * apart, HEIGHT),
        _ => (ROW, row * ROW, panel.a_step),
    };
    let mut sums = [[E::splat(simd, E::default()); WIDTH]; HEIGHT];
    for tap in taps {
        // SAFETY: the promise of `Panel::run`, for this and every access to `a` and `b` below.
        let (mut a, mut b) = unsafe { (panel.a.add(start + tap.a), panel.b.add(tap.b)) };
        let mut left = tap.len;
        // No `for`: that would ask first whether there is any step at all, and the sums would be moved about for it.
        loop {
            // SAFETY: as above.
            let strip: [_; WIDTH] =
                std::array::from_fn(|i| unsafe { E::load::<S>(b.add(i * E::lanes::<S>())) });
            if ROW == 0 {
                // `B` lies as it is, too, and rows far apart are no stream that the processor would see: the strip to the
                // right arrives meanwhile.
                (0..WIDTH).for_each(|i| prefetch::to_read(b.wrapping_add((WIDTH + i) * E::lanes::<S>())));
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                // SAFETY: as above.
                let factor = E::splat(simd, unsafe { *a.add(i * apart) });
                for (sum, strip) in sums.iter_mut().zip(strip) {
                    *sum = E::mul_add_lanes(simd, factor, strip, *sum);
                }
            }
            a = a.wrapping_add(a_step);
            b = b.wrapping_add(panel.b_step);
            left -= 1;
            if left == 0 {
                break;
            }
        }
    }
    sums
}

/// Writes a tile; its last register is full of columns only if `FULL`.
#[inline(always)]
unsafe fn finish<S: Simd, E: Lanes, const HEIGHT: usize, const WIDTH: usize, const FULL: bool>(
    simd: S,
    panel: &Panel<'_, E>,
    row: usize,
    mut sums: [[E::Register<S>; WIDTH]; HEIGHT],
) {
    let lanes = E::lanes::<S>();
    let last = E::first_lanes(simd, panel.columns - (WIDTH - 1) * lanes);
    // SAFETY: all registers but the last are full of columns, and of that the columns are read.
    let load = |from: *const E, v: usize| unsafe {
        if FULL || v + 1 < WIDTH { E::load::<S>(from) } else { E::load_some(simd, last, from) }
    };
    let Finish { accumulate, bias, relu } = panel.finish;
    let c = panel.c.wrapping_add(row * panel.c_row);
    if accumulate {
        each(&mut sums, c, panel.c_row, lanes, |c, v, sum| *sum = E::add_lanes(simd, load(c, v), *sum));
    }
    if let Some(bias) = bias {
        let bias: [_; WIDTH] = std::array::from_fn(|v| load(bias.as_ptr().wrapping_add(v * lanes), v));
        each(&mut sums, c, panel.c_row, lanes, |_, v, sum| *sum = E::add_lanes(simd, *sum, bias[v]));
    }
    if relu {
        each(&mut sums, c, panel.c_row, lanes, |_, _, sum| *sum = E::relu_lanes(simd, *sum));
    }
    // SAFETY: as for `load`.
    each(&mut sums, c, panel.c_row, lanes, |c, v, sum| unsafe {
        if FULL || v + 1 < WIDTH { E::store::<S>(c, *sum) } else { E::store_some(simd, last, c, *sum) }
    });
}

/// Calls `f(place in C, register, sum)` for each of a tile's registers.
#[inline(always)]
pub(super) fn each<E, R, const HEIGHT: usize, const WIDTH: usize>(
    sums: &mut [[R; WIDTH]; HEIGHT],
    mut c: *mut E,
    c_row: usize,
    lanes: usize,
    mut f: impl FnMut(*mut E, usize, &mut R),
) {
    for sums in sums {
        for (v, sum) in sums.iter_mut().enumerate() {
            f(c.wrapping_add(v * lanes), v, sum);
        }
        c = c.wrapping_add(c_row);
    }
}
