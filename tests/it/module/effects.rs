//! What a call draws and writes in arms and loops, against Flax.

use flaxen::module::Trainable;
use flaxen::op::Yes;
use flaxen::prelude::*;
use flaxen::rng::Scope;
use flaxen_tests::{Fixture, Tolerance};
use serde_json::Value;

use crate::finite_differences::check;

stream!(
    /// Noise on the way of the features.
    noise
);

#[track_caller]
fn same(case: &str, found: &[f32], expected: &Value) {
    let expected: Vec<f32> = serde_json::from_value(expected.clone()).expect("a list of numbers");
    Tolerance::close(2e-6, 1e-6).check(case, found, &expected);
}

fn counted() -> Tensor![6, 4] {
    Tensor::from_fn(Default::default(), |index| index as f32 + 1.0)
}

/// Draws in each pass but one, and once after the loop.
#[module]
struct Noisy {
    skip: usize,
}

#[module]
impl Noisy {
    fn call<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 4] {
        let mut x = x;
        for i in 0..3 {
            if i != self.skip {
                let drawn = normal_like(x.clone(), make_rng!(noise));
                x = x + 0.5 * drawn;
            } else {
                x = 2.0 * x;
            }
        }
        let last = uniform_like(x.clone(), make_rng!(noise));
        x + last
    }
}

#[test]
fn a_pass_that_draws_nothing_leaves_its_key_to_the_next() {
    let fixture = Fixture::open("effects_in_control_flow");
    for skip in [3, 1] {
        let model = Noisy::new().skip(skip);
        let (y, _) = model.apply_mut(&model.init(Key::new(0)), counted(), rngs! { noise: Key::new(7) });
        let case = format!("noisy_{skip}");
        same(&case, y.as_slice(), &fixture.json()[&case]);
    }
}

/// A dropout before a loop, one in each pass but one, and one after it.
#[module]
struct Dropped {
    skip: usize,
}

#[module]
impl Dropped {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 4], phase: P) -> Tensor![B, 4] {
        let mut x = compact!(Dropout, rate = 0.25)(x, phase);
        for i in 0..3 {
            if i != self.skip {
                x = compact!(Dropout, rate = 0.25)(x, phase);
            } else {
                x = 2.0 * x;
            }
        }
        compact!(Dropout, rate = 0.25)(x, phase)
    }
}

#[test]
fn dropouts_that_are_counted_have_the_keys_of_their_numbers() {
    let fixture = Fixture::open("effects_in_control_flow");
    for skip in [3, 0] {
        let model = Dropped::new().skip(skip);
        let variables = model.init(Key::new(0));
        let (y, _) = model.apply_mut(&variables, counted(), Train, rngs! { dropout: Key::new(5) });
        let case = format!("dropped_{skip}");
        same(&case, y.as_slice(), &fixture.json()[&case]);
        let doubled = if skip == 3 { 1.0 } else { 2.0 };
        assert_eq!(model.apply(&variables, counted(), Eval), counted() * doubled);
    }
}

/// What is dropped has no cotangent, and what is kept that of its factor.
#[test]
fn a_gradient_goes_through_the_masks_of_all_passes() {
    let (model, x) = (Dropped::new().skip(0), counted());
    let variables = model.init(Key::new(0));
    let (y, _) = model.apply_mut(&variables, x.clone(), Train, rngs! { dropout: Key::new(5) });
    let ((_, _), dx) = value_and_grad!(
        |x| {
            let (y, state) = model.apply_mut(&variables, x, Train, rngs! { dropout: Key::new(5) });
            (y.sum(), state)
        },
        x.clone()
    );
    let product = dx * x;
    for (found, expected) in product.as_slice().iter().zip(y.as_slice()) {
        assert!((found - expected).abs() <= 1e-5 * expected.abs(), "{found} instead of {expected}");
    }
}

/// A dropout in each pass, which is named by it.
#[module]
struct Named;

#[module]
impl Named {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 4], phase: P) -> Tensor![B, 4] {
        let mut x = x;
        for i in 0..2 {
            x = compact!(Dropout, rate = 0.25, name = format!("drop_{i}"))(x, phase);
        }
        x
    }
}

#[test]
fn dropouts_that_are_named_by_their_pass_have_the_keys_of_their_names() {
    let (model, fixture) = (Named::new(), Fixture::open("effects_in_control_flow"));
    let variables = model.init(Key::new(0));
    let (y, _) = model.apply_mut(&variables, counted(), Train, rngs! { dropout: Key::new(5) });
    same("named", y.as_slice(), &fixture.json()["named"]);
}

/// A mean that is written in an arm, and in some passes of a loop.
#[module]
struct Moving {
    active: bool,
    passes: usize,
}

#[module]
impl Moving {
    fn call<B: Batch, E: Float>(&self, x: Tensor![B, 2; E]) -> Tensor![B, 2; E] {
        let mean = variable!(BatchStats, "mean", zeros(), [2; E]);
        if self.active {
            mean.value = 0.5 * mean.value + mean_axis::<0>(x.clone());
        }
        let mut x = x;
        for i in 0..3 {
            x = tanh(x - mean.value);
            if i < self.passes {
                mean.value = 0.75 * mean.value + 0.25 * mean_axis::<0>(x.clone());
            }
        }
        x + mean.value
    }
}

fn rows<E: Float>() -> Tensor![3, 2; E] {
    let rows = [1.0, -2.0, 0.5, 3.0, 2.0, 1.5];
    Tensor::from_fn(Default::default(), |index| E::from_f64(rows[index]))
}

fn before<E: Float>() -> MovingState<E> {
    let mut state = Moving::new().init::<E>(Key::new(0)).state;
    state.mean = Tensor::from_fn(Default::default(), |index| E::from_f64([0.25, -0.5][index]));
    state
}

const CASES: [(bool, usize); 6] = [(false, 0), (false, 2), (false, 3), (true, 0), (true, 2), (true, 3)];

#[test]
fn variables_are_written_in_arms_and_passes() {
    let fixture = Fixture::open("effects_in_control_flow");
    for (active, passes) in CASES {
        let model = Moving::new().active(active).passes(passes);
        let params = model.init::<f32>(Key::new(0)).params;
        let (y, state) = model.apply_mut((&params, &before()), rows(), rngs! {});
        let case = format!("moving_{}_{passes}", u8::from(active));
        let expected = &fixture.json()[&case];
        same(&case, y.as_slice(), &expected["y"]);
        same(&case, state.mean.as_slice(), &expected["mean"]);
    }
}

/// A gradient goes through what was written; what was there before the call is a constant.
#[test]
fn gradients_go_through_what_arms_and_passes_write() {
    for (active, passes) in CASES {
        let model = Moving::new().active(active).passes(passes);
        let params = model.init::<f64>(Key::new(0)).params;
        let scope = Scope::without_streams();
        let forward = |params: &MovingParams<f64>, x: Tensor![3, 2; f64]| {
            Trainable::<_, Yes>::forward(&model, params, &mut before(), &scope, x)
        };
        check(
            (params, rows()),
            |(params, x)| forward(&params, x).0,
            |(params, x), cotangent| {
                let (y, residuals) = forward(&params, x);
                model.backward(&params, residuals, cotangent(&y))
            },
        );
    }
}
