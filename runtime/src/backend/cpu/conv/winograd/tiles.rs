//! Tiles of an image and their values at the points of a transform: from one to the other and back.

use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::super::lanes::{FirstLanes, Lanes};
use super::super::super::panel::{BLOCK, Finish, REGISTERS};
use super::transform::{Transform, both};
use crate::backend::Halving;

/// The tiles of a batch of images, row after row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub batch: usize,
    /// Height, width and features of an image.
    pub image: [usize; 2],
    pub features: usize,
    /// Where the first tile begins; negative in the padding.
    pub low: [isize; 2],
    /// Distance between tiles.
    pub step: usize,
    /// Tiles down and across.
    pub tiles: [usize; 2],
}

impl Grid {
    /// All tiles.
    pub fn len(&self) -> usize {
        self.batch * self.tiles[0] * self.tiles[1]
    }

    /// The image of a tile, and where in it the tile begins.
    #[inline(always)]
    fn corner(&self, tile: usize) -> (usize, [isize; 2]) {
        let (row, x) = (tile / self.tiles[1], tile % self.tiles[1]);
        let (image, y) = (row / self.tiles[0], row % self.tiles[0]);
        (image, [self.low[0] + (y * self.step) as isize, self.low[1] + (x * self.step) as isize])
    }

    /// Where the features of a tile's pixels are; those outside the image are at `outside`.
    #[inline(always)]
    fn pixels<E, const I: usize>(&self, tile: usize, source: &[E], outside: &[E]) -> [[*const E; I]; I] {
        let (image, [top, left]) = self.corner(tile);
        let [height, width] = self.image;
        let mut pixels = [[outside.as_ptr(); I]; I];
        for (i, row) in pixels.iter_mut().enumerate() {
            let y = (top + i as isize) as usize;
            if y >= height {
                continue;
            }
            let from = source.as_ptr().wrapping_add((image * height + y) * width * self.features);
            for (j, pixel) in row.iter_mut().enumerate() {
                let x = (left + j as isize) as usize;
                if x < width {
                    *pixel = from.wrapping_add(x * self.features);
                }
            }
        }
        pixels
    }
}

/// The most tiles of a block: a few times the rows of a panel's tile, so that little is lost when they are not a multiple.
pub(super) const TILES: usize = 56;

/// Where the values of a block of tiles are: for each `width` features a panel a point, with a row a tile.
///
/// The places of a tile's values are constants apart, however many tiles there are, and the constant is an odd number of
/// rows, so that few of them fall into the same set of a cache.
#[derive(Clone, Copy)]
pub(super) struct Panels<E> {
    pub start: *mut E,
    /// Features of a row.
    pub width: usize,
}

impl<E> Panels<E> {
    /// Distance between the panels of two points.
    #[inline(always)]
    pub fn point(&self) -> usize {
        (TILES + 1) * self.width
    }

    /// Elements for `features` at `points`.
    pub fn len(&self, points: usize, features: usize) -> usize {
        features.div_ceil(self.width) * points * self.point()
    }

    /// A feature of a tile, at the first of `points`.
    #[inline(always)]
    pub fn at(&self, points: usize, tile: usize, feature: usize) -> *mut E {
        let panel = feature / self.width * points * self.point();
        self.start.wrapping_add(panel + tile * self.width + feature % self.width)
    }
}

/// Evaluates tiles of `I` by `I` pixels at `N` by `N` points. The panels are as wide as strips, or as blocks.
pub(super) struct Evaluate<'a, E, T, const I: usize, const N: usize, const STRIPS: bool> {
    pub grid: &'a Grid,
    pub source: &'a [E],
    /// As many zeros as there are features.
    pub zeros: &'a [E],
    pub tiles: Range<usize>,
    pub panels: Panels<E>,
    pub transform: PhantomData<T>,
}

impl<E: Lanes, T: Transform<I, N>, const I: usize, const N: usize, const STRIPS: bool>
    Evaluate<'_, E, T, I, N, STRIPS>
{
    /// Evaluates the tiles.
    ///
    /// # Safety
    /// The source must be as long as the grid says, the zeros as there are features; the panels must be
    /// writable, and nobody else may touch them meanwhile.
    pub unsafe fn run(self, arch: pulp::Arch) {
        debug_assert!(self.zeros.len() >= self.grid.features && self.tiles.end <= self.grid.len());
        arch.dispatch(self);
    }
}

