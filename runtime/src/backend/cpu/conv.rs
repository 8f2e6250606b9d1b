//! Convolution and its two gradients.
//!
//! Forward pass and input gradient are the same walk (see [`sweep`]): windows of a packed image against a packed
//! kernel. The kernel gradient sums over pixels instead of channels (see [`kernel_gradient`]).
//! Kernels of 3 by 3 taps can do with fewer multiplications (see [`winograd`]).

#![allow(unsafe_code)]

mod kernel_gradient;
mod one_channel;
mod sweep;
mod winograd;

#[cfg(test)]
mod tests;

use pulp::Arch;

use self::sweep::{Axis, Sweep};
use self::winograd::Pass;
pub use self::winograd::{Winograd, set_winograd};
use super::lanes::Lanes;
use super::pack::pack_strips;
use super::panel::strip;
use super::scratch::{with_scratch, with_taps};
use super::simd::arch;
use super::threads::{Shared, parallel_seated, seats};
use crate::backend::{ConvGeometry, Epilogue, Halving};

/// See [`crate::backend::conv_forward`].
pub(super) fn forward<E: Lanes>(
    geometry: &ConvGeometry,
    input: &[E],
    kernel: &[E],
    epilogue: Epilogue<'_, E>,
    output: &mut [E],
) {
    match winograd::tile::<E>(geometry, Pass::Forward) {
        Some(tile) => winograd::forward(arch(), tile, geometry, input, kernel, epilogue, None, output),
        None => forward_with(arch(), geometry, input, kernel, epilogue, None, output),
    }
}

/// See [`crate::backend::conv_inference`].
pub(super) fn inference<E: Lanes>(
    geometry: &ConvGeometry,
    input: &[E],
    kernel: &[E],
    epilogue: Epilogue<'_, E>,
    halving: Option<Halving>,
    output: &mut [E],
) {
    match winograd::tile::<E>(geometry, Pass::Inference) {
        Some(tile) => winograd::forward(arch(), tile, geometry, input, kernel, epilogue, halving, output),
        None => forward_with(arch(), geometry, input, kernel, epilogue, halving, output),
    }
}

/// See [`crate::backend::conv_input_gradient`].
pub(super) fn input_gradient<E: Lanes>(
    geometry: &ConvGeometry,
    cotangent: &[E],
    kernel: &[E],
    input_gradient: &mut [E],
) {
    match winograd::tile::<E>(geometry, Pass::InputGradient) {
        Some(tile) => winograd::input_gradient(arch(), tile, geometry, cotangent, kernel, input_gradient),
        None => input_gradient_with(arch(), geometry, cotangent, kernel, input_gradient),
    }
}

/// See [`crate::backend::conv_kernel_gradient`].
pub(super) fn kernel_gradient<E: Lanes>(
    geometry: &ConvGeometry,
    input: &[E],
    cotangent: &[E],
    kernel_gradient: &mut [E],
    bias_gradient: Option<&mut [E]>,
) {
    let compute = match winograd::tile::<E>(geometry, Pass::KernelGradient) {
        Some(_) => winograd::kernel_gradient::compute,
        None => kernel_gradient::compute,
    };
    compute(arch(), geometry, input, cotangent, kernel_gradient, bias_gradient);
}

/// Panics unless the slices have the lengths that the geometry says, and images of which a halving is written are even.
fn check<E>(geometry: &ConvGeometry, input: &[E], kernel: &[E], halving: Option<Halving>, output: &[E]) {
    let g = geometry;
    assert!(
        halving.is_none() || g.output.iter().all(|size| size.is_multiple_of(2)),
        "even images to halve: {g:?}"
    );
    assert!(
        g.in_features.is_multiple_of(g.groups) && g.out_features.is_multiple_of(g.groups),
        "whole groups: {g:?}"
    );
    assert_eq!(input.len(), g.input_len(), "the input of {g:?}");
    assert_eq!(kernel.len(), g.kernel_len(), "the kernel of {g:?}");
    assert_eq!(output.len(), g.written_len(halving), "the output of {g:?}");
}

fn forward_with<E: Lanes>(
    arch: Arch,
    g: &ConvGeometry,
    input: &[E],
    kernel: &[E],
    epilogue: Epilogue<'_, E>,
    halving: Option<Halving>,
    output: &mut [E],
) {
    check(g, input, kernel, halving, output);
    let (channels, features) = (g.in_features / g.groups, g.out_features / g.groups);
    let window = g.kernel[0] * g.kernel[1];
    let axis = |i: usize| Axis {
        source: g.input[i],
        low: -(g.padding[i][0] as isize),
        step: g.strides[i],
        extent: (g.kernel[i].max(1) - 1) * g.dilation[i] + 1,
        count: g.output[i],
        target: g.output[i],
        target_start: 0,
        target_step: 1,
    };
    let sweep = Sweep {
        arch,
        batch: g.batch,
        groups: g.groups,
        channels,
        features,
        axes: [axis(0), axis(1)],
        depth: window * channels,
        halving,
    };
    let (strip, strips) = (strip::<E>(arch), sweep.strips::<E>());
    let cut = sweep.cut::<E>();
    with_scratch(sweep.kernel_len::<E>() + cut.scratch_len(), |scratch| {
        let (packed, scratch) = scratch.split_at_mut(sweep.kernel_len::<E>());
        let to = Shared(packed.as_mut_ptr());
        parallel_seated(pack_seats(g.groups * strips, kernel.len()), g.groups * strips, |_, task| {
            let (group, start) = (task / strips, task % strips * strip);
            let from = kernel.as_ptr().wrapping_add(group * features + start);
            let width = strip.min(features - start);
            // SAFETY: the strip's columns are among the group's, in each of the kernel's `depth` rows, and every
            // task writes its own part of `packed`.
            unsafe {
                let to = to.at(task * sweep.depth * strip);
                pack_strips(arch, from, [g.out_features, 1], sweep.depth, width, strip, to);
            }
        });
        with_taps(|taps| {
            for (index, (ky, kx)) in positions(g.kernel).enumerate() {
                let b = index * channels;
                sweep.push_taps::<E>(taps, [ky * g.dilation[0], kx * g.dilation[1]], b);
            }
            sweep.run(&cut, input, packed, taps, epilogue, output, scratch);
        });
    });
}

