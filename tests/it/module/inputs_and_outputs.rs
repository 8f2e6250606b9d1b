//! Several inputs, some of integers, and tuples of results, some of which nobody uses.

use flaxen::module::{Module, Trainable};
use flaxen::op::{No, Yes};
use flaxen::prelude::*;
use flaxen::rng::Scope;

use crate::finite_differences::{check, check_inputs, check_module, stateless, weights};

type Rows = Tensor![2, 3; f64];

fn rows(seed: f64) -> Rows {
    weights(&Tensor::full(Default::default(), seed)) + seed
}

/// Two results, each of a layer of its own.
#[module]
struct Split;

#[module]
impl Split {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> (Tensor![B, 2; f64], Tensor![B, 1; f64]) {
        let left = compact!(Dense<2>)(x.clone());
        let right = compact!(Dense<1>)(x);
        (tanh(left), exp(right))
    }
}

/// Uses the first result only.
#[module]
struct Left;

#[module]
impl Left {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        let (left, _) = compact!(Split)(x);
        left.clone() * left
    }
}

/// Uses both.
#[module]
struct Both;

#[module]
impl Both {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        let (left, right) = compact!(Split)(x);
        left * right
    }
}

#[test]
fn tuples_of_results() {
    let model = Split::new();
    let params = weights(&model.init(Key::new(0)).params);
    check_module(&model, params.clone(), rows(0.3));
    let (left, right) = model.apply(&params, rows(0.3));
    assert_eq!((left.sizes(), right.sizes()), ([2, 2], [2, 1]));
    check_module(&Both::new(), weights(&Both::new().init(Key::new(0)).params), rows(0.3));
}

#[test]
fn the_cotangent_of_an_unused_result_is_zero() {
    let model = Left::new();
    let params = weights(&model.init(Key::new(0)).params);
    check_module(&model, params.clone(), rows(0.3));
    let (out, residuals) =
        Trainable::<_, No>::forward(&model, &params, &mut stateless(), &Scope::without_streams(), rows(0.3));
    let (gradient, ()) = Trainable::<Rows, No>::backward(&model, &params, residuals, weights(&out));
    assert_eq!(gradient.split_0.dense_1, params.split_0.dense_1.zeros_like());
    assert_ne!(gradient.split_0.dense_0, params.split_0.dense_0.zeros_like());
}

/// Three inputs, one of integers.
#[module]
struct Several;

#[module]
impl Several {
    fn call<B: Batch>(
        &self,
        a: Tensor![B, 3; f64],
        labels: Tensor![B; i32],
        b: Tensor![B, 3; f64],
    ) -> (Tensor![B; f64], Tensor![B, 6; f64]) {
        let logits = compact!(Dense<4>)(a.clone());
        let both = concat::<1>(a, tanh(b));
        (softmax_cross_entropy_with_integer_labels(logits, labels), both)
    }
}

#[test]
fn several_inputs_one_of_integers() {
    let labels = Tensor::<(U2,), i32>::of(&[3, 1]).expect("two labels");
    let params = weights(&Several::new().init(Key::new(0)).params);
    check(
        (params, rows(0.3), rows(-0.6)),
        |(params, a, b)| Several::new().apply(&params, a, labels.clone(), b),
        |(params, a, b), cotangent| {
            let (out, residuals) = Trainable::<_, (Yes, No, Yes)>::forward(
                &Several::new(),
                &params,
                &mut stateless(),
                &Scope::without_streams(),
                (a, labels.clone(), b),
            );
            let (params, (a, (), b)) = Trainable::<(Rows, Tensor![2; i32], Rows), (Yes, No, Yes)>::backward(
                &Several::new(),
                &params,
                residuals,
                cotangent(&out),
            );
            (params, a, b)
        },
    );
}

/// Only what the caller asks for is computed: here the cotangent of the last input.
#[test]
fn each_input_is_asked_for_on_its_own() {
    let labels = Tensor::<(U2,), i32>::of(&[0, 2]).expect("two labels");
    let params = weights(&Several::new().init(Key::new(0)).params);
    check(
        (params, rows(-0.6)),
        |(params, b)| Several::new().apply(&params, rows(0.3), labels.clone(), b),
        |(params, b), cotangent| {
            let input = (rows(0.3), labels.clone(), b);
            let (out, residuals) = Trainable::<_, (No, No, Yes)>::forward(
                &Several::new(),
                &params,
                &mut stateless(),
                &Scope::without_streams(),
                input,
            );
            let (params, ((), (), b)) = Trainable::<(Rows, Tensor![2; i32], Rows), (No, No, Yes)>::backward(
                &Several::new(),
                &params,
                residuals,
                cotangent(&out),
            );
            (params, b)
        },
    );
}

/// An input that leads nowhere, a result twice, and an input as it is.
#[module]
struct Odd;

#[module]
impl Odd {
    fn call<B: Batch>(
        &self,
        x: Tensor![B, 3; f64],
        unused: Tensor![B, 3; f64],
    ) -> (Tensor![B, 3; f64], Tensor![B, 3; f64], Tensor![B, 3; f64]) {
        let y = tanh(x.clone());
        (y.clone(), y, x)
    }
}

#[test]
fn results_that_are_shared_or_passed_on() {
    assert_eq!(format!("{:?}", Odd::new().init(Key::new(0))), "{params: {}}");
    check_inputs::<_, _, _, (Yes, Yes)>(
        &Odd::new(),
        Odd::new().init(Key::new(0)).params,
        (rows(0.3), rows(1.0)),
    );
}

/// A result that no parameter and no differentiable input leads to.
#[module]
struct WithConstant;

#[module]
impl WithConstant {
    fn call<B: Batch>(
        &self,
        x: Tensor![B, 3; f64],
        labels: Tensor![B; i32],
    ) -> (Tensor![B, 2; f64], Tensor![B, 2]) {
        let x = compact!(Dense<2>)(x);
        (sigmoid(x), one_hot::<2>(labels))
    }
}

#[test]
fn a_result_of_integers_only_has_no_gradient() {
    let labels = Tensor::<(U2,), i32>::of(&[1, 0]).expect("two labels");
    let params = weights(&WithConstant::new().init(Key::new(0)).params);
    let (_, one_hot) = WithConstant::new().infer(
        &params,
        &mut stateless(),
        &Scope::without_streams(),
        (rows(0.3), labels.clone()),
    );
    assert_eq!(one_hot.as_slice(), [0.0, 1.0, 1.0, 0.0]);
    check(
        (params, rows(0.3)),
        |(params, x)| WithConstant::new().apply(&params, x, labels.clone()).0,
        |(params, x), cotangent| {
            let model = WithConstant::new();
            let ((y, constant), residuals) = Trainable::<_, (Yes, No)>::forward(
                &model,
                &params,
                &mut stateless(),
                &Scope::without_streams(),
                (x, labels.clone()),
            );
            let cotangents = (cotangent(&y), constant);
            let (params, (x, ())) = Trainable::<(Rows, Tensor![2; i32]), (Yes, No)>::backward(
                &model, &params, residuals, cotangents,
            );
            (params, x)
        },
    );
}