impl<E: Lanes, T: Transform<I, N>, const I: usize, const N: usize, const STRIPS: bool> WithSimd
    for Evaluate<'_, E, T, I, N, STRIPS>
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let features = self.grid.features;
        // Constants for the compiler.
        let width = if STRIPS { REGISTERS * E::lanes::<S>() } else { BLOCK };
        let panels = Panels { width, ..self.panels };
        let point = panels.point();
        let mut few = [[[E::default(); BLOCK]; I]; I];
        for (index, tile) in self.tiles.clone().enumerate() {
            let pixels = self.grid.pixels::<E, I>(tile, self.source, self.zeros);
            for feature in (0..features).step_by(E::lanes::<S>()) {
                let to = panels.at(N * N, index, feature);
                let mut from = (&pixels, feature);
                let copied;
                if features - feature < E::lanes::<S>() {
                    // SAFETY: the promise of `run`, the only way here.
                    copied = unsafe { copy_few(&pixels, feature, features, &mut few) };
                    from = (&copied, 0);
                }
                let (pixels, feature) = from;
                both::<S, E, T, I, N>(
                    simd,
                    #[inline(always)]
                    // SAFETY: as above: a register of features is left, or has been copied.
                    |y, x| unsafe { E::load::<S>(pixels[y][x].wrapping_add(feature)) },
                    #[inline(always)]
                    // SAFETY: as above.
                    |y, x, value| unsafe { E::store::<S>(to.wrapping_add((y * N + x) * point), value) },
                );
            }
        }
    }
}

/// Copies the last features of pixels to where a whole register can be read. Not inlined, so that the compiler keeps it
/// apart from the common case.
///
/// # Safety
/// The pixels must be readable for features `start..end`, not more than [`BLOCK`].
#[inline(never)]
unsafe fn copy_few<E: Lanes, const I: usize>(
    pixels: &[[*const E; I]; I],
    start: usize,
    end: usize,
    few: &mut [[[E; BLOCK]; I]; I],
) -> [[*const E; I]; I] {
    let mut copied = *pixels;
    for (pixel, few) in copied.iter_mut().flatten().zip(few.iter_mut().flatten()) {
        for (i, element) in few[..end - start].iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *element = unsafe { *pixel.add(start + i) };
        }
        *pixel = few.as_ptr();
    }
    copied
}

/// Interpolates tiles of `M` by `M` pixels from their values at `N` by `N` points, and writes those inside the image.
pub(super) struct Interpolate<'a, E, T, const N: usize, const M: usize> {
    pub grid: &'a Grid,
    pub panels: Panels<E>,
    pub tiles: Range<usize>,
    pub finish: Finish<'a, E>,
    /// What is made of the image before it is written.
    pub halving: Option<Halving>,
    pub target: *mut E,
    pub transform: PhantomData<T>,
}

impl<E: Lanes, T: Transform<N, M>, const N: usize, const M: usize> Interpolate<'_, E, T, N, M> {
    /// Interpolates the tiles.
    ///
    /// # Safety
    /// The panels, whose rows are strips, must be readable. The target must be writable (and
    /// readable, to accumulate) as far as the grid says, a bias as long as there are features, and nobody else may
    /// touch the pixels of these tiles meanwhile.
    pub unsafe fn run(self, arch: pulp::Arch) {
        debug_assert!(self.tiles.end <= self.grid.len());
        arch.dispatch(self);
    }
}

impl<E: Lanes, T: Transform<N, M>, const N: usize, const M: usize> WithSimd for Interpolate<'_, E, T, N, M> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (grid, [height, width]) = (self.grid, self.grid.image);
        let together = if self.halving.is_some() { 2 } else { 1 };
        let across = width / together;
        let panels = Panels { width: REGISTERS * E::lanes::<S>(), ..self.panels };
        for (index, tile) in self.tiles.clone().enumerate() {
            let (image, corner) = grid.corner(tile);
            let [top, left] = corner.map(|at| at as usize);
            let pixel = (image * height + top) / together * across + left / together;
            let written = Written {
                to: self.target.wrapping_add(pixel * grid.features),
                strides: [across * grid.features, grid.features],
                inside: [height - top, width - left],
                features: grid.features,
                finish: self.finish,
                halving: self.halving,
            };
            // SAFETY: the promise of `run`, the only way here.
            unsafe { written.interpolate::<S, T, N, M>(simd, panels, index) };
        }
    }
}

/// Where the result of one tile goes.
pub(super) struct Written<'a, E> {
    pub to: *mut E,
    /// Distances between rows and columns of what is written.
    pub strides: [usize; 2],
    /// How many rows and columns of the result are inside of the image.
    pub inside: [usize; 2],
    pub features: usize,
    pub finish: Finish<'a, E>,
    /// What is made of the result, of which an even number of rows and columns is inside, before it is written.
    pub halving: Option<Halving>,
}

