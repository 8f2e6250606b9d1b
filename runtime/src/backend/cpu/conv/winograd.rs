//! Winograd's convolution: fewer multiplications for kernels of 3 by 3 taps and stride 1 (Lavin and Gray, "Fast Algorithms
//! for Convolutional Neural Networks", 2015).
//!
//! A tile of `M` by `M` outputs is made from `N` by `N` values of the image and of the kernel, `N = M + 2`, so with `N²`
//! multiplications for each channel and feature instead of `9·M²`. A task takes a block of tiles: it evaluates them into a
//! panel a point, multiplies each with the kernel's, and interpolates with the epilogue, while all of it stays in the second
//! cache. The kernel is evaluated once a call.
//!
//! What was to be expected on AVX-512, in multiplications against the direct sum and in cycles a tile:
//!
//! | image, channels → features | tiles of 2 | tiles of 4 | products | transforms of 4 |
//! |---|---|---|---|---|
//! | 14×14, 32 → 64 | 49·16 for 196·9: 2.25 fewer | 16·36 (16² pixels for 14²): 3.06 fewer | 2304 | 480 |
//! | 14×14, 64 → 32 | 2.25 fewer | 3.06 fewer | 2304 | 540 |
//! | 32×32, 64 → 64 | 2.25 fewer | 64·36 for 1024·9: 4 fewer | 4608 | 680 |
//!
//! A tile of 4 moves `36·(channels + features)` floats through the second cache twice, 14 to 28 KiB; to evaluate one takes
//! 144 multiply-adds a register, to interpolate one 120. A tile of 2 takes 32 and 24 additions, but there are four times
//! as many. So tiles of 4 for inference and the gradient of the input. The forward pass of training has tiles of 2,
//! because a `relu` behind it asks whether a sum is exactly 0 (see [`Winograd`]). The kernel's gradient sums over tiles,
//! not channels, and there tiles of 4 are three times less accurate than the direct sum; it, too, has tiles of 2 (see
//! [`kernel_gradient`]).
//!
//! In tiles of 4 the sum over channels is made in two halves, which stay in registers until they are added. In one it would be a
//! little faster, but the root mean square of the error would be 2.05 times the direct sum's for 32 channels (and with the
//! kernel evaluated in `f64` the largest error still 2.2 times, for 64); so it is 1.7 times, and 1.45 times for 64 channels. In tiles of 2 it is
//! made in one, and the error is 0.6 to 0.7 times the direct sum's.

mod kernel;
pub(super) mod kernel_gradient;
mod tiles;
mod transform;

#[cfg(test)]
mod tests;

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};

use pulp::Arch;

use self::kernel::Taps;
use self::tiles::{Evaluate, Grid, Interpolate, Panels, TILES};
use self::transform::{Input, Kernel, Output, Transform};
use super::super::lanes::Lanes;
use super::super::panel::{BLOCK, Finish, Panel, REGISTERS, Rows, Tap, strip};
use super::super::scratch::{padded, with_scratch, with_taps};
use super::super::threads::{Shared, parallel_seated, seats, threads};
use super::check;
use crate::backend::{ConvGeometry, Epilogue, Halving};

/// By which tiles convolutions with kernels of 3 by 3 taps may be computed by Winograd's algorithm, which is faster and
/// rounds differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Winograd {
    /// None: every convolution is the direct sum.
    Never,
    /// In the forward pass of training tiles of 2 by 2 outputs, where a window of zeros gives exactly 0, as in the direct
    /// sum: a `relu` behind it stops the same cotangents. In gradients and inference whatever is fastest.
    #[default]
    KeepZeros,
    /// Whatever is fastest in every pass. In tiles of 4 by 4 outputs a window of zeros among others gives a number near
    /// 0, so that a `relu` behind it may let a cotangent through: training takes another path than Flax's.
    Fastest,
}

/// What `set_winograd` was told.
static ALLOWED: AtomicU8 = AtomicU8::new(Winograd::KeepZeros as u8);

