//! The gradient of the kernel: the transposed algorithm.
//!
//! The cotangents of a tile of `M` by `M` outputs are taken to the points, where they are multiplied with the image's
//! values. The products are summed over all tiles, and only the sums are taken from the points to the taps. Blocks
//! of tiles keep the sums short, as they are in the direct kernel, whose accuracy this one would else not have.
//!
//! The rows of the tiles are dealt into at most [`CHUNKS`] chunks, each with its own sums, which are then added in order:
//! the split, and so every bit of the result, depends on the sizes alone.

use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::super::super::lanes::Lanes;
use super::super::super::panel::{Finish, Panel, REGISTERS, Rows, Tap, strip};
use super::super::super::partials::add_up;
use super::super::super::rows::sum_rows;
use super::super::super::scratch::{padded, with_scratch};
use super::super::super::threads::{Shared, parallel_seated, seats};
use super::super::check;
use super::super::kernel_gradient::PARTIAL;
use super::tiles::{Evaluate, Grid, Panels, TILES, Written};
use super::transform::{Cotangent, Input, KernelGradient};
use crate::backend::ConvGeometry;

/// Tiles of outputs are `M` by `M`, and have values at `N` by `N` points.
const M: usize = 2;
const N: usize = M + 2;

/// The most partial sums, and how many neighbours are added first.
const CHUNKS: usize = 16;
const NEIGHBOURS: usize = 4;

pub(in super::super) fn compute<E: Lanes>(
    arch: Arch,
    g: &ConvGeometry,
    input: &[E],
    cotangent: &[E],
    kernel_gradient: &mut [E],
    bias_gradient: Option<&mut [E]>,
) {
    check(g, input, kernel_gradient, None, cotangent);
    if let Some(bias_gradient) = &bias_gradient {
        assert_eq!(bias_gradient.len(), g.out_features, "the bias of {g:?}");
    }
    let tiles = g.output.map(|size| size.div_ceil(M));
    let grid = |image, features, low| Grid { batch: g.batch, image, features, low, step: M, tiles };
    let gradient = Gradient {
        arch,
        g,
        input,
        cotangent,
        inputs: grid(g.input, g.in_features, g.padding.map(|[low, _]| -(low as isize))),
        outputs: grid(g.output, g.out_features, [0; 2]),
    };
    if gradient.outputs.len() == 0 || kernel_gradient.is_empty() {
        kernel_gradient.fill(E::default());
        bias_gradient.into_iter().for_each(|gradient| sum_rows(arch, cotangent, false, gradient));
        return;
    }
    let rows = g.batch * gradient.outputs.tiles[0];
    let chunks =
        CHUNKS.min(PARTIAL / kernel_gradient.len()).min(gradient.outputs.len() / TILES).min(rows).max(1);
    let seats = seats(chunks, gradient.outputs.len() * N * N * g.in_features * g.out_features);
    let partial = padded::<E>(kernel_gradient.len() + g.out_features);
    let zeros_len = padded::<E>(g.in_features.max(g.out_features));
    let seat_len = gradient.pieces().into_iter().sum::<usize>();
    with_scratch(chunks * partial + zeros_len + seats * seat_len, |scratch: &mut [E]| {
        let (partials, scratch) = scratch.split_at_mut(chunks * partial);
        let (zeros, scratch) = scratch.split_at_mut(zeros_len);
        zeros.fill(E::default());
        let (to, zeros, scratch) = (Shared(partials.as_mut_ptr()), &*zeros, Shared(scratch.as_mut_ptr()));
        parallel_seated(seats, chunks, |seat, chunk| {
            let rows = chunk * rows / chunks..(chunk + 1) * rows / chunks;
            // SAFETY: every chunk has its own partial sum, with room for kernel and bias, and every seat its own piece
            // of scratch.
            unsafe { gradient.chunk(rows, zeros, scratch.at(seat * seat_len), to.at(chunk * partial)) };
        });
        add_up(
            arch,
            partials,
            partial,
            NEIGHBOURS,
            [(0, kernel_gradient), (g.kernel_len(), bias_gradient.unwrap_or_default())],
        );
    });
}

struct Gradient<'a, E> {
    arch: Arch,
    g: &'a ConvGeometry,
    input: &'a [E],
    cotangent: &'a [E],
    inputs: Grid,
    outputs: Grid,
}

