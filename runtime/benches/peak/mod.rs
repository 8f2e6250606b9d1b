//! The machine's peak rate of fused multiply-adds in `f32`, measured: what the benches compare with.

use std::hint::black_box;
use std::time::Instant;

use pulp::{Arch, Simd, WithSimd};

/// The best rate of this many threads together, in floating-point operations a second.
pub fn peak(threads: usize) -> f64 {
    let arch = Arch::new();
    let rounds = 30;
    (0..rounds)
        .map(|_| {
            std::thread::scope(|scope| {
                let runs: Vec<_> = (0..threads).map(|_| scope.spawn(move || arch.dispatch(Chains))).collect();
                runs.into_iter().map(|run| run.join().expect("a chain of multiply-adds does not panic")).sum()
            })
        })
        .fold(0.0, f64::max)
}

/// As many chains of multiply-adds as hide their latency.
struct Chains;

impl WithSimd for Chains {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        const CHAINS: usize = 12;
        const STEPS: usize = 200_000;
        let (factor, term) = (simd.splat_f32s(black_box(0.5)), simd.splat_f32s(black_box(1e-3)));
        let mut chains = [simd.splat_f32s(0.1); CHAINS];
        let start = Instant::now();
        for _ in 0..STEPS {
            for chain in &mut chains {
                *chain = simd.mul_add_e_f32s(*chain, factor, term);
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        let total = chains.into_iter().map(|chain| simd.reduce_sum_f32s(chain)).sum::<f32>();
        black_box(total);
        (2 * CHAINS * STEPS * S::F32_LANES) as f64 / seconds
    }
}
