//! What an op computes for all examples at once is what it computes for one after the other.

use flaxen::batching::{Cotangents, Inputs, Lane, Outputs, Stack};
use flaxen::op::{Differentiable, Op, Yes};
use flaxen::prelude::*;

const COUNT: usize = 3;

/// Numbers that are the same for the same seed, none of them near zero.
fn stack<S: Shape>(shape: S, seed: f64) -> Stack<Tensor<S, f64>> {
    let number = |index: usize| {
        let x = ((index as f64 + seed) * 12.9898).sin() * 2.0;
        if x.abs() < 0.05 { 0.5 } else { x }
    };
    Stack::new(COUNT, shape, Tensor::from_fn((Dyn(COUNT * shape.elements()),), number))
}

#[track_caller]
fn close<S: Shape>(found: &Tensor<S, f64>, expected: &Tensor<S, f64>) {
    assert_eq!(found.sizes().as_ref(), expected.sizes().as_ref());
    for (found, expected) in found.as_slice().iter().zip(expected.as_slice()) {
        assert!((found - expected).abs() <= 1e-12 * (1.0 + expected.abs()), "{found} instead of {expected}");
    }
}

/// The cotangent of an input of all examples: a sum, if they share it.
#[track_caller]
fn close_lane<S: Shape>(found: &Lane<Tensor<S, f64>>, expected: &[Tensor<S, f64>]) {
    match found {
        Lane::Each(stack) => {
            expected.iter().enumerate().for_each(|(index, expected)| close(&stack.at(index), expected));
        }
        Lane::Shared(sum) => {
            let total = |index| expected.iter().map(|term| term.as_slice()[index]).sum();
            close(sum, &Tensor::from_fn(sum.shape(), total));
        }
    }
}

#[track_caller]
fn check<S, T, F>(op: &F, shape: S)
where
    S: Shape,
    T: Shape,
    F: Op<Tensor<S, f64>, Out = Tensor<T, f64>> + Differentiable<Tensor<S, f64>, Yes>,
{
    let x = stack(shape, 1.0);
    let inputs = || Inputs(Lane::Each(x.clone()));
    let Outputs(y) = op.infer_each(inputs());
    (0..COUNT).for_each(|index| close(&y.at(index), &op.infer(x.at(index))));
    let dy = stack(y.shape(), 7.0);
    let Cotangents(dx) = op.backward_each(inputs(), Outputs(y), Outputs(dy.clone()));
    let one = |index| op.backward(op.forward(x.at(index)).1, dy.at(index));
    close_lane(&dx, &(0..COUNT).map(one).collect::<Vec<_>>());
}

#[track_caller]
fn check_two<A, B, T, F>(op: &F, a: A, b: B)
where
    A: Shape,
    B: Shape,
    T: Shape,
    F: Op<(Tensor<A, f64>, Tensor<B, f64>), Out = Tensor<T, f64>>
        + Differentiable<(Tensor<A, f64>, Tensor<B, f64>), (Yes, Yes)>,
{
    let (a, b) = (stack(a, 1.0), stack(b, 2.0));
    let lanes = [
        (Lane::Each(a.clone()), Lane::Each(b.clone())),
        (Lane::Each(a.clone()), Lane::Shared(b.at(1))),
        (Lane::Shared(a.at(1)), Lane::Each(b.clone())),
    ];
    for (a, b) in lanes {
        let inputs = || Inputs((a.clone(), b.clone()));
        let Outputs(y) = op.infer_each(inputs());
        (0..COUNT).for_each(|index| close(&y.at(index), &op.infer((a.at(index), b.at(index)))));
        let dy = stack(y.shape(), 7.0);
        let Cotangents((da, db)) = op.backward_each(inputs(), Outputs(y), Outputs(dy.clone()));
        let one = |index| op.backward(op.forward((a.at(index), b.at(index))).1, dy.at(index));
        let (das, dbs): (Vec<_>, Vec<_>) = (0..COUNT).map(one).unzip();
        close_lane(&da, &das);
        close_lane(&db, &dbs);
    }
}

#[test]
fn element_by_element() {
    check(&relu::Op::new(), (Dyn(2), U5::default()));
    check(&tanh::Op::new(), (U4::default(),));
    check(&log_sigmoid::Op::new(), ());
    check(&mul::Scalar::new(3.0), (U4::default(),));
    check(&square::Op::new(), (Dyn(0), U2::default()));
}

#[test]
fn with_broadcasting() {
    let (matrix, row, column) = ((Dyn(2), U3::default()), (U3::default(),), (Dyn(2), U1::default()));
    check_two(&add::Op::new(), matrix, row);
    check_two(&add::Op::new(), row, matrix);
    check_two(&sub::Op::new(), matrix, column);
    check_two(&mul::Op::new(), column, row);
    check_two(&mul::Op::new(), (), matrix);
    check_two(&div::Op::new(), matrix, matrix);
    check_two(&maximum::Op::new(), matrix, row);
    check_two(&minimum::Op::new(), matrix, row);
    // With six axes there is no room for one more.
    let one = U1::default();
    check_two(&mul::Op::new(), (U2::default(), one, one, one, one, U3::default()), row);
}

#[test]
fn products() {
    check_two(&matmul::Op::new(), (Dyn(2), U3::default()), (U3::default(), U4::default()));
    check_two(&matmul::Op::new(), (U3::default(),), (U3::default(), U1::default()));
}

#[test]
fn reductions() {
    check(&sum::Op::new(), (Dyn(2), U5::default()));
    check(&sum::Op::new(), ());
    check(&mean::Op::new(), (Dyn(2), U5::default()));
}

#[test]
fn one_after_the_other() {
    check(&softmax::Op::new(), (Dyn(2), U5::default()));
    check(&sum_axis::Op::<U0>::new(), (Dyn(2), U5::default()));
    check_two(&l2_loss::Op::new(), (U5::default(),), (U5::default(),));
}

#[test]
fn no_examples_have_shapes_too() {
    type In = Tensor<(U3,), f64>;
    let empty = Stack::<In>::zeros(0, Default::default());
    let Outputs(y) = softmax::Op::new().infer_each(Inputs::<In>(Lane::Each(empty.clone())));
    assert_eq!((y.count(), y.shape().sizes()), (0, [3]));
    let Outputs(y) = sum::Op::new().infer_each(Inputs::<In>(Lane::Each(empty)));
    assert_eq!(y.count(), 0);
}
