//! Hyper-parameters: values with defaults and setters, and keywords that are types.

use flaxen::init::Initializer;
use flaxen::prelude::*;

use crate::finite_differences::{check_module, weights};

/// `scale * leaky_relu(dense(x), slope)`
#[module]
struct Leaky<F: Static> {
    /// Without an attribute: the default of the type.
    shift: f64,
    #[default(0.25)]
    slope: f64,
    #[default(lecun_normal())]
    kernel_init: Initializer,
}

#[module]
impl<F: Static> Leaky<F> {
    fn call<B: Batch, I: Static, E: Float>(&self, x: Tensor![B, I; E]) -> Tensor![B, F; E] {
        let x = compact!(Dense<F>, kernel_init = self.kernel_init)(x);
        self.shift + leaky_relu(x, self.slope)
    }
}

/// One with its defaults, one with a value computed here, one with a value of its own.
#[module]
struct Stack {
    #[default(0.5)]
    rate: f64,
}

#[module]
impl Stack {
    fn call<B: Batch>(&self, x: Tensor![B, 2; f64]) -> Tensor![B, 3; f64] {
        let x = compact!(Leaky<2>, kernel_init = ones())(x);
        let doubled = self.rate * 2.0;
        let x = compact!(Leaky<2>, slope = doubled, kernel_init = ones(), shift = -1.0)(x);
        compact!(Leaky<3>, slope = self.rate, kernel_init = ones())(x)
    }
}

fn row(elements: [f64; 2]) -> Tensor![1, 2; f64] {
    Tensor::of(&elements).expect("two elements")
}

#[test]
fn defaults_and_setters() {
    let leaky = Leaky::<U3>::new();
    assert_eq!((leaky.shift, leaky.slope), (0.0, 0.25));
    assert_eq!(leaky.kernel_init, lecun_normal());
    let set = leaky.clone().slope(0.5).shift(2.0);
    assert_eq!((set.shift, set.slope), (2.0, 0.5));
    assert_ne!(set, leaky);
    assert!(format!("{set:?}").contains("slope: 0.5"));
}

#[test]
fn keywords_set_values() {
    // Of ones, each layer gives the sum of its inputs to each of its features.
    let sum_below_zero = |rate: f64| {
        let model = Stack::new().rate(rate);
        let out = model.apply(&model.init(Key::new(0)), row([-3.0, -1.0]));
        assert_eq!(out.as_slice()[0], out.as_slice()[2]);
        out.as_slice()[0]
    };
    // -4 · 0.25 = -1 twice; -2 · 2 rate - 1 = -3 twice; -6 · rate
    assert_eq!(sum_below_zero(0.5), -3.0);
    assert_eq!(sum_below_zero(0.25), (-2.0 * 0.5 - 1.0) * 2.0 * 0.25);
}

#[test]
fn gradients_use_the_values() {
    let model = Stack::new().rate(0.125);
    let params = model.init(Key::new(0)).params;
    check_module(&model, weights(&params), row([-0.7, 0.3]));
}

/// Keywords that are part of a layer's type.
#[module]
struct Typed;

#[module]
impl Typed {
    fn call<B: Batch>(&self, x: Tensor![B, 9, 9, 2; f64]) -> Tensor![B, 2; f64] {
        let x: Tensor![B, 5, 5, 4; f64] = compact!(Conv<4, (3, 3)>, strides = (2, 2), use_bias = false)(x);
        let x: Tensor![B, 3, 3, 4; f64] =
            compact!(Conv<4, (3, 3)>, padding = Valid, feature_group_count = 2, kernel_init = he_normal())(x);
        let x: Tensor![B, 3, 2, 2; f64] =
            compact!(Conv<2, (2, 2)>, padding = ((0, 1), (0, 0)), strides = 1, use_bias = true)(x);
        compact!(Dense<2>, use_bias = false, name = "head")(flatten(tanh(x)))
    }
}

#[test]
fn type_level_keywords() {
    let model = Typed::new();
    let variables = model.init(Key::new(0));
    let expected = "\
{
    params: {
        Conv_0: {
            kernel: (3, 3, 2, 4),
        },
        Conv_1: {
            kernel: (3, 3, 2, 4),
            bias: (4,),
        },
        Conv_2: {
            kernel: (2, 2, 4, 2),
            bias: (2,),
        },
        head: {
            kernel: (12, 2),
        },
    },
}";
    assert_eq!(format!("{variables:#?}"), expected);
    check_module(
        &model,
        variables.params,
        weights(&Tensor::<(U1, U9, U9, U2), f64>::zeros(Default::default())),
    );
}
