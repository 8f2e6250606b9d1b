//! A kernel at the points of a transform, packed in strips as the panels of a product want it.

use pulp::{Arch, Simd, WithSimd};

use super::super::super::lanes::Lanes;
use super::super::super::panel::{BLOCK, strip};
use super::super::super::scratch::padded;
use super::super::super::threads::{Shared, parallel_seated};
use super::super::pack_seats;
use super::transform::{Kernel, Transform, both};

/// A kernel of 3 by 3 taps, of each a matrix.
#[derive(Clone, Copy)]
pub(super) struct Taps<'a, E> {
    pub kernel: &'a [E],
    /// Rows of the matrix, which are summed over, and columns, which are made; and the distances between them.
    pub sizes: [usize; 2],
    pub strides: [usize; 2],
    /// Whether the taps are turned by 180 degrees.
    pub turned: bool,
}

impl<E: Lanes> Taps<'_, E> {
    /// Strips of columns.
    pub fn strips(&self, arch: Arch) -> usize {
        self.sizes[1].div_ceil(strip::<E>(arch))
    }

    /// Distance between the kernels of two points.
    pub fn point(&self, arch: Arch) -> usize {
        padded::<E>(self.strips(arch) * self.sizes[0] * strip::<E>(arch)) + BLOCK
    }

    /// Evaluates the kernel at `N` by `N` points.
    pub fn evaluate<const N: usize>(&self, arch: Arch, to: &mut [E])
    where
        Kernel: Transform<3, N>,
    {
        assert!(to.len() >= N * N * self.point(arch), "a packed kernel a point");
        assert_eq!(self.kernel.len(), 9 * self.sizes[0] * self.sizes[1], "a kernel of 3 by 3 taps");
        let blocks = self.sizes[0].div_ceil(BLOCK);
        let tasks = self.strips(arch) * blocks;
        let to = Shared(to.as_mut_ptr());
        parallel_seated(pack_seats(tasks, N * N * self.kernel.len() / 9), tasks, |_, task| {
            let (index, row) = (task / blocks, task % blocks * BLOCK);
            arch.dispatch(Strip::<E, N> {
                taps: *self,
                column: index * strip::<E>(arch),
                width: strip::<E>(arch),
                rows: row..(row + BLOCK).min(self.sizes[0]),
                to: to.at(index * self.sizes[0] * strip::<E>(arch)),
                point: self.point(arch),
            });
        });
    }
}

/// Some rows of a strip; private, so that only [`Taps::evaluate`] makes one.
struct Strip<'a, E, const N: usize> {
    taps: Taps<'a, E>,
    column: usize,
    width: usize,
    rows: std::ops::Range<usize>,
    to: *mut E,
    point: usize,
}

impl<E: Lanes, const N: usize> WithSimd for Strip<'_, E, N>
where
    Kernel: Transform<3, N>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Taps { kernel, sizes, strides, turned } = self.taps;
        for row in self.rows.clone() {
            for start in (0..self.width).step_by(E::lanes::<S>()) {
                let to = self.to.wrapping_add(row * self.width + start);
                let column = self.column + start;
                let left = sizes[1].saturating_sub(column).min(E::lanes::<S>());
                let from = kernel.as_ptr().wrapping_add(row * strides[0] + column * strides[1]);
                let side_by_side = left == E::lanes::<S>() && strides[1] == 1;
                both::<S, E, Kernel, 3, N>(
                    simd,
                    #[inline(always)]
                    |y, x| {
                        let tap = if turned { 8 - (y * 3 + x) } else { y * 3 + x };
                        let from = from.wrapping_add(tap * sizes[0] * sizes[1]);
                        if side_by_side {
                            // SAFETY: these columns of the row are the kernel's, which `evaluate` has measured.
                            unsafe { E::load::<S>(from) }
                        } else {
                            // SAFETY: as above.
                            unsafe { load_few::<S, E>(from, strides[1], left) }
                        }
                    },
                    #[inline(always)]
                    // SAFETY: `evaluate` has measured the buffer, and every task writes its own part of it.
                    |y, x, value| unsafe { E::store::<S>(to.wrapping_add((y * N + x) * self.point), value) },
                );
            }
        }
    }
}

/// Reads `count` elements, fewer than a register has or not side by side, and zeros behind them.
///
/// # Safety
/// `from` must be readable for `count` elements with this stride.
#[inline(always)]
unsafe fn load_few<S: Simd, E: Lanes>(from: *const E, stride: usize, count: usize) -> E::Register<S> {
    let mut buffer = [E::default(); BLOCK];
    for (i, element) in buffer[..count].iter_mut().enumerate() {
        // SAFETY: the caller's promise.
        *element = unsafe { *from.add(i * stride) };
    }
    // SAFETY: no register is longer than a block.
    unsafe { E::load::<S>(buffer.as_ptr()) }
}
