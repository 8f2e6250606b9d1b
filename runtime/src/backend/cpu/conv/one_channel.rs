//! Images of one channel under kernels of 3 by 3 taps, as in the first layer of a network for digits.
//!
//! The sums have nine steps only, so that a tile of a panel would be as much beginning and end as multiply-adds. But nine
//! taps of a strip of features fit the registers: here they stay there while the pixels pass, and the stores are what
//! takes the time. In the gradient of the kernel it is the sums of nine taps that stay, and those of the bias beside them.

#![allow(unsafe_code)]

use pulp::{Arch, Simd, WithSimd};

use super::super::lanes::Lanes;
use super::super::panel::{Finish, REGISTERS, Tap};
use crate::backend::Halving;

/// Taps along a side of the kernel, and all of them.
const SIDE: usize = 3;
const TAPS: usize = SIDE * SIDE;

/// Whether a sum is that over 3 by 3 pixels side by side, in rows that are `row` apart.
pub(super) fn suits(taps: &[Tap], row: usize) -> bool {
    taps.len() == TAPS
        && taps.iter().enumerate().all(|(i, tap)| tap.len == 1 && tap.a == i / SIDE * row + i % SIDE)
}

/// Whether the taps of [`REGISTERS`] of features fit, and what is needed beside them.
const fn wide<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32
}

/// Some registers of features of a band of outputs.
pub(super) struct Forward<'a, E> {
    /// Rows of outputs, and outputs in a row; even numbers for a halving.
    pub count: [usize; 2],
    /// Where the first window begins, and how far apart rows of windows and rows of a window are.
    pub source: *const E,
    pub source_rows: [usize; 2],
    /// The taps, `kernel_step` elements apart.
    pub kernel: *const E,
    pub kernel_step: usize,
    /// Where the first output goes, and how far apart rows and pixels of what is written are.
    pub target: *mut E,
    pub target_strides: [usize; 2],
    /// A whole number of registers of features.
    pub features: usize,
    pub finish: Finish<'a, E>,
    /// What is made of the outputs before they are written.
    pub halving: Option<Halving>,
}

