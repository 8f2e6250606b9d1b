//! Optax's losses and their gradients.

use flaxen::loss;
use flaxen::op::{Differentiable, No, Op, Yes};
use flaxen::prelude::*;
use flaxen_tests::{Fixture, Tolerance};

type Matrix = Tensor<(Dyn, Dyn)>;
type Pair = (Matrix, Matrix);

fn tensor<S: Shape>(fixture: &Fixture, name: &str) -> Tensor<S> {
    let flat = (Dyn(fixture.f32s(name).len()),);
    let flat = Tensor::from_slice(flat, &fixture.f32s(name)).expect("its own size");
    flat.into_shape(&fixture.sizes(name)).expect("a shape of this rank")
}

fn labels<S: Shape>(fixture: &Fixture, name: &str) -> Tensor<S, i32> {
    let flat = (Dyn(fixture.i32s(name).len()),);
    let flat = Tensor::from_slice(flat, &fixture.i32s(name)).expect("its own size");
    flat.into_shape(&fixture.sizes(name)).expect("a shape of this rank")
}

fn tolerance(fixture: &Fixture, id: &str) -> Tolerance {
    Tolerance::parse(fixture.case(id)["tol"].as_str().expect("a tolerance"))
}

/// Checks one array of a case.
fn check<S: Shape>(fixture: &Fixture, id: &str, name: &str, got: &Tensor<S>) {
    let tolerance = tolerance(fixture, id);
    // The README allows gradients ten times as much.
    let wider = Tolerance { rtol: 10.0 * tolerance.rtol, atol: 10.0 * tolerance.atol, ..tolerance };
    let tolerance = if name == "output" { tolerance } else { wider };
    let name = format!("{id}/{name}");
    assert_eq!(got.sizes().as_ref(), fixture.sizes(&name), "{name}");
    tolerance.check(&name, got.as_slice(), &fixture.f32s(&name));
}

/// Value and both gradients, or the first only where Optax gave one.
fn run<S, F>(fixture: &Fixture, id: &str, op: F)
where
    S: Shape,
    F: Op<Pair, Out = Tensor<S>> + Differentiable<Pair, (Yes, Yes)> + Differentiable<Pair, (Yes, No)>,
{
    let input = |index: usize| tensor::<(Dyn, Dyn)>(fixture, &format!("{id}/inputs/{index}"));
    check(fixture, id, "output", &op.infer((input(0), input(1))));
    let cotangent = || tensor(fixture, &format!("{id}/cotangent"));

    let (output, residuals) = Differentiable::<Pair, (Yes, No)>::forward(&op, (input(0), input(1)));
    check(fixture, id, "output", &output);
    let (first, ()) = Differentiable::<Pair, (Yes, No)>::backward(&op, residuals, cotangent());
    check(fixture, id, "grads/0", &first);

    let wrt = fixture.case(id)["wrt"].as_array().expect("the inputs with gradients");
    if wrt.len() == 2 {
        let (_, residuals) = Differentiable::<Pair, (Yes, Yes)>::forward(&op, (input(0), input(1)));
        let (first, second) = Differentiable::<Pair, (Yes, Yes)>::backward(&op, residuals, cotangent());
        check(fixture, id, "grads/0", &first);
        check(fixture, id, "grads/1", &second);
    }
}

#[test]
fn of_errors() {
    let fixture = Fixture::open("losses");
    run(&fixture, "squared_error", loss::squared_error::Op::new());
    run(&fixture, "l2_loss", loss::l2_loss::Op::new());
    run(&fixture, "huber_loss", loss::huber_loss::Op::new(1.0));
    run(&fixture, "log_cosh", loss::log_cosh::Op::new());
    run(&fixture, "log_cosh_large", loss::log_cosh::Op::new());
}

#[test]
fn l2_loss_without_targets() {
    let fixture = Fixture::open("losses");
    let id = "l2_loss_no_target";
    let op = loss::l2_loss::Op::new();
    let predictions = tensor::<(Dyn, Dyn)>(&fixture, &format!("{id}/inputs/0"));
    let (output, residuals) = Differentiable::<Matrix, Yes>::forward(&op, predictions);
    check(&fixture, id, "output", &output);
    let cotangent = tensor(&fixture, &format!("{id}/cotangent"));
    let gradient = Differentiable::<Matrix, Yes>::backward(&op, residuals, cotangent);
    check(&fixture, id, "grads/0", &gradient);
}

#[test]
fn of_two_classes() {
    let fixture = Fixture::open("losses");
    run(&fixture, "sigmoid_binary_cross_entropy", loss::sigmoid_binary_cross_entropy::Op::new());
    run(&fixture, "sigmoid_binary_cross_entropy_soft", loss::sigmoid_binary_cross_entropy::Op::new());
    run(&fixture, "hinge_loss", loss::hinge_loss::Op::new());
    run(&fixture, "perceptron_loss", loss::perceptron_loss::Op::new());
}

#[test]
fn of_distributions() {
    let fixture = Fixture::open("losses");
    run(&fixture, "softmax_cross_entropy", loss::softmax_cross_entropy::Op::new());
    run(&fixture, "softmax_cross_entropy_soft", loss::softmax_cross_entropy::Op::new());
    run(&fixture, "kl_divergence", loss::kl_divergence::Op::new());
    run(&fixture, "kl_divergence_zero_target", loss::kl_divergence::Op::new());
    run(&fixture, "kl_divergence_with_log_targets", loss::kl_divergence_with_log_targets::Op::new());
}

#[test]
fn of_angles() {
    let fixture = Fixture::open("losses");
    run(&fixture, "cosine_similarity", loss::cosine_similarity::Op::new(0.0));
    run(&fixture, "cosine_distance", loss::cosine_distance::Op::new(0.0));
    run(&fixture, "cosine_distance_eps", loss::cosine_distance::Op::new(1e-3));
}

fn integer_labels<S>(fixture: &Fixture, id: &str)
where
    S: flaxen::shape::SplitLast,
{
    let op = loss::softmax_cross_entropy_with_integer_labels::Op::new();
    let input = || {
        let logits = tensor::<S>(fixture, &format!("{id}/inputs/0"));
        (logits, labels::<S::Front>(fixture, &format!("{id}/inputs/1")))
    };
    check(fixture, id, "output", &op.infer(input()));
    let (output, residuals) = Differentiable::<_, (Yes, No)>::forward(&op, input());
    check(fixture, id, "output", &output);
    let cotangent = tensor::<S::Front>(fixture, &format!("{id}/cotangent"));
    type In<S> = (Tensor<S>, Tensor<<S as flaxen::shape::SplitLast>::Front, i32>);
    let (gradient, ()) = Differentiable::<In<S>, (Yes, No)>::backward(&op, residuals, cotangent);
    check(fixture, id, "grads/0", &gradient);
}

#[test]
fn of_integer_labels() {
    let fixture = Fixture::open("losses");
    integer_labels::<(Dyn, Dyn)>(&fixture, "softmax_cross_entropy_with_integer_labels");
    integer_labels::<(Dyn, Dyn)>(&fixture, "softmax_cross_entropy_large_logits");
    integer_labels::<(Dyn, Dyn, Dyn)>(&fixture, "softmax_cross_entropy_with_integer_labels_3d");
}
