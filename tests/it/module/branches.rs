//! `if` and `match` on plain values: types, numbers, gradients, and which variables there are.

use flaxen::module::Module;
use flaxen::op::Yes;
use flaxen::prelude::*;
use flaxen::tree::Tree;

use crate::finite_differences::{check_inputs, check_module, weights};

type Rows = Tensor![2, 3; f64];

fn rows() -> Rows {
    weights(&Tensor::full(Default::default(), 1.0))
}

fn paths(tree: &impl Tree) -> Vec<String> {
    tree.leaves().into_iter().map(|leaf| leaf.path).collect()
}

/// An arm that changes nothing, an `if` without `else`, and one inside of a call.
#[module]
struct Switches {
    residual: bool,
    halved: bool,
}

#[module]
impl Switches {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let y = compact!(Dense<3>)(x.clone());
        let mut y = if self.residual { x + tanh(y) } else { y };
        if self.halved {
            y = y / 2.0;
        }
        exp(if self.residual && self.halved { relu(y) } else { sigmoid(y) })
    }
}

#[test]
fn arms_by_hyper_parameters() {
    for (residual, halved) in [(false, false), (false, true), (true, false), (true, true)] {
        let model = Switches::new().residual(residual).halved(halved);
        let params = weights(&model.init(Key::new(0)).params);
        let mut y = matmul(rows(), params.dense_0.kernel.clone()) + params.dense_0.bias.clone();
        if residual {
            y = rows() + tanh(y);
        }
        if halved {
            y = y / 2.0;
        }
        let expected = exp(if residual && halved { relu(y) } else { sigmoid(y) });
        assert_eq!(model.apply(&params, rows()), expected);
        check_module(&model, params, rows());
    }
}

/// What [`Activated`] ends in.
#[derive(Clone, Debug, Default, PartialEq)]
enum Activation {
    #[default]
    None,
    Leaky(f64),
    Scaled {
        by: Option<f64>,
    },
    Tanh,
}

/// Patterns that bind values, guards, `if let`, a pair of results, and an arm that ends the program.
#[module]
struct Activated {
    activation: Activation,
}

#[module]
impl Activated {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64], y: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let slope = 7.0;
        let (a, b) = match &self.activation {
            Activation::None => (x, y),
            Activation::Leaky(slope) if *slope < 0.0 => (y, leaky_relu(x, -slope)),
            Activation::Leaky(slope) => {
                let doubled = slope * 2.0;
                (leaky_relu(x, doubled), y)
            }
            Activation::Scaled { by } => {
                let x = if let Some(by) = by { x * *by } else { y.clone() };
                (x, y)
            }
            Activation::Tanh if self.refused() => unreachable!("{slope}"),
            _ => (tanh(x.clone()), x * slope),
        };
        a * b
    }

    fn refused(&self) -> bool {
        false
    }
}

#[test]
fn patterns_bind_values() {
    let (x, y) = (rows(), rows() * 3.0 - 0.5);
    let cases = [
        (Activation::None, x.clone() * y.clone()),
        (Activation::Leaky(-0.5), y.clone() * leaky_relu::Op::new(0.5).infer(x.clone())),
        (Activation::Leaky(0.25), leaky_relu::Op::new(0.5).infer(x.clone()) * y.clone()),
        (Activation::Scaled { by: Some(2.0) }, x.clone() * 2.0 * y.clone()),
        (Activation::Scaled { by: None }, y.clone() * y.clone()),
        (Activation::Tanh, tanh(x.clone()) * (x.clone() * 7.0)),
    ];
    for (activation, expected) in cases {
        let model = Activated::new().activation(activation.clone());
        let params = model.init(Key::new(0)).params;
        assert_eq!(model.apply(&params, x.clone(), y.clone()), expected, "{activation:?}");
        check_inputs::<_, _, _, (Yes, Yes)>(&model, params, (x.clone(), y.clone()));
    }
}

/// Submodules and a parameter in arms, in arms of arms, and after them.
#[module]
struct Optional {
    deep: bool,
    gated: bool,
    named: bool,
}

#[module]
impl Optional {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        let x = if self.deep {
            let x = tanh(compact!(Dense<4>)(x));
            let x = if self.gated { x * param!("gate", constant(0.5), [4; f64]) } else { x };
            compact!(Dense<3>)(x)
        } else if self.named {
            compact!(Dense<3>, name = "only")(x)
        } else {
            let hidden = compact!(Dense<5>)(x);
            compact!(Dense<3>, name = "only")(hidden)
        };
        compact!(Dense<2>)(x)
    }
}

