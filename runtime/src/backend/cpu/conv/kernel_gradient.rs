//! The gradients of a convolution's kernel and bias: products of the image and the cotangent, summed over pixels.
//!
//! The rows of the product are the kernel's (tap, channel) pairs, its columns the output features, and the steps
//! of its sum the pixels. In an image packed with its padding, the channels of the taps side by side in a row of the
//! kernel are side by side in memory, so they are rows that can be read in place; the cotangent, too, is read
//! where it lies. (Images of one channel make few such rows: see [`one_channel`].)
//!
//! The bands of all images are dealt into at most [`CHUNKS`] chunks, each with its own sums, which are then added in
//! order: the split, and so every bit of the result, depends on the sizes alone.

#![allow(unsafe_code)]

use pulp::Arch;

use super::super::lanes::Lanes;
use super::super::pack::pack_strips;
use super::super::panel::{Finish, Panel, REGISTERS, Rows, Tap, strip};
use super::super::partials::add_up;
use super::super::rows::sum_rows;
use super::super::scratch::{padded, with_scratch, with_taps};
use super::super::threads::{Shared, parallel_seated, seats, threads};
use super::{check, one_channel, positions};
use crate::backend::ConvGeometry;

/// The most partial sums.
const CHUNKS: usize = 8;

/// Partial sums of large kernels together have about this many elements at most.
pub(super) const PARTIAL: usize = 1 << 22;

/// A packed band has about this many elements at most.
const BAND: usize = 1 << 12;

pub(super) fn compute<E: Lanes>(
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
    let plan = Plan::new(arch, strip::<E>(arch), g);
    if plan.units() == 0 || kernel_gradient.is_empty() || g.output[1] == 0 {
        kernel_gradient.fill(E::default());
        bias_gradient.into_iter().for_each(|gradient| sum_rows(arch, cotangent, false, gradient));
        return;
    }
    let splits = if threads() * 2 <= plan.chunks { 1 } else { plan.strips };
    let tasks = plan.chunks * splits;
    let seats = seats(tasks, g.flops() / 2);
    let partial = padded::<E>(kernel_gradient.len() + g.out_features);
    let seat_len = plan.seat_len::<E>();
    with_scratch(plan.chunks * partial + seats * seat_len, |scratch: &mut [E]| {
        let (partials, scratch) = scratch.split_at_mut(plan.chunks * partial);
        let (to, scratch) = (Shared(partials.as_mut_ptr()), Shared(scratch.as_mut_ptr()));
        with_taps(|taps| {
            plan.push_taps(taps, g.out_features);
            plan.push_taps(taps, plan.strip);
            let (in_place, packed) = taps.split_at(taps.len() / 2);
            parallel_seated(seats, tasks, |seat, task| {
                let (chunk, split) = (task / splits, task % splits);
                // SAFETY: every seat has its own piece of scratch.
                let scratch =
                    unsafe { std::slice::from_raw_parts_mut(scratch.at(seat * seat_len), seat_len) };
                let strips = split * plan.strips / splits..(split + 1) * plan.strips / splits;
                let task = Chunk {
                    plan: &plan,
                    input,
                    cotangent,
                    in_place,
                    packed,
                    strips,
                    to: to.at(chunk * partial),
                };
                // SAFETY: a chunk's partial sum has room for kernel and bias, and the strips of different splits
                // are different columns of it.
                unsafe { task.compute(chunk, scratch) };
            });
        });
        add_up(
            arch,
            partials,
            partial,
            1,
            [(0, kernel_gradient), (g.kernel_len(), bias_gradient.unwrap_or_default())],
        );
    });
}

/// How the sums are cut up.
struct Plan<'a> {
    arch: Arch,
    g: &'a ConvGeometry,
    /// Channels and features of a group.
    channels: usize,
    features: usize,
    /// Features of a strip, and strips in all groups.
    strip: usize,
    strips: usize,
    /// Pixels of a packed row.
    width: usize,
    /// Rows of the output in a band, and bands in an image.
    band: usize,
    bands: usize,
    chunks: usize,
    /// Rows of the product that are side by side in a packed image.
    run: usize,
    /// Whether all rows fit the registers, see [`one_channel`].
    one_channel: bool,
}