impl<E: Lanes> Forward<'_, E> {
    /// Computes the outputs.
    ///
    /// # Safety
    /// The windows must be readable, and the features of every tap; those of the outputs must be writable (and readable, to
    /// accumulate), a bias as long as there are features, and nobody else may touch the outputs meanwhile.
    pub unsafe fn run(self, arch: Arch) {
        arch.dispatch(self);
    }

    /// Computes `WIDTH` registers from feature `start` on.
    ///
    /// # Safety
    /// As for [`Self::run`].
    #[inline(always)]
    unsafe fn registers<S: Simd, const WIDTH: usize>(&self, simd: S, start: usize) {
        /// Pixels at once: the sums of fewer would wait for each other.
        const PIXELS: usize = 4;
        let zero = E::splat(simd, E::default());
        let at = |index: usize| start + index * E::lanes::<S>();
        let mut kernel = [[zero; WIDTH]; TAPS];
        for (tap, registers) in kernel.iter_mut().enumerate() {
            for (index, register) in registers.iter_mut().enumerate() {
                // SAFETY: the caller's promise, for this and every access below.
                *register = unsafe { E::load::<S>(self.kernel.add(tap * self.kernel_step + at(index))) };
            }
        }
        let mut bias = [zero; WIDTH];
        if let Some(from) = self.finish.bias {
            for (index, register) in bias.iter_mut().enumerate() {
                // SAFETY: as above.
                *register = unsafe { E::load::<S>(from.as_ptr().add(at(index))) };
            }
        }
        let source = |row: usize, x: usize| self.source.wrapping_add(row * self.source_rows[0] + x);
        let target = |row: usize, x: usize| {
            self.target.wrapping_add(row * self.target_strides[0] + x * self.target_strides[1] + start)
        };
        let taps = Taps { kernel, bias };
        if let Some(halving) = self.halving {
            for row in 0..self.count[0] / 2 {
                for x in 0..self.count[1] / 2 {
                    // SAFETY: as above.
                    unsafe {
                        let window = self.sums::<S, WIDTH, 2, 2>(simd, &taps, source(2 * row, 2 * x));
                        self.halve::<S, WIDTH>(simd, halving, window, target(row, x));
                    }
                }
            }
            return;
        }
        for row in 0..self.count[0] {
            let whole = self.count[1] / PIXELS * PIXELS;
            for x in (0..whole).step_by(PIXELS) {
                // SAFETY: as above.
                unsafe {
                    let sums = self.sums::<S, WIDTH, 1, PIXELS>(simd, &taps, source(row, x));
                    self.write::<S, WIDTH, PIXELS>(simd, sums, target(row, x));
                }
            }
            for x in whole..self.count[1] {
                // SAFETY: as above.
                unsafe {
                    let sums = self.sums::<S, WIDTH, 1, 1>(simd, &taps, source(row, x));
                    self.write::<S, WIDTH, 1>(simd, sums, target(row, x));
                }
            }
        }
    }

    /// The sums of `ROWS` by `COLUMNS` pixels.
    ///
    /// # Safety
    /// As for [`Self::run`].
    #[inline(always)]
    unsafe fn sums<S: Simd, const WIDTH: usize, const ROWS: usize, const COLUMNS: usize>(
        &self,
        simd: S,
        taps: &Taps<E::Register<S>, WIDTH>,
        source: *const E,
    ) -> [[[E::Register<S>; WIDTH]; COLUMNS]; ROWS] {
        let mut sums = [[taps.bias; COLUMNS]; ROWS];
        for (tap, kernel) in taps.kernel.iter().enumerate() {
            let source = source.wrapping_add(tap / SIDE * self.source_rows[1] + tap % SIDE);
            for (row, sums) in sums.iter_mut().enumerate() {
                for (column, sums) in sums.iter_mut().enumerate() {
                    let pixel = source.wrapping_add(row * self.source_rows[0] + column);
                    // SAFETY: the caller's promise.
                    let factor = E::splat(simd, unsafe { *pixel });
                    for (sum, kernel) in sums.iter_mut().zip(kernel) {
                        *sum = E::mul_add_lanes(simd, factor, *kernel, *sum);
                    }
                }
            }
        }
        sums
    }

    /// Writes `COUNT` pixels side by side.
    ///
    /// # Safety
    /// As for [`Self::run`].
    #[inline(always)]
    unsafe fn write<S: Simd, const WIDTH: usize, const COUNT: usize>(
        &self,
        simd: S,
        [sums]: [[[E::Register<S>; WIDTH]; COUNT]; 1],
        target: *mut E,
    ) {
        for (pixel, sums) in sums.iter().enumerate() {
            for (index, sum) in sums.iter().enumerate() {
                let to = target.wrapping_add(pixel * self.target_strides[1] + index * E::lanes::<S>());
                let mut sum = *sum;
                if self.finish.accumulate {
                    // SAFETY: the caller's promise.
                    sum = E::add_lanes(simd, unsafe { E::load::<S>(to) }, sum);
                }
                if self.finish.relu {
                    sum = E::relu_lanes(simd, sum);
                }
                // SAFETY: as above.
                unsafe { E::store::<S>(to, sum) };
            }
        }
    }

    /// Writes what a halving makes of a window.
    ///
    /// # Safety
    /// As for [`Self::run`].
    #[inline(always)]
    unsafe fn halve<S: Simd, const WIDTH: usize>(
        &self,
        simd: S,
        halving: Halving,
        [[a, b], [c, d]]: [[[E::Register<S>; WIDTH]; 2]; 2],
        target: *mut E,
    ) {
        for index in 0..WIDTH {
            let mut window = [a[index], b[index], c[index], d[index]];
            if self.finish.relu {
                for sum in &mut window {
                    *sum = E::relu_lanes(simd, *sum);
                }
            }
            let halved = halving.of::<S, E>(simd, window);
            // SAFETY: the caller's promise.
            unsafe { E::store::<S>(target.wrapping_add(index * E::lanes::<S>()), halved) };
        }
    }
}

/// The taps and the bias of some registers of features.
struct Taps<R, const WIDTH: usize> {
    kernel: [[R; WIDTH]; TAPS],
    bias: [R; WIDTH],
}

impl<E: Lanes> WithSimd for Forward<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (mut start, lanes) = (0, E::lanes::<S>());
        while start < self.features {
            if wide::<S>() && self.features - start >= REGISTERS * lanes {
                // SAFETY: the promise of `run`, the only way here.
                unsafe { self.registers::<S, REGISTERS>(simd, start) };
                start += REGISTERS * lanes;
            } else {
                // SAFETY: as above.
                unsafe { self.registers::<S, 1>(simd, start) };
                start += lanes;
            }
        }
    }
}