/// Sets by which tiles convolutions may be computed by Winograd's algorithm.
pub fn set_winograd(allowed: Winograd) {
    ALLOWED.store(allowed as u8, Ordering::Relaxed);
}

/// A pass of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pass {
    /// The forward pass of training.
    Forward,
    /// The same where no backward pass follows.
    Inference,
    InputGradient,
    KernelGradient,
}

/// The tiles of outputs that a pass is computed by, if it is to be computed by Winograd's algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tile {
    /// 2 by 2 outputs, from values at 4 by 4 points.
    Of2,
    /// 4 by 4 outputs, from values at 6 by 6 points.
    Of4,
}

/// The tiles for a pass, where the algorithm is allowed and suits the shape.
pub(super) fn tile<E: Lanes>(g: &ConvGeometry, pass: Pass) -> Option<Tile> {
    let allowed = ALLOWED.load(Ordering::Relaxed);
    if allowed == Winograd::Never as u8 {
        return None;
    }
    let tiles: &[Tile] = match pass {
        Pass::Forward if allowed < Winograd::Fastest as u8 => &[Tile::Of2],
        // Tiles of 4 would be three times less accurate than the direct sum.
        Pass::KernelGradient => &[Tile::Of2],
        _ => &[Tile::Of4, Tile::Of2],
    };
    tiles.iter().copied().find(|&tile| suits::<E>(g, pass, tile))
}

/// Whether tiles were measured to be faster for such a shape, and no more than twice as far from the exact sums as
/// the direct sum.
fn suits<E: Lanes>(g: &ConvGeometry, pass: Pass, tile: Tile) -> bool {
    if size_of::<E>() != size_of::<f32>() {
        return false;
    }
    // Elsewhere the transforms, which grow with the sum of channels and features, take as long as the products save; and
    // with fewer channels the direct sum is so short that tiles of 4 are less accurate. The waste at the edges must leave
    // so many times fewer multiplications.
    let (size, fewest, fewer) = match (tile, pass) {
        (Tile::Of4, _) => (4, 32, 3.0),
        (Tile::Of2, Pass::KernelGradient) => (2, 32, 2.0),
        (Tile::Of2, _) => (2, 16, 1.5),
    };
    let fits = g.kernel == [3; 2] && g.strides == [1; 2] && g.dilation == [1; 2] && g.groups == 1;
    // More than 256 were not measured.
    let channels = fewest..=256;
    if !fits || !channels.contains(&g.in_features) || !channels.contains(&g.out_features) {
        return false;
    }
    let result = if pass == Pass::InputGradient { g.input } else { g.output };
    let [pixels, tiles]: [usize; 2] =
        [1, size].map(|size| result.iter().map(|&length| length.div_ceil(size)).product());
    let points = (size + 2) * (size + 2);
    g.in_features + g.out_features >= 48
        && g.batch * tiles >= 32
        && (9 * pixels) as f64 >= fewer * (points * tiles) as f64
}

/// The values of a block of tiles have about this many elements at most: with the kernel's they stay in the second cache.
const VALUES: usize = 5 << 15;

/// The forward pass.
#[allow(clippy::too_many_arguments)]
pub(super) fn forward<E: Lanes>(
    arch: Arch,
    tile: Tile,
    g: &ConvGeometry,
    input: &[E],
    kernel: &[E],
    epilogue: Epilogue<'_, E>,
    halving: Option<Halving>,
    output: &mut [E],
) {
    check(g, input, kernel, halving, output);
    let (sizes, strides) = ([g.in_features, g.out_features], [g.out_features, 1]);
    let convolution = Convolution {
        arch,
        batch: g.batch,
        taps: Taps { kernel, sizes, strides, turned: false },
        images: [g.input, g.output],
        low: g.padding.map(|[low, _]| -(low as isize)),
        halving,
    };
    convolution.run(tile, input, epilogue, output);
}