impl<'a> Plan<'a> {
    fn new(arch: Arch, strip: usize, g: &'a ConvGeometry) -> Self {
        let (channels, features) = (g.in_features / g.groups, g.out_features / g.groups);
        let seen = |axis: usize, count: usize| {
            (count.max(1) - 1) * g.strides[axis] + (g.kernel[axis].max(1) - 1) * g.dilation[axis] + 1
        };
        let width = seen(1, g.output[1]);
        let fitting = (BAND / (width * channels).max(1)).saturating_sub(seen(0, 1)) / g.strides[0] + 1;
        let band = fitting.min(g.output[0]).max(1);
        let bands = g.output[0].div_ceil(band);
        let chunks = CHUNKS.min(PARTIAL / g.kernel_len().max(1)).min(g.batch * bands).max(1);
        let run = if g.dilation[1] == 1 { g.kernel[1] * channels } else { channels };
        let strips = g.groups * features.div_ceil(strip);
        let one_channel = g.in_features == 1 && g.kernel == [3; 2] && g.dilation == [1; 2];
        Self { arch, g, channels, features, strip, strips, width, band, bands, chunks, run, one_channel }
    }

    fn units(&self) -> usize {
        self.g.batch * self.bands
    }

    /// Elements of a band of the image, and of one strip of the cotangent.
    fn pieces(&self) -> [usize; 2] {
        let rows =
            (self.band - 1) * self.g.strides[0] + (self.g.kernel[0].max(1) - 1) * self.g.dilation[0] + 1;
        [rows * self.width * self.channels, self.band * self.g.output[1] * self.strip]
    }

    /// Elements of scratch for a thread.
    fn seat_len<E>(&self) -> usize {
        self.pieces().into_iter().map(padded::<E>).sum()
    }

    /// Adds the sum over the pixels of a band, row after row, with `b_step` elements between pixels of the cotangent.
    fn push_taps(&self, taps: &mut Vec<Tap>, b_step: usize) {
        let len = self.g.output[1];
        taps.extend((0..self.band).map(|row| Tap {
            a: row * self.g.strides[0] * self.width * self.channels,
            b: row * len * b_step,
            len,
        }));
    }
}

/// A task: some strips of the partial sums of a chunk.
struct Chunk<'a, E> {
    plan: &'a Plan<'a>,
    input: &'a [E],
    cotangent: &'a [E],
    /// The sum over a band where the cotangent is read in place, and where its strip is packed.
    in_place: &'a [Tap],
    packed: &'a [Tap],
    strips: std::ops::Range<usize>,
    /// The chunk's sums: the kernel's and behind them the bias's.
    to: *mut E,
}