impl<E: Lanes> Gradient<'_, E> {
    fn panels(&self, start: *mut E) -> Panels<E> {
        Panels { start, width: strip::<E>(self.arch) }
    }

    /// Elements of the values of inputs and cotangents, and of the sums: for each strip of channels panels with a row a
    /// channel.
    fn pieces(&self) -> [usize; 3] {
        let panels = self.panels(std::ptr::null_mut());
        let [inputs, outputs] =
            [&self.inputs, &self.outputs].map(|grid| padded::<E>(panels.len(N * N, grid.features)));
        [inputs, outputs, self.inputs.features.div_ceil(panels.width) * outputs]
    }

    /// Computes the sums over some rows of tiles.
    ///
    /// # Safety
    /// `scratch` must be writable for the pieces and `to` for as many elements as kernel and bias have; nobody else
    /// may touch them meanwhile.
    unsafe fn chunk(&self, rows: Range<usize>, zeros: &[E], scratch: *mut E, to: *mut E) {
        let [inputs, outputs, _] = self.pieces();
        let across = self.outputs.tiles[1];
        let (first, last) = (rows.start * across, rows.end * across);
        let blocks = (last - first).div_ceil(TILES);
        let block = Block {
            gradient: self,
            inputs: self.panels(scratch),
            outputs: self.panels(scratch.wrapping_add(inputs)),
            sums: self.panels(scratch.wrapping_add(inputs + outputs)),
        };
        // SAFETY: the sums of the bias lie behind the kernel's.
        let bias =
            unsafe { std::slice::from_raw_parts_mut(to.add(self.g.kernel_len()), self.g.out_features) };
        for index in 0..blocks {
            let at = |index: usize| first + (last - first) * index / blocks;
            let tiles = at(index)..at(index + 1);
            // The rows of tiles that end in this block.
            let pixels = self.pixel(tiles.start / across)..self.pixel(tiles.end / across);
            sum_rows(self.arch, &self.cotangent[pixels], index > 0, bias);
            // SAFETY: the caller's promise.
            unsafe {
                block.evaluate(tiles.clone(), zeros);
                block.multiply(tiles.len(), index > 0);
            }
        }
        let (channels, features) = (self.g.in_features, self.g.out_features);
        for (index, start) in (0..channels).step_by(block.sums.width).enumerate() {
            self.arch.dispatch(Strip {
                sums: block.sums_of(index),
                rows: block.sums.width.min(channels - start),
                written: Written {
                    to: to.wrapping_add(start * features),
                    strides: [3 * channels * features, channels * features],
                    inside: [3; 2],
                    features,
                    finish: Finish { accumulate: false, bias: None, relu: false },
                    halving: None,
                },
            });
        }
    }

    /// Where in the cotangent a row of tiles begins.
    fn pixel(&self, row: usize) -> usize {
        let [down, _] = self.outputs.tiles;
        let [height, width] = self.g.output;
        (row / down * height + row % down * M) * width * self.g.out_features
    }
}

/// Where the values of a block of tiles and the sums are.
struct Block<'a, E> {
    gradient: &'a Gradient<'a, E>,
    inputs: Panels<E>,
    outputs: Panels<E>,
    sums: Panels<E>,
}

impl<E: Lanes> Block<'_, E> {
    /// The sums of a strip of channels.
    fn sums_of(&self, strip: usize) -> Panels<E> {
        let [_, outputs, _] = self.gradient.pieces();
        Panels { start: self.sums.start.wrapping_add(strip * outputs), ..self.sums }
    }

    /// The values of the tiles.
    ///
    /// # Safety
    /// As for [`Gradient::chunk`].
    unsafe fn evaluate(&self, tiles: Range<usize>, zeros: &[E]) {
        let Gradient { arch, input, cotangent, ref inputs, ref outputs, .. } = *self.gradient;
        let inputs = Evaluate::<_, _, N, N, true> {
            grid: inputs,
            source: input,
            zeros,
            tiles: tiles.clone(),
            panels: self.inputs,
            transform: PhantomData::<Input>,
        };
        let outputs = Evaluate::<_, _, M, N, true> {
            grid: outputs,
            source: cotangent,
            zeros,
            tiles,
            panels: self.outputs,
            transform: PhantomData::<Cotangent>,
        };
        // SAFETY: the caller's promise.
        unsafe {
            inputs.run(arch);
            outputs.run(arch);
        }
    }

    /// Adds the products over the tiles to the sums, point by point.
    ///
    /// # Safety
    /// As for [`Gradient::chunk`].
    unsafe fn multiply(&self, tiles: usize, accumulate: bool) {
        let (g, width) = (self.gradient.g, self.sums.width);
        let taps = [Tap { a: 0, b: 0, len: tiles }];
        for (index, channel) in (0..g.in_features).step_by(width).enumerate() {
            let sums = self.sums_of(index);
            for point in 0..N * N {
                for feature in (0..g.out_features).step_by(width) {
                    let [inputs, outputs, sums] =
                        [(self.inputs, channel), (self.outputs, feature), (sums, feature)]
                            .map(|(panels, at)| panels.at(N * N, 0, at).wrapping_add(point * panels.point()));
                    let panel = Panel {
                        rows: width.min(g.in_features - channel),
                        // Rounded up to a register: what is computed anyway.
                        columns: width.min((g.out_features - feature).next_multiple_of(width / REGISTERS)),
                        taps: &taps,
                        others: &[],
                        a: inputs,
                        a_rows: Rows::Adjacent,
                        a_step: width,
                        b: outputs,
                        b_step: width,
                        c: sums,
                        c_row: width,
                        finish: Finish { accumulate, bias: None, relu: false },
                    };
                    // SAFETY: the values of the tiles are there in rows of full strips, and the sums are the caller's
                    // promise.
                    unsafe { panel.run(self.gradient.arch) };
                }
            }
        }
    }
}

/// Takes the sums of a strip of channels from the points to the taps; made by [`Gradient::chunk`] only.
struct Strip<'a, E> {
    sums: Panels<E>,
    /// Channels.
    rows: usize,
    /// Where the first channel's taps go.
    written: Written<'a, E>,
}

impl<E: Lanes> WithSimd for Strip<'_, E> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let panels = Panels { width: REGISTERS * E::lanes::<S>(), ..self.sums };
        for row in 0..self.rows {
            let written =
                Written { to: self.written.to.wrapping_add(row * self.written.features), ..self.written };
            // SAFETY: `chunk` has summed up these rows, and its caller promises room for the kernel.
            unsafe { written.interpolate::<S, KernelGradient, N, 3>(simd, panels, row) };
        }
    }
}