impl<E: Lanes> Written<'_, E> {
    /// Interpolates tile number `index` of the panels.
    ///
    /// # Safety
    /// As for [`Interpolate::run`], for this tile.
    #[inline(always)]
    pub unsafe fn interpolate<S: Simd, T: Transform<N, M>, const N: usize, const M: usize>(
        &self,
        simd: S,
        panels: Panels<E>,
        index: usize,
    ) {
        for feature in (0..self.features).step_by(E::lanes::<S>()) {
            let from = panels.at(N * N, index, feature).cast_const();
            if self.features - feature >= E::lanes::<S>() {
                // SAFETY: the caller's promise.
                unsafe { self.register::<S, T, N, M, true>(simd, from, panels.point(), feature) };
            } else {
                // A function of its own, so that the compiler keeps it apart from the common case.
                simd.vectorize(
                    #[inline(always)]
                    // SAFETY: as above.
                    || unsafe { self.register::<S, T, N, M, false>(simd, from, panels.point(), feature) },
                );
            }
        }
    }

    /// Interpolates the register of features that begins with `feature`, of values that are `point` apart. All of the register
    /// are features if it is `FULL`.
    ///
    /// # Safety
    /// As for [`Interpolate::run`], for this tile.
    #[inline(always)]
    unsafe fn register<S: Simd, T: Transform<N, M>, const N: usize, const M: usize, const FULL: bool>(
        &self,
        simd: S,
        from: *const E,
        point: usize,
        feature: usize,
    ) {
        let ([row, column], [rows, columns]) = (self.strides, self.inside);
        let Finish { accumulate, bias, relu } = self.finish;
        let zero = E::splat(simd, E::default());
        let features = E::first_lanes(simd, self.features - feature);
        let bias = match bias {
            // SAFETY: the caller's promise, for this and every access below: these features are read and written.
            Some(bias) => unsafe { load::<S, E, FULL>(simd, features, bias.as_ptr().wrapping_add(feature)) },
            None => zero,
        };
        // Of a window to halve: what is above, and what is to the left.
        let (mut above, mut left) = ([zero; M], zero);
        both::<S, E, T, N, M>(
            simd,
            #[inline(always)]
            // SAFETY: as above.
            |y, x| unsafe { E::load::<S>(from.wrapping_add((y * N + x) * point)) },
            #[inline(always)]
            |y, x, value| {
                if y >= rows || x >= columns {
                    return;
                }
                let mut value = E::add_lanes(simd, value, bias);
                if let Some(halving) = self.halving {
                    if relu {
                        value = E::relu_lanes(simd, value);
                    }
                    match [y % 2, x % 2] {
                        [0, _] => above[x] = value,
                        [_, 0] => left = value,
                        _ => {
                            let to = self.to.wrapping_add(y / 2 * row + x / 2 * column + feature);
                            let halved = halving.of::<S, E>(simd, [above[x - 1], above[x], left, value]);
                            // SAFETY: as above.
                            unsafe { store::<S, E, FULL>(simd, features, to, halved) };
                        }
                    }
                    return;
                }
                let to = self.to.wrapping_add(y * row + x * column + feature);
                if accumulate {
                    // SAFETY: as above.
                    value = E::add_lanes(simd, unsafe { load::<S, E, FULL>(simd, features, to) }, value);
                }
                if relu {
                    value = E::relu_lanes(simd, value);
                }
                // SAFETY: as above.
                unsafe { store::<S, E, FULL>(simd, features, to, value) };
            },
        );
    }
}

/// Reads a register, or some lanes of it unless it is `FULL`.
///
/// # Safety
/// These lanes must be readable.
#[inline(always)]
unsafe fn load<S: Simd, E: Lanes, const FULL: bool>(
    simd: S,
    lanes: FirstLanes<E::Mask<S>>,
    from: *const E,
) -> E::Register<S> {
    // SAFETY: the caller's promise.
    unsafe { if FULL { E::load::<S>(from) } else { E::load_some(simd, lanes, from) } }
}

/// Writes a register, or some lanes of it unless it is `FULL`.
///
/// # Safety
/// These lanes must be writable.
#[inline(always)]
unsafe fn store<S: Simd, E: Lanes, const FULL: bool>(
    simd: S,
    lanes: FirstLanes<E::Mask<S>>,
    to: *mut E,
    value: E::Register<S>,
) {
    // SAFETY: the caller's promise.
    unsafe { if FULL { E::store::<S>(to, value) } else { E::store_some(simd, lanes, to, value) } }
}
