//! Whole steps of the Fashion-MNIST CNN: a training step of 32 images, and inference on 1,000.
//!
//! Prints the machine's peak as measured in the same run, then for each step its operations (products and direct
//! convolutions; one multiplication and one addition count two), the best time and its share of the peak; Criterion's
//! estimates follow.

#[path = "../../runtime/benches/peak/mod.rs"]
mod peak;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion};
use flaxen::backend::threads;
use flaxen::data::mnist::LabelledBatch;
use flaxen::prelude::*;
use flaxen_examples::digits;
use flaxen_examples::fashion_mnist::{create_train_state, eval_step, train_step};

/// Operations of the forward pass for one image: two convolutions and two dense layers.
const FORWARD: usize = 2 * (28 * 28 * 32 * 9 + 14 * 14 * 64 * 9 * 32 + 3136 * 256 + 256 * 10);
/// The backward pass does each product twice, but for the cotangent of the image, which nobody asks for.
const TRAINING: usize = 3 * FORWARD - 2 * 28 * 28 * 32 * 9;

fn main() {
    let peak = peak::peak(threads());
    println!("peak of {} thread(s): {:.1} GFLOP/s", threads(), peak / 1e9);
    let images = digits::load().expect("the embedded digits").train;
    let batch = |size: usize| -> LabelledBatch<Dyn> {
        images.gather(&(0..size).collect::<Vec<_>>()).expect("a batch of the digits")
    };
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);

    let mut state = create_train_state(Key::new(0), 0.02, 0.9);
    let thirty_two = batch(32);
    report("train_step", 32 * TRAINING, peak, || {
        black_box(train_step(&mut state, thirty_two.clone()));
    });
    let thousand = batch(1000);
    report("eval", 1000 * FORWARD, peak, || {
        black_box(eval_step(&state, thousand.images.clone()));
    });

    let mut group = criterion.benchmark_group("step");
    group.bench_function("train_step", |bencher| {
        bencher.iter_batched(
            || thirty_two.clone(),
            |batch| train_step(&mut state, batch),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("eval", |bencher| {
        bencher.iter_batched(
            || thousand.images.clone(),
            |images| eval_step(&state, images),
            BatchSize::SmallInput,
        );
    });
    group.finish();
    criterion.final_summary();
}

/// Prints the best and the median of some runs.
fn report(name: &str, operations: usize, peak: f64, mut step: impl FnMut()) {
    (0..5).for_each(|_| step());
    let mut times: Vec<f64> = (0..60)
        .map(|_| {
            let start = Instant::now();
            step();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let share = |time: f64| 100.0 * operations as f64 / time / peak;
    println!(
        "{name:12} {:9.1} MFLOP  best {:7.2} ms ({:4.1} % of peak)  median {:7.2} ms ({:4.1} %)",
        operations as f64 / 1e6,
        times[0] * 1e3,
        share(times[0]),
        times[30] * 1e3,
        share(times[30]),
    );
}