/// The sums over a band of outputs for a strip of features.
pub(super) struct KernelGradient<E> {
    /// Rows of outputs, and outputs in a row.
    pub count: [usize; 2],
    /// Where the first window begins, and how far apart are rows of windows, windows, and rows of a window.
    pub source: *const E,
    pub source_rows: [usize; 3],
    /// The cotangents of the outputs, `cotangent_step` elements apart: as many whole registers as hold the features.
    pub cotangent: *const E,
    pub cotangent_step: usize,
    /// Features of the strip.
    pub features: usize,
    /// Whether to add to what is there.
    pub accumulate: bool,
    /// Where the sums of the first tap go, `to_step` elements before those of the next, and where those of the bias.
    pub to: *mut E,
    pub to_step: usize,
    pub bias: *mut E,
}

impl<E: Lanes> KernelGradient<E> {
    /// Computes the sums.
    ///
    /// # Safety
    /// The windows and cotangents must be readable. The sums must be writable and, to accumulate, hold numbers; nobody else
    /// may touch them meanwhile.
    pub unsafe fn run(self, arch: Arch) {
        arch.dispatch(self);
    }

    /// Computes `WIDTH` registers from feature `start` on.
    ///
    /// # Safety
    /// As for [`Self::run`].
    #[inline(always)]
    unsafe fn registers<S: Simd, const WIDTH: usize>(&self, simd: S, start: usize) {
        let zero = E::splat(simd, E::default());
        let (mut sums, mut bias) = ([[zero; WIDTH]; TAPS], [zero; WIDTH]);
        let mut cotangent = self.cotangent.wrapping_add(start);
        for row in 0..self.count[0] {
            let mut source = self.source.wrapping_add(row * self.source_rows[0]);
            for _ in 0..self.count[1] {
                let mut factors = [zero; WIDTH];
                for (index, factor) in factors.iter_mut().enumerate() {
                    // SAFETY: the caller's promise.
                    *factor = unsafe { E::load::<S>(cotangent.add(index * E::lanes::<S>())) };
                }
                for (tap, sums) in sums.iter_mut().enumerate() {
                    let at = tap / SIDE * self.source_rows[2] + tap % SIDE;
                    // SAFETY: as above.
                    let pixel = E::splat(simd, unsafe { *source.add(at) });
                    for (sum, factor) in sums.iter_mut().zip(&factors) {
                        *sum = E::mul_add_lanes(simd, pixel, *factor, *sum);
                    }
                }
                for (sum, factor) in bias.iter_mut().zip(&factors) {
                    *sum = E::add_lanes(simd, *sum, *factor);
                }
                source = source.wrapping_add(self.source_rows[1]);
                cotangent = cotangent.wrapping_add(self.cotangent_step);
            }
        }
        let lanes = E::lanes::<S>();
        let whole = E::first_lanes(simd, lanes);
        let last = E::first_lanes(simd, self.features - start - (WIDTH - 1) * lanes);
        let write = |to: *mut E, sums: &[E::Register<S>; WIDTH]| {
            for (index, &sum) in sums.iter().enumerate() {
                let to = to.wrapping_add(start + index * lanes);
                let features = if index + 1 < WIDTH { whole } else { last };
                // SAFETY: the caller's promise.
                unsafe {
                    let before =
                        if self.accumulate { E::load_some(simd, features, to.cast_const()) } else { zero };
                    E::store_some(simd, features, to, E::add_lanes(simd, before, sum));
                }
            }
        };
        for (tap, sums) in sums.iter().enumerate() {
            write(self.to.wrapping_add(tap * self.to_step), sums);
        }
        write(self.bias, &bias);
    }
}

impl<E: Lanes> WithSimd for KernelGradient<E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (mut start, lanes) = (0, E::lanes::<S>());
        while start < self.features {
            if wide::<S>() && self.features - start > lanes {
                // SAFETY: the promise of `run`, the only way here.
                unsafe { self.registers::<S, REGISTERS>(simd, start) };
                start += REGISTERS * lanes;
            } else {
                // SAFETY: as above.
                unsafe { self.registers::<S, 1>(simd, start) };
                start += lanes;
            }
        }
    }
}
