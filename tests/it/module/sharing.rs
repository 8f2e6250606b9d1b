//! A submodule bound to a name and called more than once: one set of parameters, gradients summed.

use flaxen::module::Trainable;
use flaxen::op::Yes;
use flaxen::prelude::*;
use flaxen::rng::Scope;

use crate::finite_differences::{check_inputs, check_module, stateless, weights};

/// `dense(tanh(dense(x))) + dense(x)`
#[module]
struct Thrice;

#[module]
impl Thrice {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let dense = compact!(Dense<3>);
        let y = dense(tanh(dense(x.clone())));
        y + dense(x)
    }
}

#[test]
fn one_set_of_parameters() {
    let params = Thrice::new().init(Key::new(0)).params;
    assert_eq!(format!("{params:?}"), "{Dense_0: {kernel: (3, 3), bias: (3,)}}");
}

#[test]
fn gradients_are_summed() {
    let params = weights(&Thrice::new().init(Key::new(0)).params);
    check_module(&Thrice::new(), params, weights(&Tensor::<(U2, U3), f64>::zeros(Default::default())));
}

/// A module of the test's, called on two inputs.
#[module]
struct Siamese;

#[module]
impl Siamese {
    fn call<B: Batch>(&self, a: Tensor![B, 3; f64], b: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let branch = compact!(Thrice, name = "branch");
        branch(a) * branch(b)
    }
}

#[test]
fn gradients_of_a_shared_module_on_two_inputs() {
    let model = Siamese::new();
    let params = weights(&model.init(Key::new(0)).params);
    let a = weights(&Tensor::<(U2, U3), f64>::zeros(Default::default()));
    let b = weights(&Tensor::<(U2, U3), f64>::full(Default::default(), 1.0));
    check_inputs::<_, _, _, (Yes, Yes)>(&model, params, (a, b));
}

/// What is called, but leads to nothing, has parameters and a gradient of zero.
#[module]
struct Idle;

#[module]
impl Idle {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        let unused = compact!(Dense<4>)(x.clone());
        let _also_unused = exp(unused);
        let _dead = param!("dead", ones(), [2; f64]);
        compact!(Dense<2>)(x)
    }
}

#[test]
fn dead_steps_have_parameters_without_gradient() {
    let model = Idle::new();
    let params = model.init(Key::new(0)).params;
    assert_eq!(
        format!("{params:?}"),
        "{Dense_0: {kernel: (3, 4), bias: (4,)}, dead: (2,), Dense_1: {kernel: (3, 2), bias: (2,)}}"
    );
    let x = weights(&Tensor::<(U2, U3), f64>::zeros(Default::default()));
    let (out, residuals) =
        Trainable::<_, Yes>::forward(&model, &params, &mut stateless(), &Scope::without_streams(), x.clone());
    let (gradient, _) =
        Trainable::<Tensor![2, 3; f64], Yes>::backward(&model, &params, residuals, weights(&out));
    assert_eq!(gradient.dense_0, params.dense_0.zeros_like());
    assert_eq!(gradient.dead, params.dead.zeros_like());
    assert_ne!(gradient.dense_1, params.dense_1.zeros_like());
    check_module(&model, params, x);
}
