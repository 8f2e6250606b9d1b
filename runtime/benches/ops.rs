//! The ops one by one, a megabyte at a time: what each takes by the time of a copy of its input, forward and with the way back.
//!
//! An op that is a loop of single elements, and not of vectors, is told by its row.

use std::hint::black_box;
use std::time::Instant;

use flaxen::backend::{set_threads, threads};
use flaxen::op::{Differentiable, Needs, Yes};
use flaxen::ops::normalize::{self, Moments};
use flaxen::ops::*;
use flaxen::prelude::*;

/// Rows as of a dense layer, coins for them, and images.
type Rows = Tensor![2048, 128];
type Images = Tensor![16, 32, 32, 16];
type Coins = Tensor![2048, 128; bool];

const MOMENTS: Moments = Moments { use_mean: true, use_fast_variance: true, epsilon: 1e-5 };

fn main() {
    let all = threads();
    for count in [1, all] {
        set_threads(count);
        println!("\n{:26} {:>9} {:>9} {:>15}", format!("{count} thread(s)"), "us", "copies", "with backward");
        folds();
        elements();
        images();
        draws();
    }
}

fn folds() {
    line("sum", sum::Op::new(), rows());
    line("sum_axis 0", sum_axis::Op::<U0>::new(), rows());
    line("sum_axis 1", sum_axis::Op::<U1>::new(), rows());
    line("max_axis 0", max_axis::Op::<U0>::new(), rows());
    line("max_axis 1", max_axis::Op::<U1>::new(), rows());
    line("logsumexp", logsumexp::Op::new(), rows());
    line("softmax", softmax::Op::new(), rows());
    line("softmax of 10", softmax::Op::new(), values::<(dim!(16384), U10)>());
    line("log_softmax", log_softmax::Op::new(), rows());
}

fn elements() {
    line("relu", relu::Op::new(), rows());
    line("gelu", gelu::Op::new(), rows());
    line("tanh", tanh::Op::new(), rows());
    line("sigmoid", sigmoid::Op::new(), rows());
    line("silu", silu::Op::new(), rows());
    line("softplus", softplus::Op::new(), rows());
    line("exp", exp::Op::new(), rows());
    line("transpose", transpose::Op::new(), rows());
    line("slice", slice::Op::<U1, U3, U100>::new(), rows());
}

fn images() {
    line("avg_pool 2x2", avg_pool::Op::<U2, U2>::new(), batch());
    line("max_pool 2x2", max_pool::Op::<U2, U2>::new(), batch());
    for groups in [4, 16] {
        let op = normalize::Op::<(U16,)>::groups(MOMENTS, groups);
        let inputs = (batch(), values::<(U16,)>(), values::<(U16,)>());
        let name = format!("group norm, {groups} groups");
        measure::<_, (Yes, Yes, Yes)>(&name, op, inputs, batch().as_slice());
    }
}

fn draws() {
    let copy = copy(rows().as_slice());
    let draw = |name: &str, draw: &mut dyn FnMut()| print(name, copy, best(draw), None);
    draw("uniform", &mut || drop::<Rows>(Key::new(1).uniform(Default::default(), 0.0, 1.0)));
    draw("normal", &mut || drop::<Rows>(Key::new(1).normal(Default::default())));
    draw("bernoulli", &mut || drop::<Coins>(Key::new(1).bernoulli(0.5, Default::default())));
}

/// Measures an op of one tensor.
fn line<S: StaticShape, O>(name: &str, op: O, x: Tensor<S>)
where
    O: Differentiable<Tensor<S>, Yes>,
    O::Out: Clone,
{
    let copied = x.clone();
    measure::<_, Yes>(name, op, x, copied.as_slice());
}

/// Measures an op beside a copy of the largest of its inputs.
fn measure<X: Clone, N: Needs<X>>(
    name: &str,
    op: impl Differentiable<X, N, Out: Clone>,
    inputs: X,
    largest: &[f32],
) {
    let forward = best(|| drop(op.infer(inputs.clone())));
    let (y, _) = op.forward(inputs.clone());
    let both = best(|| {
        let (_, residuals) = op.forward(inputs.clone());
        drop(op.backward(residuals, y.clone()));
    });
    print(name, copy(largest), forward, Some(both));
}

fn print(name: &str, copy: f64, forward: f64, both: Option<f64>) {
    let both = both.map_or(String::new(), |both| format!("{:.1}", both / copy));
    println!("{name:26} {:9.1} {:9.1} {both:>15}", forward * 1e6, forward / copy);
}

/// Seconds of a copy, which one thread makes.
fn copy(x: &[f32]) -> f64 {
    let mut out = vec![0.0; x.len()];
    best(|| black_box(&mut out).copy_from_slice(black_box(x)))
}

/// The best of some runs, in seconds.
fn best(mut run: impl FnMut()) -> f64 {
    let seconds = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    };
    (0..100).map(seconds).fold(f64::INFINITY, f64::min)
}

fn rows() -> Rows {
    values()
}

fn batch() -> Images {
    values()
}

fn values<S: StaticShape>() -> Tensor<S> {
    Tensor::from_fn(S::default(), |i| (i * 7919 % 1000) as f32 / 500.0 - 1.0)
}