impl<E: Lanes> Chunk<'_, E> {
    /// Computes the sums of chunk number `chunk`.
    ///
    /// # Safety
    /// `to` must be writable for as many elements as the kernel and the bias have; nobody else may touch the columns
    /// of this task's strips meanwhile.
    unsafe fn compute(&self, chunk: usize, scratch: &mut [E]) {
        let (plan, g) = (self.plan, self.plan.g);
        let [image_len, _] = plan.pieces().map(padded::<E>);
        let (image, strip) = scratch.split_at_mut(image_len);
        let units = chunk * plan.units() / plan.chunks..(chunk + 1) * plan.units() / plan.chunks;
        let first = units.start;
        for unit in units {
            let start = unit % plan.bands * plan.band;
            let count = plan.band.min(g.output[0] - start);
            let pixel = (unit / plan.bands * g.output[0] + start) * g.output[1];
            let cotangent = &self.cotangent[pixel * g.out_features..][..count * g.output[1] * g.out_features];
            if self.strips.start == 0 && !plan.one_channel {
                // SAFETY: the sums of the bias lie behind the kernel's, and only the first split makes them.
                let bias =
                    unsafe { std::slice::from_raw_parts_mut(self.to.add(g.kernel_len()), g.out_features) };
                sum_rows(plan.arch, cotangent, unit != first, bias);
            }
            let mut packed_group = None;
            for index in self.strips.clone() {
                let per_group = plan.strips / g.groups;
                let (group, column) = (index / per_group, index % per_group * plan.strip);
                if packed_group.replace(group) != Some(group) {
                    self.pack(unit / plan.bands, start, count, group, image);
                }
                let band = Product { group, column, count, accumulate: unit != first };
                // SAFETY: the caller's promise.
                unsafe { self.multiply(&band, image, cotangent, strip) };
            }
        }
    }

    /// Packs what `count` rows of windows from `start` on see of one group of an image, with its padding.
    fn pack(&self, image: usize, start: usize, count: usize, group: usize, packed: &mut [E]) {
        let (plan, g) = (self.plan, self.plan.g);
        let [height, width] = g.input;
        let left = g.padding[1][0].min(plan.width);
        let inside = width.min(plan.width - left);
        let rows = (count - 1) * g.strides[0] + (g.kernel[0] - 1) * g.dilation[0] + 1;
        for (i, packed) in packed.chunks_exact_mut(plan.width * plan.channels).take(rows).enumerate() {
            let Some(y) = (start * g.strides[0] + i).checked_sub(g.padding[0][0]).filter(|&y| y < height)
            else {
                packed.fill(E::default());
                continue;
            };
            let row = &self.input[(image * height + y) * width * g.in_features..][..width * g.in_features];
            let (before, rest) = packed.split_at_mut(left * plan.channels);
            let (middle, after) = rest.split_at_mut(inside * plan.channels);
            before.fill(E::default());
            after.fill(E::default());
            if g.groups == 1 {
                middle.copy_from_slice(&row[..middle.len()]);
            } else {
                let pixels = row.chunks_exact(g.in_features).map(|pixel| &pixel[group * plan.channels..]);
                for (to, from) in middle.chunks_exact_mut(plan.channels).zip(pixels) {
                    to.copy_from_slice(&from[..plan.channels]);
                }
            }
        }
    }

    /// Adds the product of a band's rows with one strip of its cotangent to the sums.
    ///
    /// # Safety
    /// As for [`Self::compute`].
    unsafe fn multiply(&self, band: &Product, image: &[E], cotangent: &[E], strip: &mut [E]) {
        let (plan, g) = (self.plan, self.plan.g);
        let column = band.group * plan.features + band.column;
        let columns = plan.strip.min(plan.features - band.column);
        let mut b = cotangent[column..].as_ptr();
        let (mut b_step, mut taps) = (g.out_features, self.in_place);
        // Panels read whole strips, and registers are enough for one channel.
        let read = if plan.one_channel { plan.strip / REGISTERS } else { plan.strip };
        if !columns.is_multiple_of(read) {
            // SAFETY: the strip lies within the cotangent, and its piece has room for a band.
            unsafe {
                pack_strips(
                    plan.arch,
                    b,
                    [b_step, 1],
                    band.count * g.output[1],
                    columns,
                    plan.strip,
                    strip.as_mut_ptr(),
                )
            };
            (b, b_step, taps) = (strip.as_ptr(), plan.strip, self.packed);
        }
        if plan.one_channel {
            let sums = one_channel::KernelGradient {
                count: [band.count, g.output[1]],
                source: image.as_ptr(),
                source_rows: [g.strides[0] * plan.width, g.strides[1], plan.width],
                cotangent: b,
                cotangent_step: b_step,
                features: columns,
                accumulate: band.accumulate,
                to: self.to.wrapping_add(column),
                to_step: g.out_features,
                bias: self.to.wrapping_add(g.kernel_len() + column),
            };
            // SAFETY: the packed image has all that the band's windows see; the sums are the caller's promise.
            return unsafe { sums.run(plan.arch) };
        }
        let taps = &taps[..band.count];
        let panel = |row: usize, rows: usize, a: *const E| Panel {
            rows,
            columns,
            taps,
            others: &[],
            a,
            a_rows: Rows::Adjacent,
            a_step: g.strides[1] * plan.channels,
            b,
            b_step,
            c: self.to.wrapping_add(row * g.out_features + column),
            c_row: g.out_features,
            finish: Finish { accumulate: band.accumulate, bias: None, relu: false },
        };
        let runs = plan.g.kernel[1] * plan.channels / plan.run;
        for (ky, kx) in positions([g.kernel[0], runs]) {
            let at = (ky * g.dilation[0] * plan.width + kx * g.dilation[1]) * plan.channels;
            let row = (ky * g.kernel[1] + kx) * plan.channels;
            // SAFETY: the run is side by side in the packed image under every pixel of the band; the sums are the
            // caller's promise.
            unsafe { panel(row, plan.run, image[at..].as_ptr()).run(plan.arch) };
        }
    }
}

/// Which product of a chunk: a strip of features of a group, with `count` rows of windows.
struct Product {
    group: usize,
    column: usize,
    count: usize,
    accumulate: bool,
}
