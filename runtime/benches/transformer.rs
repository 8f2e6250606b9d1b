//! The ops of a vision transformer's layer, forward and backward: those of CLIP's ViT-B/32 at batch 32, 50 tokens of width 768.
//!
//! Prints the best time of each, and what it moves or computes in that time; Criterion's own estimates follow.

use std::time::{Duration, Instant};

use criterion::Criterion;
use flaxen::nn::DenseParams;
use flaxen::op::{Differentiable, Yes};
use flaxen::ops::normalize::{self, Moments};
use flaxen::prelude::*;

/// Tokens of all images.
type Tokens = Tensor![1600, 768];
/// Heads of all images.
type Heads = Tensor![32, 50, 12, 64];

const MOMENTS: Moments = Moments { use_mean: true, use_fast_variance: true, epsilon: 1e-5 };

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .sample_size(20);
    let mut bench = |name: &str, amount: f64, unit: &str, op: &mut dyn FnMut()| {
        report(name, amount, unit, op);
        criterion.bench_function(name, |bencher| bencher.iter(&mut *op));
    };
    normalization(&mut bench);
    attention(&mut bench);
    activation(&mut bench);
    embedding(&mut bench);
    criterion.final_summary();
}

type Bench<'a> = dyn FnMut(&str, f64, &str, &mut dyn FnMut()) + 'a;

/// Prints the best of some runs.
fn report(name: &str, amount: f64, unit: &str, op: &mut dyn FnMut()) {
    let best = (0..40)
        .map(|_| {
            let start = Instant::now();
            op();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    println!("{name:28} {:9.1} us {:7.1} {unit}", best * 1e6, amount / best / 1e9);
}

fn values<S: StaticShape>() -> Tensor<S> {
    Tensor::from_fn(S::default(), |i| (i % 97) as f32 * 0.01 - 0.5)
}

fn normalization(bench: &mut Bench<'_>) {
    let (x, op) = (values::<(dim!(1600), U768)>(), normalize::Op::<(U768,)>::rows(MOMENTS));
    let features = values::<(U768,)>();
    let bytes = 4.0 * x.as_slice().len() as f64;
    bench("layer norm forward", 2.0 * bytes, "GB/s", &mut || {
        drop(op.infer((x.clone(), features.clone(), features.clone())));
    });
    bench("layer norm with backward", 5.0 * bytes, "GB/s", &mut || {
        type Inputs = (Tokens, Tensor![768], Tensor![768]);
        let inputs = (x.clone(), features.clone(), features.clone());
        let (y, residuals) = Differentiable::<_, (Yes, Yes, Yes)>::forward(&op, inputs);
        drop(Differentiable::<Inputs, (Yes, Yes, Yes)>::backward(&op, residuals, y));
    });
}

fn attention(bench: &mut Bench<'_>) {
    let (heads, op): (Heads, _) = (values(), dot_product_attention::Op::new());
    let inputs = || (heads.clone(), heads.clone(), heads.clone());
    let flops = 2.0 * 2.0 * (32 * 12 * 50 * 50 * 64) as f64;
    bench("attention forward", flops, "GFLOP/s", &mut || drop(op.infer(inputs())));
    bench("attention with backward", 3.0 * flops, "GFLOP/s", &mut || {
        let (y, residuals) = Differentiable::<_, (Yes, Yes, Yes)>::forward(&op, inputs());
        drop(Differentiable::<(Heads, Heads, Heads), (Yes, Yes, Yes)>::backward(&op, residuals, y));
    });
}

fn activation(bench: &mut Bench<'_>) {
    let x = values::<(dim!(1600), dim!(3072))>();
    let bytes = 4.0 * x.as_slice().len() as f64;
    bench("quick_gelu forward", 2.0 * bytes, "GB/s", &mut || drop(quick_gelu(x.clone())));
    let params: DenseParams<U768, dim!(3072)> = DenseParams { kernel: values(), bias: values() };
    let (layer, tokens) = (Dense::<dim!(3072)>::new(), values::<(dim!(1600), U768)>());
    let flops = 2.0 * (1600.0 * 768.0 * 3072.0);
    bench("dense 768->3072 forward", flops, "GFLOP/s", &mut || {
        drop(Layer::apply(&layer, &params, tokens.clone()));
    });
}

fn embedding(bench: &mut Bench<'_>) {
    let (table, op) = (values::<(dim!(10000), U768)>(), take::Op::new());
    let indices = Tensor::<(dim!(1600),), i32>::from_fn(Default::default(), |i| (i * 7919 % 10_000) as i32);
    let bytes = 4.0 * (1600 * 768) as f64;
    bench("embed forward", 2.0 * bytes, "GB/s", &mut || drop(op.infer((table.clone(), indices.clone()))));
    let (y, _) = Differentiable::<_, (Yes, Yes)>::forward(&op, (table.clone(), indices.clone()));
    bench("embed backward", bytes + 4.0 * table.as_slice().len() as f64, "GB/s", &mut || {
        type Inputs = (Tensor![10000, 768], Tensor![1600; i32]);
        let (_, residuals) = Differentiable::<_, (Yes, Yes)>::forward(&op, (table.clone(), indices.clone()));
        drop(Differentiable::<Inputs, (Yes, Yes)>::backward(&op, residuals, y.clone()));
    });
}
