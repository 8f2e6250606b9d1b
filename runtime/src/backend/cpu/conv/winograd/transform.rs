//! The transforms of Winograd's algorithm along one axis, on registers.
//!
//! A tile of `M` outputs is the product of two polynomials, computed from their values at `N = M + 2` points: the image's
//! and the kernel's are evaluated, multiplied point by point, and the product is interpolated. `F(4)` has the points
//! 0, ±5/8, ±3/2 and infinity: with the usual 0, ±1, ±2 the error is twice as large, and among the pairs `±a`, `±b` these
//! are about the best whose powers are exact (Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd
//! Convolution for Deep Neural Networks", 2018, on the choice of points). `F(2)` has 0, ±1 and infinity. There the first output
//! needs all points but infinity and the second all but 0, and the values there are made of the three pixels of the output's
//! own window: where these are 0, so is the output.

use pulp::Simd;

use super::super::super::lanes::Lanes;

/// A linear map of `I` registers to `O`.
pub(super) trait Transform<const I: usize, const O: usize> {
    /// The map.
    fn along<S: Simd, E: Lanes>(simd: S, values: [E::Register<S>; I]) -> [E::Register<S>; O];
}

/// Of an image: `N` pixels to the values at `N` points.
pub(super) struct Input;
/// Of a kernel: 3 taps to the values at `N` points.
pub(super) struct Kernel;
/// Of the products: the values at `N` points to `M` outputs.
pub(super) struct Output;

/// Of the outputs' cotangent: `M` outputs to the cotangents of `N` values. The transpose of [`Output`].
pub(super) struct Cotangent;
/// Of the kernel's gradient: the cotangents of `N` values to 3 taps. The transpose of [`Kernel`].
pub(super) struct KernelGradient;

/// The points of `F(4)` besides 0 and infinity are `±A` and `±B`.
const A: f32 = 0.625;
const B: f32 = 1.5;
const A2: f32 = A * A;
const B2: f32 = B * B;

/// Arithmetic of registers.
#[derive(Clone, Copy)]
struct Math<S>(S);

impl<S: Simd> Math<S> {
    #[inline(always)]
    fn add<E: Lanes>(self, a: E::Register<S>, b: E::Register<S>) -> E::Register<S> {
        E::add_lanes(self.0, a, b)
    }

    /// `a - b`.
    #[inline(always)]
    fn sub<E: Lanes>(self, a: E::Register<S>, b: E::Register<S>) -> E::Register<S> {
        self.mul_add::<E>(-1.0_f32, b, a)
    }

    /// `factor * a`.
    #[inline(always)]
    fn mul<E: Lanes>(self, factor: impl Into<E>, a: E::Register<S>) -> E::Register<S> {
        self.mul_add::<E>(factor, a, E::splat(self.0, E::default()))
    }

    /// `factor * a + b`.
    #[inline(always)]
    fn mul_add<E: Lanes>(self, factor: impl Into<E>, a: E::Register<S>, b: E::Register<S>) -> E::Register<S> {
        E::mul_add_lanes(self.0, E::splat(self.0, factor.into()), a, b)
    }
}

impl Transform<6, 6> for Input {
    #[inline(always)]
    fn along<S: Simd, E: Lanes>(simd: S, d: [E::Register<S>; 6]) -> [E::Register<S>; 6] {
        let m = Math(simd);
        let (even_a, odd_a) = (m.mul_add::<E>(-B2, d[2], d[4]), m.mul_add::<E>(-B2, d[1], d[3]));
        let (even_b, odd_b) = (m.mul_add::<E>(-A2, d[2], d[4]), m.mul_add::<E>(-A2, d[1], d[3]));
        [
            m.mul_add::<E>(A2 * B2, d[0], m.mul_add::<E>(-A2 - B2, d[2], d[4])),
            m.mul_add::<E>(A, odd_a, even_a),
            m.mul_add::<E>(-A, odd_a, even_a),
            m.mul_add::<E>(B, odd_b, even_b),
            m.mul_add::<E>(-B, odd_b, even_b),
            m.mul_add::<E>(A2 * B2, d[1], m.mul_add::<E>(-A2 - B2, d[3], d[5])),
        ]
    }
}

impl Transform<3, 6> for Kernel {
    #[inline(always)]
    fn along<S: Simd, E: Lanes>(simd: S, w: [E::Register<S>; 3]) -> [E::Register<S>; 6] {
        let m = Math(simd);
        // The factors of the powers in the values at ±point, over Lagrange's denominators, which are here because a
        // kernel is transformed least often.
        let scaled = |power: f32, point: f32, other: f32| {
            E::from(power) / E::from(2.0 * point * point * (point * point - other * other))
        };
        let even_a = m.mul_add::<E>(scaled(A2, A, B), w[2], m.mul::<E>(scaled(1.0, A, B), w[0]));
        let even_b = m.mul_add::<E>(scaled(B2, B, A), w[2], m.mul::<E>(scaled(1.0, B, A), w[0]));
        let (odd_a, odd_b) = (m.mul::<E>(scaled(A, A, B), w[1]), m.mul::<E>(scaled(B, B, A), w[1]));
        [
            m.mul::<E>(E::from(1.0) / E::from(A2 * B2), w[0]),
            m.add::<E>(even_a, odd_a),
            m.sub::<E>(even_a, odd_a),
            m.add::<E>(even_b, odd_b),
            m.sub::<E>(even_b, odd_b),
            w[2],
        ]
    }
}

