//! Windows of an image against a kernel: the walk that a convolution and its input gradient share.
//!
//! A task takes a band of rows of one image. It packs the part of the image that the band's windows see, with
//! its padding: channels in blocks of [`BLOCK`], and along a row first the columns that are multiples of the step,
//! then those one beyond, and so on. So windows side by side are one block apart in memory whatever the
//! step and the dilation, and every tap of the kernel is one offset. The packed kernel, a strip of features at a
//! time, stays in the caches while all rows of the band pass.

use pulp::Arch;

use super::super::halving::HalvedRow;
use super::super::lanes::Lanes;
use super::super::panel::{BLOCK, Finish, Panel, REGISTERS, Rows, Tap, strip};
use super::super::scratch::padded;
use super::super::threads::{Shared, parallel_seated, seats, threads};
use super::one_channel;
use crate::backend::{Epilogue, Halving};

/// A packed band has about this many elements at most, so that it stays in the second cache.
const BAND: usize = 1 << 16;

/// One axis of a [`Sweep`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// Size of the image that is read.
    pub source: usize,
    /// Where in it the first window begins; negative in the padding.
    pub low: isize,
    /// Distance between windows.
    pub step: usize,
    /// Size of a window, from its first tap to its last.
    pub extent: usize,
    /// Number of windows.
    pub count: usize,
    /// Size of the image that is written.
    pub target: usize,
    /// Where in it the first window's result goes, and the distance between results.
    pub target_start: usize,
    pub target_step: usize,
}

impl Axis {
    /// The part of the source that `count` windows see, padding included.
    fn seen(&self, count: usize) -> usize {
        count.max(1) * self.step - self.step + self.extent
    }
}

/// Which windows are taken, and where their results go.
pub(super) struct Sweep {
    pub arch: Arch,
    pub batch: usize,
    pub groups: usize,
    /// Channels of a group, which are summed over.
    pub channels: usize,
    /// Features of a group, which are made.
    pub features: usize,
    pub axes: [Axis; 2],
    /// Rows of the packed kernel: taps times channels.
    pub depth: usize,
    /// What is made of the results before they are written; then they are a whole image of even height and width.
    pub halving: Option<Halving>,
}

impl Sweep {
    /// Elements between the packed channels of neighbouring windows.
    fn block(&self) -> usize {
        if self.channels == 1 { 1 } else { BLOCK }
    }

    fn blocks(&self) -> usize {
        self.channels.div_ceil(self.block())
    }

    /// Packed columns of one residue modulo the step.
    fn columns(&self) -> usize {
        let axis = &self.axes[1];
        axis.seen(axis.count).div_ceil(axis.step)
    }

    /// Elements of a packed row.
    fn row_len(&self) -> usize {
        self.blocks() * self.axes[1].step * self.columns() * self.block()
    }

    /// How many rows and columns of results become one that is written.
    fn together(&self) -> usize {
        if self.halving.is_some() { 2 } else { 1 }
    }

    /// Cuts the windows into bands: few enough rows for the cache, and for all threads to have work.
    pub fn cut<E: Lanes>(&self) -> Cut {
        let [axis, across] = &self.axes;
        let fitting = (BAND / self.row_len()).saturating_sub(axis.extent) / axis.step + 1;
        let wanted = (4 * threads()).div_ceil((self.batch * self.groups).max(1));
        let band = fitting.min(axis.count.div_ceil(wanted)).max(1).next_multiple_of(self.together());
        let tasks = self.batch * self.groups * axis.count.div_ceil(band);
        let windows = self.batch * self.groups * axis.count * across.count;
        let seats = seats(tasks, windows * self.features * self.depth);
        let band_len = padded::<E>(axis.seen(band) * self.row_len());
        let pair_len = self.halving.map_or(0, |_| 2 * across.count * strip::<E>(self.arch));
        Cut { band, tasks, seats, band_len, pair_len: padded::<E>(pair_len) }
    }

    /// Strips of features in a group.
    pub fn strips<E: Lanes>(&self) -> usize {
        self.features.div_ceil(strip::<E>(self.arch))
    }

    /// Elements of the packed kernel: for each group and strip its rows of the strip's width.
    pub fn kernel_len<E: Lanes>(&self) -> usize {
        padded::<E>(self.groups * self.strips::<E>() * self.depth * strip::<E>(self.arch))
    }

