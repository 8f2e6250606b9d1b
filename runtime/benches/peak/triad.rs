//! The machine's memory bandwidth, measured: what updates of optimisers are compared with.

use std::hint::black_box;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};

/// The best rate, in bytes a second, at which this many threads together compute `a ← b + s·c` on three arrays that take
/// `bytes` in all.
///
/// An element counts 16 bytes, not STREAM's 12: the line that is written is read first.
pub fn bandwidth(threads: usize, bytes: usize) -> f64 {
    let length = bytes / 12;
    let (b, c) = (vec![1.5f32; length], vec![2.5f32; length]);
    let mut a = vec![0f32; length];
    let part = length.div_ceil(threads);
    let rounds = 8;
    (0..rounds)
        .map(|_| {
            let start = Instant::now();
            std::thread::scope(|scope| {
                for ((a, b), c) in a.chunks_mut(part).zip(b.chunks(part)).zip(c.chunks(part)) {
                    scope.spawn(move || Arch::new().dispatch(Triad { a, b, c }));
                }
            });
            black_box(&mut a);
            16.0 * length as f64 / start.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max)
}

struct Triad<'a> {
    a: &'a mut [f32],
    b: &'a [f32],
    c: &'a [f32],
}

impl WithSimd for Triad<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let s = simd.splat_f32s(black_box(0.5));
        let (a, a_rest) = S::as_mut_simd_f32s(self.a);
        let (b, b_rest) = S::as_simd_f32s(self.b);
        let (c, c_rest) = S::as_simd_f32s(self.c);
        for ((a, &b), &c) in a.iter_mut().zip(b).zip(c) {
            *a = simd.mul_add_e_f32s(c, s, b);
        }
        for ((a, &b), &c) in a_rest.iter_mut().zip(b_rest).zip(c_rest) {
            *a = 0.5 * c + b;
        }
    }
}