/// The gradient of the input: a convolution of the cotangent with the turned and transposed kernel.
pub(super) fn input_gradient<E: Lanes>(
    arch: Arch,
    tile: Tile,
    g: &ConvGeometry,
    cotangent: &[E],
    kernel: &[E],
    input_gradient: &mut [E],
) {
    check(g, input_gradient, kernel, None, cotangent);
    let (sizes, strides) = ([g.out_features, g.in_features], [1, g.out_features]);
    let convolution = Convolution {
        arch,
        batch: g.batch,
        taps: Taps { kernel, sizes, strides, turned: true },
        images: [g.output, g.input],
        low: g.padding.map(|[low, _]| low as isize - 2),
        halving: None,
    };
    convolution.run(tile, cotangent, Epilogue::Assign, input_gradient);
}

/// A convolution as it is computed: of any pass that makes an image of an image.
struct Convolution<'a, E> {
    arch: Arch,
    batch: usize,
    taps: Taps<'a, E>,
    /// Height and width of source and target.
    images: [[usize; 2]; 2],
    /// Where in the source the first window begins; negative in the padding.
    low: [isize; 2],
    /// What is made of the target before it is written.
    halving: Option<Halving>,
}

impl<E: Lanes> Convolution<'_, E> {
    /// Computes the target.
    fn run(&self, tile: Tile, source: &[E], epilogue: Epilogue<'_, E>, target: &mut [E]) {
        match tile {
            Tile::Of2 => self.in_tiles::<2, 4>(source, epilogue, target),
            Tile::Of4 => self.in_tiles::<4, 6>(source, epilogue, target),
        }
    }

    /// Computes the target in tiles of `M` by `M` pixels, from values at `N` by `N` points.
    fn in_tiles<const M: usize, const N: usize>(
        &self,
        source: &[E],
        epilogue: Epilogue<'_, E>,
        target: &mut [E],
    ) where
        Input: Transform<N, N>,
        Kernel: Transform<3, N>,
        Output: Transform<N, M>,
    {
        let [depth, features] = self.taps.sizes;
        let tiles = self.images[1].map(|size| size.div_ceil(M));
        let grid = |image, features, low| Grid { batch: self.batch, image, features, low, step: M, tiles };
        let grids = [grid(self.images[0], depth, self.low), grid(self.images[1], features, [0; 2])];
        let tiles = grids[0].len();
        if target.is_empty() {
            return;
        }
        let fitting = (VALUES / (N * N * (depth + features))).clamp(BLOCK, TILES);
        let tasks = tiles.div_ceil(fitting).next_multiple_of(threads());
        let block = tiles.div_ceil(tasks);
        let tasks = tiles.div_ceil(block);
        let seats = seats(tasks, tiles * N * N * depth * features);
        let kernel_len = padded::<E>(N * N * self.taps.point(self.arch));
        let panels = |start: *mut E| Panels { start, width: BLOCK };
        let products = |start: *mut E| Panels { start, width: strip::<E>(self.arch) };
        let null = std::ptr::null_mut();
        let values_len = padded::<E>(panels(null).len(N * N, depth));
        let products_len = padded::<E>(products(null).len(N * N, features));
        let zeros_len = padded::<E>(depth);
        let len = kernel_len + zeros_len + seats * (values_len + products_len);
        with_scratch(len, |scratch: &mut [E]| {
            let (kernel, scratch) = scratch.split_at_mut(kernel_len);
            let (zeros, scratch) = scratch.split_at_mut(zeros_len);
            self.taps.evaluate::<N>(self.arch, kernel);
            zeros.fill(E::default());
            let (kernel, zeros, scratch) = (&*kernel, &*zeros, Shared(scratch.as_mut_ptr()));
            let target = Shared(target.as_mut_ptr());
            with_taps(|taps| {
                taps.extend((0..depth).step_by(BLOCK).map(|start| Tap {
                    a: start / BLOCK * N * N * panels(null).point(),
                    b: start * strip::<E>(self.arch),
                    len: BLOCK.min(depth - start),
                }));
                let taps = &*taps;
                parallel_seated(seats, tasks, |seat, task| {
                    let values = scratch.at(seat * (values_len + products_len));
                    let block = Block::<_, M, N> {
                        arch: self.arch,
                        matrix: &self.taps,
                        grids: &grids,
                        tiles: task * block..((task + 1) * block).min(tiles),
                        values: panels(values),
                        products: products(values.wrapping_add(values_len)),
                    };
                    // SAFETY: every seat has its own piece of scratch, `check` has measured the images, and the
                    // tiles of different tasks do not overlap.
                    unsafe {
                        block.evaluate(source, zeros);
                        block.multiply(kernel, taps);
                        block.interpolate(epilogue, self.halving, target);
                    }
                });
            });
        });
    }
}

