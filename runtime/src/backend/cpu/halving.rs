//! Pooling in windows of 2 by 2 of images that are never written: see [`Halving`]. The bits are those of [`super::pool`].

#![allow(unsafe_code)]

use pulp::{Arch, Simd, WithSimd};

use super::lanes::Lanes;
use crate::backend::Halving;

impl Halving {
    /// Of a window, in row-major order.
    #[inline(always)]
    pub(super) fn of<S: Simd, E: Lanes>(self, simd: S, [a, b, c, d]: [E::Register<S>; 4]) -> E::Register<S> {
        let zero = E::splat(simd, E::default());
        match self {
            Halving::Average => {
                let sum = E::add_lanes(simd, E::add_lanes(simd, zero, a), b);
                let sum = E::add_lanes(simd, E::add_lanes(simd, sum, c), d);
                E::mul_add_lanes(simd, E::splat(simd, E::from(0.25)), sum, zero)
            }
            Halving::Maximum => {
                let best = E::max_lanes(simd, E::max_lanes(simd, a, b), c);
                E::max_lanes(simd, best, d)
            }
        }
    }
}

/// A row of windows, and where it is written.
pub(super) struct HalvedRow<E> {
    pub halving: Halving,
    /// Two rows of pixels, `pixel` elements apart within a row, of which whole registers can be read.
    pub from: [*const E; 2],
    pub pixel: usize,
    /// The number of windows.
    pub count: usize,
    pub features: usize,
    /// Where the first result goes, and how far apart results are.
    pub to: *mut E,
    pub to_step: usize,
}

impl<E: Lanes> HalvedRow<E> {
    /// Computes the results.
    ///
    /// # Safety
    /// Two pixels a window must be readable in both rows; the features of the results must be writable, and nobody else may
    /// touch them meanwhile.
    pub unsafe fn run(self, arch: Arch) {
        arch.dispatch(self);
    }
}

impl<E: Lanes> WithSimd for HalvedRow<E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for window in 0..self.count {
            for feature in (0..self.features).step_by(E::lanes::<S>()) {
                let [above, below] = self.from.map(|row| row.wrapping_add(2 * window * self.pixel + feature));
                // SAFETY: the promise of `run`, the only way here.
                let pixels = unsafe {
                    [
                        E::load::<S>(above),
                        E::load::<S>(above.wrapping_add(self.pixel)),
                        E::load::<S>(below),
                        E::load::<S>(below.wrapping_add(self.pixel)),
                    ]
                };
                let result = self.halving.of::<S, E>(simd, pixels);
                let to = self.to.wrapping_add(window * self.to_step + feature);
                let written = E::first_lanes(simd, self.features - feature);
                // SAFETY: as above.
                unsafe { E::store_some(simd, written, to, result) };
            }
        }
    }
}
