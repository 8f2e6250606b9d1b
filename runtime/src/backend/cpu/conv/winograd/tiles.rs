//! Tiles of an image and their values at the points of a transform: from one to the other and back.

use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::super::lanes::Lanes;
use super::super::super::panel::{BLOCK, Finish, REGISTERS};
use super::transform::{Transform, both};

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
        let panels = Panels { width: REGISTERS * E::lanes::<S>(), ..self.panels };
        let mut few = [[[E::default(); BLOCK]; M]; M];
        for (index, tile) in self.tiles.clone().enumerate() {
            let (image, corner) = grid.corner(tile);
            let [top, left] = corner.map(|at| at as usize);
            let written = Written {
                to: self.target.wrapping_add(((image * height + top) * width + left) * grid.features),
                strides: [width * grid.features, grid.features],
                inside: [height - top, width - left],
                features: grid.features,
                finish: self.finish,
            };
            // SAFETY: the promise of `run`, the only way here.
            unsafe { written.interpolate::<S, T, N, M>(simd, panels, index, &mut few) };
        }
    }
}

/// Where the result of one tile goes.
pub(super) struct Written<'a, E> {
    pub to: *mut E,
    /// Distances between rows and columns of the result.
    pub strides: [usize; 2],
    /// How many of its rows and columns are written.
    pub inside: [usize; 2],
    pub features: usize,
    pub finish: Finish<'a, E>,
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
        few: &mut [[[E; BLOCK]; M]; M],
    ) {
        for feature in (0..self.features).step_by(E::lanes::<S>()) {
            let from = panels.at(N * N, index, feature).cast_const();
            let whole = self.features - feature >= E::lanes::<S>();
            let (to, [row, column], [rows, columns], Finish { accumulate, relu, .. }) = if whole {
                (self.to.wrapping_add(feature), self.strides, self.inside, self.finish)
            } else {
                let plain = Finish { accumulate: false, bias: None, relu: false };
                (few.as_flattened_mut().as_flattened_mut().as_mut_ptr(), [M * BLOCK, BLOCK], [M, M], plain)
            };
            let bias = match self.finish.bias {
                // SAFETY: as above: the bias has as many elements as there are features.
                Some(bias) if whole => unsafe { E::load::<S>(bias.as_ptr().wrapping_add(feature)) },
                _ => E::splat(simd, E::default()),
            };
            both::<S, E, T, N, M>(
                simd,
                #[inline(always)]
                // SAFETY: the caller's promise.
                |y, x| unsafe { E::load::<S>(from.wrapping_add((y * N + x) * panels.point())) },
                #[inline(always)]
                |y, x, value| {
                    if y >= rows || x >= columns {
                        return;
                    }
                    let to = to.wrapping_add(y * row + x * column);
                    let mut value = E::add_lanes(simd, value, bias);
                    if accumulate {
                        // SAFETY: as above: a register of features is left, or the buffer has room for one.
                        value = E::add_lanes(simd, unsafe { E::load::<S>(to) }, value);
                    }
                    if relu {
                        value = E::relu_lanes(simd, value);
                    }
                    // SAFETY: as above.
                    unsafe { E::store::<S>(to, value) };
                },
            );
            if !whole {
                // SAFETY: as above.
                unsafe { self.write_few(feature, few) };
            }
        }
    }

    /// Writes the last features, from `start` on. Not inlined, so that the compiler keeps it apart from the common case.
    ///
    /// # Safety
    /// As for [`Interpolate::run`], for this tile.
    #[inline(never)]
    unsafe fn write_few<const M: usize>(&self, start: usize, few: &[[[E; BLOCK]; M]; M]) {
        for (y, row) in few.iter().enumerate().take(self.inside[0]) {
            for (x, pixel) in row.iter().enumerate().take(self.inside[1]) {
                let to = self.to.wrapping_add(y * self.strides[0] + x * self.strides[1]);
                for (feature, &value) in (start..self.features).zip(pixel) {
                    // SAFETY: the caller's promise.
                    self.finish.apply(unsafe { &mut *to.add(feature) }, value, feature);
                }
            }
        }
    }
}