/// A task: a block of tiles.
struct Block<'a, E, const M: usize, const N: usize> {
    arch: Arch,
    matrix: &'a Taps<'a, E>,
    /// Of source and target.
    grids: &'a [Grid; 2],
    tiles: Range<usize>,
    values: Panels<E>,
    products: Panels<E>,
}

impl<E: Lanes, const M: usize, const N: usize> Block<'_, E, M, N>
where
    Input: Transform<N, N>,
    Output: Transform<N, M>,
{
    /// The values of the source's tiles.
    ///
    /// # Safety
    /// As for [`Evaluate::run`].
    unsafe fn evaluate(&self, source: &[E], zeros: &[E]) {
        let evaluate = Evaluate::<_, _, N, N, false> {
            grid: &self.grids[0],
            source,
            zeros,
            tiles: self.tiles.clone(),
            panels: self.values,
            transform: PhantomData::<Input>,
        };
        // SAFETY: the caller's promise.
        unsafe { evaluate.run(self.arch) };
    }

    /// The products with the kernel's values, point by point.
    ///
    /// # Safety
    /// The panels must be as large as the block, and nobody else may touch them meanwhile.
    unsafe fn multiply(&self, kernel: &[E], taps: &[Tap]) {
        let (arch, matrix) = (self.arch, self.matrix);
        let (width, [depth, features]) = (strip::<E>(arch), matrix.sizes);
        // In two halves where interpolation enlarges the rounding of the sums.
        let (taps, others) = taps.split_at(if M > 2 { taps.len().div_ceil(2) } else { taps.len() });
        for point in 0..N * N {
            for index in 0..matrix.strips(arch) {
                let panel = Panel {
                    rows: self.tiles.len(),
                    // Rounded up to a register: what is computed anyway.
                    columns: width.min((features - index * width).next_multiple_of(width / REGISTERS)),
                    taps,
                    others,
                    a: self.values.start.wrapping_add(point * self.values.point()),
                    a_rows: Rows::Blocked,
                    a_step: 1,
                    b: kernel[point * matrix.point(arch) + index * depth * width..].as_ptr(),
                    b_step: width,
                    c: self.products.at(N * N, 0, index * width).wrapping_add(point * self.products.point()),
                    c_row: width,
                    finish: Finish { accumulate: false, bias: None, relu: false },
                };
                // SAFETY: the values are packed in blocks of rows, the kernel has a row of full strip width for every step of
                // the sum, and the products are the caller's promise.
                unsafe { panel.run(arch) };
            }
        }
    }

    /// The target's tiles.
    ///
    /// # Safety
    /// As for [`Interpolate::run`].
    unsafe fn interpolate(&self, epilogue: Epilogue<'_, E>, halving: Option<Halving>, target: Shared<E>) {
        let interpolate = Interpolate {
            grid: &self.grids[1],
            panels: self.products,
            tiles: self.tiles.clone(),
            finish: Finish::from(epilogue).columns(0, self.grids[1].features),
            halving,
            target: target.0,
            transform: PhantomData::<Output>,
        };
        // SAFETY: the caller's promise.
        unsafe { interpolate.run(self.arch) };
    }
}