    /// Adds the taps of one position of the window, whose channels begin in row `b` of the packed kernel.
    pub fn push_taps<E: Lanes>(&self, taps: &mut Vec<Tap>, position: [usize; 2], b: usize) {
        let (step, [y, x]) = (self.axes[1].step, position);
        for block in 0..self.blocks() {
            let start = block * self.block();
            let column = ((y * self.blocks() + block) * step + x % step) * self.columns() + x / step;
            taps.push(Tap {
                a: column * self.block(),
                b: (b + start) * strip::<E>(self.arch),
                len: self.block().min(self.channels - start),
            });
        }
    }

    /// Sweeps `source`, and writes the results of all windows to `target`. `scratch` is [`Cut::scratch_len`] long.
    #[allow(clippy::too_many_arguments)]
    pub fn run<E: Lanes>(
        &self,
        cut: &Cut,
        source: &[E],
        kernel: &[E],
        taps: &[Tap],
        epilogue: Epilogue<'_, E>,
        target: &mut [E],
        scratch: &mut [E],
    ) {
        let [rows, columns] = &self.axes;
        if target.is_empty() || rows.count == 0 || columns.count == 0 {
            return;
        }
        let Cut { band, tasks, seats, band_len, pair_len } = *cut;
        assert!(scratch.len() >= cut.scratch_len(), "scratch for every thread");
        let bands = rows.count.div_ceil(band);
        let (target, scratch) = (Shared(target.as_mut_ptr()), Shared(scratch.as_mut_ptr()));
        parallel_seated(seats, tasks, |seat, task| {
            let (image, group, start) =
                (task / bands / self.groups, task / bands % self.groups, task % bands * band);
            let count = band.min(rows.count - start);
            let task = Band { sweep: self, image, group, start, count };
            let scratch = scratch.at(seat * (band_len + pair_len));
            // SAFETY: every seat has its own piece of scratch.
            let packed = unsafe { std::slice::from_raw_parts_mut(scratch, band_len) };
            task.pack(source, packed);
            let pair = scratch.wrapping_add(band_len);
            // SAFETY: the bands of different tasks do not overlap, and all lie within the target; the pair is the seat's.
            unsafe { task.compute(packed, kernel, taps, epilogue, pair, target) };
        });
    }
}

/// How a sweep is cut into tasks, and how many threads share them.
pub(super) struct Cut {
    /// Rows of windows in a band.
    band: usize,
    tasks: usize,
    seats: usize,
    /// Elements of scratch for a thread: for a packed band, and for two rows of results that are not written.
    band_len: usize,
    pair_len: usize,
}

impl Cut {
    /// Elements of scratch for [`Sweep::run`].
    pub fn scratch_len(&self) -> usize {
        self.seats * (self.band_len + self.pair_len)
    }
}

/// A task: a band of rows of windows, in one group of one image.
struct Band<'a> {
    sweep: &'a Sweep,
    image: usize,
    group: usize,
    start: usize,
    count: usize,
}

