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
//! as many. So tiles of 4 for the forward pass and the gradient of the input. The kernel's gradient sums over tiles,
//! not channels, and there tiles of 4 are three times less accurate than the direct sum; it has tiles of 2 (see
//! [`kernel_gradient`]).
//!
//! The sum over channels is made in two halves. In one it would be up to a quarter faster for 32 channels, but the root mean
//! square of the error would be 2.05 times the direct sum's; so it is 1.7 times, and 1.45 times for 64 channels.

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
use self::transform::{Input, Output};
use super::super::lanes::Lanes;
use super::super::panel::{BLOCK, Finish, Panel, REGISTERS, Rows, Tap, strip};
use super::super::scratch::{padded, with_scratch, with_taps};
use super::super::threads::{Shared, parallel_seated, seats, threads};
use super::check;
use crate::backend::{ConvGeometry, Epilogue};

/// Which passes of convolutions with kernels of 3 by 3 taps may be computed by Winograd's algorithm, which is faster and
/// rounds differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Winograd {
    /// None: every convolution is the direct sum.
    Never,
    /// The gradients of input and kernel, and inference.
    #[default]
    NotForward,
    /// The forward pass of training, too. Where a window is empty but its neighbours are not, the direct sum is exactly 0, as
    /// Flax's is, and this one a number near it, so that a `relu` behind it may let a cotangent through: training takes
    /// another path than Flax's.
    Everywhere,
}

/// What `set_winograd` was told.
static ALLOWED: AtomicU8 = AtomicU8::new(Winograd::NotForward as u8);

/// Sets which convolutions may be computed by Winograd's algorithm.
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

/// Whether a pass is to be computed by Winograd's algorithm: where it is allowed, and suits the shape.
pub(super) fn pays<E: Lanes>(g: &ConvGeometry, pass: Pass) -> bool {
    let least = if pass == Pass::Forward { Winograd::Everywhere } else { Winograd::NotForward };
    suits::<E>(g, pass) && ALLOWED.load(Ordering::Relaxed) >= least as u8
}

/// Whether the algorithm was measured to be faster for such a shape, and no more than twice as far from the exact sums as
/// the direct one.
fn suits<E: Lanes>(g: &ConvGeometry, pass: Pass) -> bool {
    if size_of::<E>() != size_of::<f32>() {
        return false;
    }
    let fits = g.kernel == [3; 2] && g.strides == [1; 2] && g.dilation == [1; 2] && g.groups == 1;
    // With fewer channels the transforms, which grow with their sum, take as long as the products save; and the direct
    // sum is so short that tiles of 4 are less accurate. More than 256 were not measured.
    let channels = 32..=256;
    if !fits || !channels.contains(&g.in_features) || !channels.contains(&g.out_features) {
        return false;
    }
    let (result, tile, fewer) = match pass {
        Pass::Forward | Pass::Inference => (g.output, M, 3),
        Pass::InputGradient => (g.input, M, 3),
        Pass::KernelGradient => (g.output, kernel_gradient::M, 2),
    };
    let [pixels, tiles]: [usize; 2] =
        [1, tile].map(|size| result.iter().map(|&length| length.div_ceil(size)).product());
    // Enough tiles for the kernel's transform, and tiles that do not waste too much at the edges: as many times fewer
    // multiplications as `fewer` says.
    let points = (tile + 2) * (tile + 2);
    g.batch * tiles >= 32 && 9 * pixels >= fewer * points * tiles
}

/// Tiles of the forward pass and of the input's gradient are `M` by `M`, and have values at `N` by `N` points.
const M: usize = 4;
const N: usize = M + 2;

/// The values of a block of tiles have about this many elements at most: with the kernel's they stay in the second cache.
const VALUES: usize = 5 << 15;

/// The forward pass, in tiles of `M` by `M` outputs.
pub(super) fn forward<E: Lanes>(
    arch: Arch,
    g: &ConvGeometry,
    input: &[E],
    kernel: &[E],
    epilogue: Epilogue<'_, E>,
    output: &mut [E],
) {
    check(g, input, kernel, output);
    let convolution = Convolution {
        arch,
        taps: Taps {
            kernel,
            sizes: [g.in_features, g.out_features],
            strides: [g.out_features, 1],
            turned: false,
        },
        source: grid::<M>(g, g.input, g.in_features, [0, 1].map(|i| -(g.padding[i][0] as isize)), g.output),
        target: grid::<M>(g, g.output, g.out_features, [0; 2], g.output),
    };
    convolution.run(input, epilogue, output);
}

