//! One step of an optimiser, which memory bounds: Adam reads four trees and writes three.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use flaxen::optim::{self, GradientTransformation};
use flaxen::prelude::*;

fn step<T: GradientTransformation>(criterion: &mut Criterion, name: &str, tx: T, elements: usize) {
    let shape = (Dyn(elements),);
    let mut params = Tensor::<(Dyn,)>::from_fn(shape, |i| (i % 17) as f32 * 0.1 - 0.8);
    let gradients = Tensor::<(Dyn,)>::from_fn(shape, |i| (i % 13) as f32 * 0.01 - 0.06);
    let mut state = tx.init(&params);
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(elements as u64)).sample_size(20);
    group.bench_function(elements.to_string(), |bencher| {
        bencher.iter_batched(
            || gradients.clone(),
            |gradients| tx.apply_gradients(&mut params, gradients, &mut state),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

fn optimizers(criterion: &mut Criterion) {
    step(criterion, "adam", optim::adam(1e-3), 10_000_000);
    step(criterion, "adamw", optim::adamw(1e-3), 10_000_000);
    step(criterion, "sgd with momentum", optim::sgd(0.1).momentum(0.9), 870_000);
    step(criterion, "sgd", optim::sgd(0.1), 10_000_000);
    step(criterion, "lamb", optim::lamb(1e-3), 10_000_000);
    let frozen = optim::multi_transform((("frozen", optim::set_to_zero()),), |_| "frozen");
    step(criterion, "frozen", frozen, 10_000_000);
}

criterion_group!(benches, optimizers);
criterion_main!(benches);