impl Transform<6, 4> for Output {
    #[inline(always)]
    fn along<S: Simd, E: Lanes>(simd: S, p: [E::Register<S>; 6]) -> [E::Register<S>; 4] {
        let m = Math(simd);
        let (even_a, odd_a) = (m.add::<E>(p[1], p[2]), m.sub::<E>(p[1], p[2]));
        let (even_b, odd_b) = (m.add::<E>(p[3], p[4]), m.sub::<E>(p[3], p[4]));
        [
            m.add::<E>(p[0], m.add::<E>(even_a, even_b)),
            m.mul_add::<E>(B, odd_b, m.mul::<E>(A, odd_a)),
            m.mul_add::<E>(B2, even_b, m.mul::<E>(A2, even_a)),
            m.mul_add::<E>(A2 * A, odd_a, m.mul_add::<E>(B2 * B, odd_b, p[5])),
        ]
    }
}

impl Transform<4, 4> for Input {
    #[inline(always)]
    fn along<S: Simd, E: Lanes>(simd: S, d: [E::Register<S>; 4]) -> [E::Register<S>; 4] {
        let m = Math(simd);
        [m.sub::<E>(d[0], d[2]), m.add::<E>(d[1], d[2]), m.sub::<E>(d[2], d[1]), m.sub::<E>(d[3], d[1])]
    }
}

impl Transform<3, 4> for Kernel {
    #[inline(always)]
    fn along<S: Simd, E: Lanes>(simd: S, w: [E::Register<S>; 3]) -> [E::Register<S>; 4] {
        let m = Math(simd);
        let even = m.mul::<E>(0.5_f32, m.add::<E>(w[0], w[2]));
        [w[0], m.mul_add::<E>(0.5_f32, w[1], even), m.mul_add::<E>(-0.5_f32, w[1], even), w[2]]
    }
}

impl Transform<4, 2> for Output {
    #[inline(always)]
    fn along<S: Simd, E: Lanes>(simd: S, p: [E::Register<S>; 4]) -> [E::Register<S>; 2] {
        let m = Math(simd);
        [m.add::<E>(p[0], m.add::<E>(p[1], p[2])), m.add::<E>(m.sub::<E>(p[1], p[2]), p[3])]
    }
}

impl Transform<2, 4> for Cotangent {
    #[inline(always)]
    fn along<S: Simd, E: Lanes>(simd: S, y: [E::Register<S>; 2]) -> [E::Register<S>; 4] {
        let m = Math(simd);
        [y[0], m.add::<E>(y[0], y[1]), m.sub::<E>(y[0], y[1]), y[1]]
    }
}

impl Transform<4, 3> for KernelGradient {
    #[inline(always)]
    fn along<S: Simd, E: Lanes>(simd: S, p: [E::Register<S>; 4]) -> [E::Register<S>; 3] {
        let m = Math(simd);
        let even = m.add::<E>(p[1], p[2]);
        let odd = m.mul::<E>(0.5_f32, m.sub::<E>(p[1], p[2]));
        [m.mul_add::<E>(0.5_f32, even, p[0]), odd, m.mul_add::<E>(0.5_f32, even, p[3])]
    }
}

/// A map along both axes: of the tile that `load(row, column)` reads, each row and column of the result to `store`.
///
/// No function of the standard library is given a register here: it would be compiled for a processor without, and
/// called where it is not inlined.
#[inline(always)]
pub(super) fn both<S: Simd, E: Lanes, T: Transform<I, O>, const I: usize, const O: usize>(
    simd: S,
    load: impl Fn(usize, usize) -> E::Register<S>,
    mut store: impl FnMut(usize, usize, E::Register<S>),
) {
    let zero = E::splat(simd, E::default());
    let mut rows = Aligned([[zero; I]; O]);
    for x in 0..I {
        let mut column = [zero; I];
        for (y, value) in column.iter_mut().enumerate() {
            *value = load(y, x);
        }
        let column = T::along::<S, E>(simd, column);
        for (row, value) in rows.0.iter_mut().zip(&column) {
            row[x] = *value;
        }
    }
    for (y, row) in rows.0.iter().enumerate() {
        let row = T::along::<S, E>(simd, *row);
        for (x, value) in row.iter().enumerate() {
            store(y, x, *value);
        }
    }
}

/// On a cache line, so that no register in it lies across two: more tiles' values than there are registers go there.
#[repr(align(64))]
struct Aligned<T>(T);