impl Band<'_> {
    /// Packs what the band's windows see.
    fn pack<E: Lanes>(&self, source: &[E], packed: &mut [E]) {
        let sweep = self.sweep;
        let [rows, columns] = &sweep.axes;
        let features = sweep.groups * sweep.channels;
        let first = rows.low + (self.start * rows.step) as isize;
        for (i, packed) in packed.chunks_exact_mut(sweep.row_len()).take(rows.seen(self.count)).enumerate() {
            let Some(y) = usize::try_from(first + i as isize).ok().filter(|&y| y < rows.source) else {
                packed.fill(E::default());
                continue;
            };
            let row = &source[(self.image * rows.source + y) * columns.source * features..];
            let row = &row[..columns.source * features];
            for (j, run) in packed.chunks_exact_mut(sweep.columns() * sweep.block()).enumerate() {
                let (block, residue) = (j / columns.step, j % columns.step);
                let channel = self.group * sweep.channels + block * sweep.block();
                let len = sweep.block().min(sweep.channels - block * sweep.block());
                let low = columns.low + residue as isize;
                pack_run(row, features, channel, len, low, columns.step, sweep.block(), run);
            }
        }
    }

    /// The pixel that the first window of a row of the band makes, of those that are written.
    fn pixel(&self, row: usize) -> usize {
        let ([rows, columns], together) = (&self.sweep.axes, self.sweep.together());
        let y = rows.target_start + (self.start + row) * rows.target_step;
        (self.image * rows.target + y) / together * (columns.target / together) + columns.target_start
    }

    /// Computes the band.
    ///
    /// # Safety
    /// `target` must be as long as the sweep's target, and `pair` as the cut says; nobody else may touch this band of the one
    /// or the other meanwhile.
    unsafe fn compute<E: Lanes>(
        &self,
        packed: &[E],
        kernel: &[E],
        taps: &[Tap],
        epilogue: Epilogue<'_, E>,
        pair: *mut E,
        target: Shared<E>,
    ) {
        let sweep = self.sweep;
        let ([rows, columns], together) = (&sweep.axes, sweep.together());
        let (width, features) = (strip::<E>(sweep.arch), sweep.groups * sweep.features);
        let strides =
            [rows.target_step * (columns.target / together) * features, columns.target_step * features];
        for index in 0..sweep.strips::<E>() {
            let kernel = &kernel[(self.group * sweep.strips::<E>() + index) * sweep.depth * width..];
            let feature = self.group * sweep.features + index * width;
            let strip = width.min(sweep.features - index * width);
            let finish = Finish::from(epilogue).columns(feature, strip);
            let target = |row: usize| target.at(self.pixel(row) * features + feature);
            if strip.is_multiple_of(width / REGISTERS)
                && columns.step == 1
                && sweep.block() == 1
                && one_channel::suits(taps, sweep.row_len())
            {
                let outputs = one_channel::Forward {
                    count: [self.count, columns.count],
                    source: packed.as_ptr(),
                    source_rows: [rows.step * sweep.row_len(), sweep.row_len()],
                    kernel: kernel.as_ptr(),
                    kernel_step: width,
                    target: target(0),
                    target_strides: strides,
                    features: strip,
                    finish,
                    halving: sweep.halving,
                };
                // SAFETY: as below; a strip is some registers.
                unsafe { outputs.run(sweep.arch) };
                continue;
            }
            let panel = |row: usize, c: *mut E, c_row: usize| Panel {
                rows: columns.count,
                columns: strip,
                taps,
                others: &[],
                a: packed[row * rows.step * sweep.row_len()..].as_ptr(),
                a_rows: if sweep.block() == 1 { Rows::Adjacent } else { Rows::Blocked },
                a_step: 1,
                b: kernel.as_ptr(),
                b_step: width,
                c,
                c_row,
                finish,
            };
            let Some(halving) = sweep.halving else {
                for row in 0..self.count {
                    // SAFETY: the taps of all windows of a row lie within the packed rows, the kernel has a row of full
                    // strip width for every step of the sum, and `target` is the caller's promise.
                    unsafe { panel(row, target(row), strides[1]).run(sweep.arch) };
                }
                continue;
            };
            let pair = [0, 1].map(|row| pair.wrapping_add(row * columns.count * width));
            for row in (0..self.count).step_by(2) {
                for (row, c) in [(row, pair[0]), (row + 1, pair[1])] {
                    // SAFETY: as above; `pair` is the caller's promise, too.
                    unsafe { panel(row, c, width).run(sweep.arch) };
                }
                let halved = HalvedRow {
                    halving,
                    from: pair.map(<*mut E>::cast_const),
                    pixel: width,
                    count: columns.count / 2,
                    features: strip,
                    to: target(row),
                    to_step: strides[1],
                };
                // SAFETY: as above; the rows of the pair are full strips wide.
                unsafe { halved.run(sweep.arch) };
            }
        }
    }
}

/// Packs `len` channels of the pixels `low`, `low + step`, …, `block` elements apart, with zeros for those outside
/// the row.
#[allow(clippy::too_many_arguments)]
fn pack_run<E: Lanes>(
    row: &[E],
    features: usize,
    channel: usize,
    len: usize,
    low: isize,
    step: usize,
    block: usize,
    packed: &mut [E],
) {
    let (count, width) = (packed.len() / block, row.len() / features);
    // Pixel `low + i * step` is inside for `before <= i < after`.
    let before = (-low).max(0) as usize;
    let before = before.div_ceil(step).min(count);
    let after = ((width as isize - low).max(0) as usize).div_ceil(step).clamp(before, count);
    packed[..before * block].fill(E::default());
    packed[after * block..].fill(E::default());
    let inside = &mut packed[before * block..after * block];
    if inside.is_empty() {
        return;
    }
    let first = (low + (before * step) as isize) as usize;
    let from = &row[first * features + channel..];
    let stride = step * features;
    if stride == 1 {
        inside.copy_from_slice(&from[..inside.len()]);
    } else if block == 1 {
        inside.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &from)| *to = from);
    } else if len == BLOCK {
        // Copies of known size, the common case.
        for (to, from) in inside.chunks_exact_mut(BLOCK).zip(from.chunks(stride)) {
            to.copy_from_slice(&from[..BLOCK]);
        }
    } else {
        for (to, from) in inside.chunks_exact_mut(BLOCK).zip(from.chunks(stride)) {
            to[..len].copy_from_slice(&from[..len]);
        }
    }
}