/// How many threads pack a kernel: to move an element takes as long as some multiply-adds.
fn pack_seats(tasks: usize, len: usize) -> usize {
    seats(tasks, 4 * len)
}

/// The positions of a kernel, in its order.
fn positions(kernel: [usize; 2]) -> impl Iterator<Item = (usize, usize)> {
    (0..kernel[0]).flat_map(move |y| (0..kernel[1]).map(move |x| (y, x)))
}

fn input_gradient_with<E: Lanes>(
    arch: Arch,
    g: &ConvGeometry,
    cotangent: &[E],
    kernel: &[E],
    input_gradient: &mut [E],
) {
    check(g, input_gradient, kernel, None, cotangent);
    let (channels, features) = (g.in_features / g.groups, g.out_features / g.groups);
    let window = g.kernel[0] * g.kernel[1];
    for phase in positions(g.strides) {
        let axis = |i: usize, phase: usize| {
            let taps = Phase::new(g, i, phase);
            Axis {
                source: g.output[i],
                low: taps.lowest(),
                step: 1,
                extent: taps.extent(),
                count: g.input[i].saturating_sub(phase).div_ceil(g.strides[i]),
                target: g.input[i],
                target_start: phase,
                target_step: g.strides[i],
            }
        };
        let sweep = Sweep {
            arch,
            batch: g.batch,
            groups: g.groups,
            channels: features,
            features: channels,
            axes: [axis(0, phase.0), axis(1, phase.1)],
            depth: window * features,
            halving: None,
        };
        let cut = sweep.cut::<E>();
        with_scratch(sweep.kernel_len::<E>() + cut.scratch_len(), |scratch| {
            let (packed, scratch) = scratch.split_at_mut(sweep.kernel_len::<E>());
            pack_transposed(g, &sweep, kernel, packed);
            with_taps(|taps| {
                for (index, (ky, kx)) in positions(g.kernel).enumerate() {
                    let offsets =
                        (Phase::new(g, 0, phase.0).offset(ky), Phase::new(g, 1, phase.1).offset(kx));
                    if let (Some(y), Some(x)) = offsets {
                        let [rows, columns] = &sweep.axes;
                        let at = [(y - rows.low) as usize, (x - columns.low) as usize];
                        sweep.push_taps::<E>(taps, at, index * features);
                    }
                }
                sweep.run(&cut, cotangent, packed, taps, Epilogue::Assign, input_gradient, scratch);
            });
        });
    }
}

/// Packs the kernel with its input features as columns.
fn pack_transposed<E: Lanes>(g: &ConvGeometry, sweep: &Sweep, kernel: &[E], packed: &mut [E]) {
    let (strip, strips) = (strip::<E>(sweep.arch), sweep.strips::<E>());
    let window = g.kernel[0] * g.kernel[1];
    let (channels, features) = (sweep.features, sweep.channels);
    let to = Shared(packed.as_mut_ptr());
    parallel_seated(pack_seats(g.groups * strips, kernel.len()), g.groups * strips, |_, task| {
        let (group, start) = (task / strips, task % strips * strip);
        let width = strip.min(channels - start);
        for index in 0..window {
            let from = (index * channels + start) * g.out_features + group * features;
            // SAFETY: input features `start..start + width` and the group's output features are the kernel's, and
            // every task writes its own part of `packed`.
            unsafe {
                let to = to.at((task * window + index) * features * strip);
                let from = kernel.as_ptr().wrapping_add(from);
                pack_strips(sweep.arch, from, [1, g.out_features], features, width, strip, to);
            }
        }
    });
}

/// The input positions along one axis that are `phase` beyond a multiple of the stride: which taps reach them.
///
/// Output position `o` reads input `o * stride + tap * dilation - padding`. So input `i = q * stride + phase` is
/// read by output `q + (phase + padding - tap * dilation) / stride`, if that is a whole number.
struct Phase {
    start: isize,
    taps: usize,
    dilation: isize,
    stride: isize,
}

impl Phase {
    fn new(g: &ConvGeometry, axis: usize, phase: usize) -> Self {
        Self {
            start: (phase + g.padding[axis][0]) as isize,
            taps: g.kernel[axis],
            dilation: g.dilation[axis] as isize,
            stride: g.strides[axis] as isize,
        }
    }

    /// The output position that reads through `tap`, from `q`.
    fn offset(&self, tap: usize) -> Option<isize> {
        let distance = self.start - tap as isize * self.dilation;
        (distance % self.stride == 0).then_some(distance / self.stride)
    }

    fn lowest(&self) -> isize {
        (0..self.taps).filter_map(|tap| self.offset(tap)).min().unwrap_or(0)
    }

    fn extent(&self) -> usize {
        let highest = (0..self.taps).filter_map(|tap| self.offset(tap)).max().unwrap_or(0);
        (highest - self.lowest() + 1) as usize
    }
}
