//! The Rust that a body may be written in: shadowing, blocks, tuples, operators, methods, and plain statements.

use flaxen::prelude::*;

use crate::finite_differences::{check_module, weights};

fn check_model<M>(model: &M, params: M::Params)
where
    M: flaxen::module::Module<Rows, Out = Rows, State: flaxen::module::Stateless>
        + flaxen::module::Trainable<Rows, flaxen::op::Yes>,
{
    check_module(model, weights(&params), rows());
}

type Rows = Tensor![2, 3; f64];

fn rows() -> Rows {
    weights(&Tensor::full(Default::default(), 1.0))
}

/// A name is bound again and again, in blocks too.
#[module]
struct Shadowing;

#[module]
impl Shadowing {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let y = x.clone();
        let x = tanh(x);
        let z = {
            let x = exp(x.clone());
            let x = { compact!(Dense<3>)(x) };
            x * y.clone()
        };
        let y = x - y;
        {
            let z = sigmoid(z);
            z + y
        }
    }
}

#[test]
fn names_are_bound_again() {
    let params = Shadowing::new().init(Key::new(0)).params;
    check_model(&Shadowing::new(), params);
}

#[test]
fn shadowing_is_rusts() {
    let params = weights(&Shadowing::new().init(Key::new(0)).params);
    let (x, kernel, bias) = (rows(), params.dense_0.kernel.clone(), params.dense_0.bias.clone());
    let z = (matmul(exp(tanh(x.clone())), kernel) + bias) * x.clone();
    assert_eq!(Shadowing::new().apply(&params, x.clone()), sigmoid(z) + (tanh(x.clone()) - x));
}

/// Tuples of expressions, of patterns, nested ones.
#[module]
struct Tuples;

#[module]
impl Tuples {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let (a, b) = (tanh(x.clone()), compact!(Dense<3>)(x));
        let (a, b) = (b, a);
        let (sum, _) = { (a.clone() + b.clone(), exp(a)) };
        (sum / (b))
    }
}

#[test]
fn tuples_are_taken_apart() {
    let params = weights(&Tuples::new().init(Key::new(0)).params);
    let dense = |x| matmul(x, params.dense_0.kernel.clone()) + params.dense_0.bias.clone();
    let expected = (dense(rows()) + tanh(rows())) / tanh(rows());
    assert_eq!(Tuples::new().apply(&params, rows()), expected);
    check_model(&Tuples::new(), params);
}

/// All operators between tensors, with a scalar on either side, and minus.
#[module]
struct Operators {
    #[default(1.5)]
    rate: f64,
}

#[module]
impl Operators {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let scale = param!("scale", constant(2.0), [3; f64]);
        let a = self.rate - &x * 2.0;
        let b = 3.0 / (x.clone() + 4.0) - 0.5;
        let c = -(1.0 + x / self.rate);
        (a * b + c.clone()) / 2.0 * &scale - scale * c
    }
}

#[test]
fn operators_and_scalars() {
    let model = Operators::new();
    let params = model.init(Key::new(0)).params;
    for (&out, &x) in model.apply(&params, rows()).as_slice().iter().zip(rows().as_slice()) {
        let (a, b, c) = (1.5 - x * 2.0, 3.0 / (x + 4.0) - 0.5, -(1.0 + x / 1.5));
        let expected: f64 = (a * b + c) / 2.0 * 2.0 - 2.0 * c;
        assert!((out - expected).abs() < 1e-12, "{out} instead of {expected}");
    }
    check_model(&model, params);
}

/// Statements that touch no tensor are Rust's own, wherever they stand.
#[module]
struct Plain {
    #[default(vec![0.5, 0.25])]
    slopes: Vec<f64>,
}

#[module]
impl Plain {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let mut sum = 0.0;
        for slope in &self.slopes {
            sum += slope;
        }
        assert!(sum > 0.0, "the slopes are {:?}", self.slopes);
        let slope = match self.slopes.first() {
            Some(first) if *first > 1.0 => 1.0,
            _ => self.smallest(),
        };
        let x = compact!(Dense<3>)(x);
        let y = leaky_relu(x, slope);
        let slope = slope * sum;
        fn double(value: f64) -> f64 {
            value * 2.0
        }
        leaky_relu(y, slope) * double(sum)
    }

    /// Other methods stay as they are.
    fn smallest(&self) -> f64 {
        self.slopes.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

#[test]
fn plain_statements_run_as_they_stand() {
    let model = Plain::new();
    let params = weights(&model.init(Key::new(0)).params);
    let dense = matmul(rows(), params.dense_0.kernel.clone()) + params.dense_0.bias.clone();
    let below = dense.as_slice().iter().filter(|x| **x < 0.0).count();
    assert!((1..6).contains(&below), "some are below zero, others above");
    for (out, &x) in model.apply(&params, rows()).as_slice().iter().zip(dense.as_slice()) {
        let slopes = if x < 0.0 { 0.25 * (0.25 * 0.75) } else { 1.0 };
        assert!((out - x * slopes * 1.5).abs() < 1e-12);
    }
    check_model(&model, params);
}

/// A plain name of a block ends with the block.
#[module]
struct Blocks;

#[module]
impl Blocks {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let factor = 2.0;
        let y = {
            let factor = 10.0;
            let shifted = { x + factor };
            let gain = param!("gain", constant(factor as f32), [3; f64]);
            shifted * gain
        };
        let gain = factor as f32;
        let gain = param!("other_gain", constant(gain), [3; f64]);
        y * factor + gain
    }
}

#[test]
fn a_plain_name_of_a_block_ends_with_it() {
    let params = Blocks::new().init(Key::new(0)).params;
    assert_eq!(Blocks::new().apply(&params, rows()), (rows() + 10.0) * 10.0 * 2.0 + 2.0);
    check_model(&Blocks::new(), params);
}

/// Ops as methods, with integers as dimensions, and types written down.
#[module]
struct Methods;

#[module]
impl Methods {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let mean: Tensor![B; f64] = x.clone().mean_axis::<1>();
        let mean: Tensor![B, 1; f64] = mean.reshape::<Tensor![B, 1; f64]>();
        let part: Tensor![B, 2; f64] = x.slice::<1, 1, 3>();
        let dense = compact!(Dense<1>);
        concat::<1>(part, flaxen::ops::tanh(dense(mean)))
    }
}

#[test]
fn ops_as_methods_and_by_path() {
    check_model(&Methods::new(), Methods::new().init(Key::new(0)).params);
}

/// A closure that says that its argument is a number is plain Rust.
#[module]
struct Doubled;

#[module]
impl Doubled {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let double = |v: f64| v * 2.0;
        let rate = double(1.5);
        x * rate
    }
}

#[test]
fn a_closure_over_numbers_is_plain_rust() {
    let y = Doubled::new().apply(&Doubled::new().init(Key::new(0)), rows());
    let expected: Vec<f64> = rows().as_slice().iter().map(|x| x * 3.0).collect();
    assert_eq!(y.as_slice(), expected);
}