#[test]
fn what_an_arm_declares_is_there_if_it_is_taken() {
    let cases = [
        (
            (true, false, false),
            "{Dense_0: {kernel: (3, 4), bias: (4,)}, Dense_1: {kernel: (4, 3), bias: (3,)}, Dense_2: {kernel: (3, 2), bias: (2,)}}",
        ),
        (
            (true, true, false),
            "{Dense_0: {kernel: (3, 4), bias: (4,)}, gate: (4,), Dense_1: {kernel: (4, 3), bias: (3,)}, Dense_2: {kernel: (3, 2), bias: (2,)}}",
        ),
        ((false, true, true), "{only: {kernel: (3, 3), bias: (3,)}, Dense_0: {kernel: (3, 2), bias: (2,)}}"),
        (
            (false, false, false),
            "{Dense_0: {kernel: (3, 5), bias: (5,)}, only: {kernel: (5, 3), bias: (3,)}, Dense_1: {kernel: (3, 2), bias: (2,)}}",
        ),
    ];
    for ((deep, gated, named), expected) in cases {
        let model = Optional::new().deep(deep).gated(gated).named(named);
        let params = model.init(Key::new(0)).params;
        assert_eq!(format!("{params:?}"), expected);
        check_module(&model, weights(&params), rows());
    }
}

#[test]
fn trees_with_arms_are_trees() {
    let model = Optional::new().deep(true).gated(true);
    let params = weights(&model.init(Key::new(0)).params);
    assert_eq!(
        paths(&params),
        [
            "Dense_0/kernel",
            "Dense_0/bias",
            "gate",
            "Dense_1/kernel",
            "Dense_1/bias",
            "Dense_2/kernel",
            "Dense_2/bias"
        ]
    );
    let value = serde_json::to_value(&params).expect("a tree is written");
    assert_eq!(serde_json::from_value::<OptionalParams>(value).expect("and read"), params);
    assert!(params.only.is_none() && params.gate.is_some());
}

/// The keys are those of Flax's names, whichever arm is taken.
#[test]
fn the_numbers_of_the_arm_that_is_taken_decide_the_keys() {
    let last = |model: Optional| model.init(Key::new(3)).params.dense_2.kernel;
    let scope = flaxen::rng::Scope::root(Key::new(3));
    let drawn = |name| Module::<Rows>::init(&Dense::<U2>::new(), &scope.child(name)).0.kernel;
    assert_eq!(last(Optional::new().deep(true)), drawn("Dense_2"));
    assert_eq!(last(Optional::new().named(true)), drawn("Dense_0"));
    assert_eq!(last(Optional::new()), drawn("Dense_1"));
}

#[test]
#[should_panic = "these variables have no `only`: they belong to a model with other hyper-parameters"]
fn variables_of_other_hyper_parameters() {
    let params = Optional::new().deep(true).init(Key::new(0)).params;
    Optional::new().named(true).apply(&params, rows());
}

/// One submodule for several arms, one that a single arm calls, and one that nothing goes through.
#[module]
struct SharedInArms {
    twice: bool,
    other: bool,
}

#[module]
impl SharedInArms {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let dense = compact!(Dense<3>, kernel_init = ones());
        let other = compact!(Dense<3>, name = "other");
        let mut y = if self.twice { dense(tanh(dense(x.clone()))) } else { dense(x.clone()) };
        if self.other {
            let _unused = exp(other(y.clone()));
            y = other(y) + dense(x);
        }
        y
    }
}

#[test]
fn submodules_are_shared_by_arms() {
    for (twice, other) in [(false, false), (false, true), (true, false), (true, true)] {
        let model = SharedInArms::new().twice(twice).other(other);
        let params = model.init(Key::new(0)).params;
        let mut expected = vec!["Dense_0/kernel", "Dense_0/bias"];
        expected.extend(if other { ["other/kernel", "other/bias"].as_slice() } else { &[] });
        assert_eq!(paths(&params), expected);
        check_module(&model, weights(&params), rows());
    }
}

/// In a function there are branches too.
#[differentiable]
fn clipped<B: Batch>(x: Tensor![B, 3; f64], y: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
    let limit = 0.25;
    let z = if limit > 1.0 { tanh(x.clone()) } else { x.clone() * limit };
    match 3 {
        4 => z,
        _ => z * y,
    }
}

#[module]
struct Clipped;

#[module]
impl Clipped {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let y = compact!(Dense<3>)(x.clone());
        clipped(x, y)
    }
}

#[test]
fn branches_in_a_function() {
    let params = weights(&Clipped::new().init(Key::new(0)).params);
    assert_eq!(clipped(rows(), rows()), rows() * 0.25 * rows());
    check_module(&Clipped::new(), params, rows());
}
