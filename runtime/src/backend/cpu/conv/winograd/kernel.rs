//! A kernel at the points of a transform, packed in strips as the panels of a product want it.

use pulp::{Arch, Simd, WithSimd};

use super::super::super::lanes::Lanes;
use super::super::super::pack::pack_strips;
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
                arch,
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
    arch: Arch,
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
        let (Taps { kernel, sizes, strides, turned }, rows) = (self.taps, self.rows.len());
        for start in (0..self.width).step_by(BLOCK) {
            let column = self.column + start;
            let wide = BLOCK.min(self.width - start);
            let columns = wide.min(sizes[1].saturating_sub(column));
            // The taps of these rows and columns with the columns side by side, and zeros beyond the last.
            let mut block = [[E::default(); BLOCK * BLOCK]; 9];
            for (tap, block) in block.iter_mut().enumerate().filter(|_| columns > 0) {
                let tap = if turned { 8 - tap } else { tap };
                let from = tap * sizes[0] * sizes[1] + self.rows.start * strides[0] + column * strides[1];
                let from = kernel.as_ptr().wrapping_add(from);
                // SAFETY: these rows and columns are the kernel's, which `evaluate` has measured; there are no more than fit.
                unsafe { pack_strips(self.arch, from, strides, rows, columns, BLOCK, block.as_mut_ptr()) };
            }
            for row in 0..rows {
                for lane in (0..wide).step_by(E::lanes::<S>()) {
                    let to = self.to.wrapping_add((self.rows.start + row) * self.width + start + lane);
                    both::<S, E, Kernel, 3, N>(
                        simd,
                        #[inline(always)]
                        // SAFETY: a register is no longer than a row of the block.
                        |y, x| unsafe { E::load::<S>(block[y * 3 + x].as_ptr().add(row * BLOCK + lane)) },
                        #[inline(always)]
                        // SAFETY: `evaluate` has measured the buffer, and every task writes its own part of it.
                        |y, x, value| unsafe {
                            E::store::<S>(to.wrapping_add((y * N + x) * self.point), value);
                        },
                    );
                }
            }
        }
    }
}