/// The gradient of the input, in tiles of `M` by `M` pixels: a convolution of the cotangent with the turned and
/// transposed kernel.
pub(super) fn input_gradient<E: Lanes>(
    arch: Arch,
    g: &ConvGeometry,
    cotangent: &[E],
    kernel: &[E],
    input_gradient: &mut [E],
) {
    check(g, input_gradient, kernel, cotangent);
    let convolution = Convolution {
        arch,
        taps: Taps {
            kernel,
            sizes: [g.out_features, g.in_features],
            strides: [1, g.out_features],
            turned: true,
        },
        source: grid::<M>(g, g.output, g.out_features, [0, 1].map(|i| g.padding[i][0] as isize - 2), g.input),
        target: grid::<M>(g, g.input, g.in_features, [0; 2], g.input),
    };
    convolution.run(cotangent, Epilogue::Assign, input_gradient);
}

/// The tiles of an image that belong to tiles of `STEP` by `STEP` of a result.
fn grid<const STEP: usize>(
    g: &ConvGeometry,
    image: [usize; 2],
    features: usize,
    low: [isize; 2],
    result: [usize; 2],
) -> Grid {
    Grid { batch: g.batch, image, features, low, step: STEP, tiles: result.map(|size| size.div_ceil(STEP)) }
}

/// A convolution as products at points.
struct Convolution<'a, E> {
    arch: Arch,
    taps: Taps<'a, E>,
    source: Grid,
    target: Grid,
}

impl<E: Lanes> Convolution<'_, E> {
    fn run(&self, source: &[E], epilogue: Epilogue<'_, E>, target: &mut [E]) {
        let (tiles, [depth, features]) = (self.source.len(), self.taps.sizes);
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
                    let block = Block {
                        convolution: self,
                        tiles: task * block..((task + 1) * block).min(tiles),
                        values: panels(values),
                        products: products(values.wrapping_add(values_len)),
                    };
                    // SAFETY: every seat has its own piece of scratch, `check` has measured the images, and the
                    // tiles of different tasks do not overlap.
                    unsafe {
                        block.evaluate(source, zeros);
                        block.multiply(kernel, taps);
                        block.interpolate(epilogue, target);
                    }
                });
            });
        });
    }
}

/// A task: a block of tiles.
struct Block<'a, E> {
    convolution: &'a Convolution<'a, E>,
    tiles: Range<usize>,
    values: Panels<E>,
    products: Panels<E>,
}

impl<E: Lanes> Block<'_, E> {
    /// The values of the source's tiles.
    ///
    /// # Safety
    /// As for [`Evaluate::run`].
    unsafe fn evaluate(&self, source: &[E], zeros: &[E]) {
        let evaluate = Evaluate::<_, _, N, N, false> {
            grid: &self.convolution.source,
            source,
            zeros,
            tiles: self.tiles.clone(),
            panels: self.values,
            transform: PhantomData::<Input>,
        };
        // SAFETY: the caller's promise.
        unsafe { evaluate.run(self.convolution.arch) };
    }

    /// The products with the kernel's values, point by point.
    ///
    /// # Safety
    /// The panels must be as large as the block, and nobody else may touch them meanwhile.
    unsafe fn multiply(&self, kernel: &[E], taps: &[Tap]) {
        let Convolution { arch, taps: ref matrix, .. } = *self.convolution;
        let (width, [depth, features]) = (strip::<E>(arch), matrix.sizes);
        // In two halves, because interpolation enlarges the rounding of the sums.
        let (first, second) = taps.split_at(taps.len().div_ceil(2));
        for point in 0..N * N {
            for index in 0..matrix.strips(arch) {
                let c = self.products.at(N * N, 0, index * width).wrapping_add(point * self.products.point());
                for (taps, accumulate) in [(first, false), (second, true)] {
                    if taps.is_empty() {
                        continue;
                    }
                    let panel = Panel {
                        rows: self.tiles.len(),
                        // Rounded up to a register: what is computed anyway.
                        columns: width.min((features - index * width).next_multiple_of(width / REGISTERS)),
                        taps,
                        a: self.values.start.wrapping_add(point * self.values.point()),
                        a_rows: Rows::Blocked,
                        a_step: 1,
                        b: kernel[point * matrix.point(arch) + index * depth * width..].as_ptr(),
                        b_step: width,
                        c,
                        c_row: width,
                        finish: Finish { accumulate, bias: None, relu: false },
                    };
                    // SAFETY: the values are packed in blocks of rows, the kernel has a row of full strip width for
                    // every step of the sum, and the products are the caller's promise.
                    unsafe { panel.run(arch) };
                }
            }
        }
    }

    /// The target's tiles.
    ///
    /// # Safety
    /// As for [`Interpolate::run`].
    unsafe fn interpolate(&self, epilogue: Epilogue<'_, E>, target: Shared<E>) {
        let interpolate = Interpolate {
            grid: &self.convolution.target,
            panels: self.products,
            tiles: self.tiles.clone(),
            finish: Finish::from(epilogue).columns(0, self.convolution.target.features),
            target: target.0,
            transform: PhantomData::<Output>,
        };
        // SAFETY: the caller's promise.
        unsafe { interpolate.run(self.convolution.arch) };
    }
}
