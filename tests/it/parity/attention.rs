//! `nn.dot_product_attention` and its weights.

use flaxen::op::{Differentiable, No, Op as _, Yes};
use flaxen::prelude::*;
use flaxen_tests::{Fixture, Tolerance};

use super::layer::{of_gradients, tensor};

type Queries = (U2, U3, U2, U4);
type Keys = (U2, U5, U2, U4);
type Weights = (U2, U2, U3, U5);

/// A case, with its arrays by field.
struct Case {
    fixture: Fixture,
    id: &'static str,
    tolerance: Tolerance,
}

impl Case {
    fn open(id: &'static str) -> Self {
        let fixture = Fixture::open("layers");
        let tolerance = Tolerance::parse(fixture.case(id)["tol"].as_str().expect("a tolerance"));
        Case { fixture, id, tolerance }
    }

    fn array<S: StaticShape>(&self, field: &str) -> Tensor<S> {
        tensor(&self.fixture, &format!("{}/{field}", self.id))
    }

    fn mask<S: StaticShape>(&self, field: &str) -> Tensor<S, bool> {
        Tensor::of(&self.fixture.bools(&format!("{}/{field}", self.id))).expect("a mask of this shape")
    }

    #[track_caller]
    fn output<S: StaticShape>(&self, found: &Tensor<S>) {
        self.tolerance.check(self.id, found.as_slice(), self.array::<S>("output").as_slice());
    }

    #[track_caller]
    fn gradient<S: StaticShape>(&self, input: usize, found: &Tensor<S>) {
        let (field, tolerance) = (format!("grad_inputs/{input}"), of_gradients(self.tolerance));
        tolerance.check(&field, found.as_slice(), self.array::<S>(&field).as_slice());
    }
}

#[test]
fn attention() {
    let case = Case::open("dpa");
    let inputs =
        (case.array::<Queries>("inputs/0"), case.array::<Keys>("inputs/1"), case.array::<Keys>("inputs/2"));
    let op = dot_product_attention::Op::new();
    let (out, residuals) = Differentiable::<_, (Yes, Yes, Yes)>::forward(&op, inputs.clone());
    case.output::<Queries>(&out);
    assert_eq!(op.infer(inputs), out);
    type Inputs = (Tensor<Queries>, Tensor<Keys>, Tensor<Keys>);
    let (dq, dk, dv) =
        Differentiable::<Inputs, (Yes, Yes, Yes)>::backward(&op, residuals, case.array("cotangent"));
    case.gradient(0, &dq);
    case.gradient(1, &dk);
    case.gradient(2, &dv);
}

#[test]
fn weights() {
    let case = Case::open("dpa_weights");
    let op = dot_product_attention_weights::Op::new();
    let inputs = (case.array::<Queries>("inputs/0"), case.array::<Keys>("inputs/1"));
    let (out, residuals) = Differentiable::<_, (Yes, Yes)>::forward(&op, inputs);
    case.output::<Weights>(&out);
    type Inputs = (Tensor<Queries>, Tensor<Keys>);
    let (dq, dk) = Differentiable::<Inputs, (Yes, Yes)>::backward(&op, residuals, case.array("cotangent"));
    case.gradient(0, &dq);
    case.gradient(1, &dk);
}

#[test]
fn with_a_bias_and_a_mask() {
    let case = Case::open("dpa_bias_mask");
    let op = dot_product_attention::Op::new();
    let inputs = (
        case.array::<Queries>("inputs/0"),
        case.array::<Keys>("inputs/1"),
        case.array::<Keys>("inputs/2"),
        case.array::<Weights>("inputs/3"),
        case.mask::<Weights>("inputs/4"),
    );
    let (out, residuals) = Differentiable::<_, (Yes, Yes, Yes, Yes, No)>::forward(&op, inputs);
    case.output::<Queries>(&out);
    type Inputs = (Tensor<Queries>, Tensor<Keys>, Tensor<Keys>, Tensor<Weights>, Tensor<Weights, bool>);
    let cotangent = case.array("cotangent");
    let (dq, dk, dv, dbias, ()) =
        Differentiable::<Inputs, (Yes, Yes, Yes, Yes, No)>::backward(&op, residuals, cotangent);
    case.gradient(0, &dq);
    case.gradient(1, &dk);
    case.gradient(2, &dv);
    case.gradient(3, &dbias);
}

#[test]
fn a_query_that_is_masked_from_all_keys() {
    let case = Case::open("dpa_all_masked_row");
    let op = dot_product_attention::Op::new();
    type Query = (U1, U2, U1, U3);
    type Key = (U1, U3, U1, U3);
    type Mask = (U1, U1, U2, U3);
    let inputs = (
        case.array::<Query>("inputs/0"),
        case.array::<Key>("inputs/1"),
        case.array::<Key>("inputs/2"),
        case.mask::<Mask>("inputs/3"),
    );
    let (out, residuals) = Differentiable::<_, (Yes, Yes, Yes, No)>::forward(&op, inputs);
    case.output::<Query>(&out);
    type Inputs = (Tensor<Query>, Tensor<Key>, Tensor<Key>, Tensor<Mask, bool>);
    let (dq, dk, dv, ()) =
        Differentiable::<Inputs, (Yes, Yes, Yes, No)>::backward(&op, residuals, case.array("cotangent"));
    case.gradient(0, &dq);
    case.gradient(1, &dk);
    case.gradient(2, &dv);
}
