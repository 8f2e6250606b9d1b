//! `nn.dot_product_attention`, its weights, and `nn.MultiHeadDotProductAttention`.

use flaxen::init::{glorot_uniform, normal};
use flaxen::module::{Module, Trainable};
use flaxen::nn::{NoScale, WithBias, WithScale};
use flaxen::op::{Differentiable, Needs, No, Op as _, Yes};
use flaxen::prelude::*;
use flaxen::rng::Scope;
use flaxen::tree::Path;
use flaxen_tests::{Fixture, Tolerance};

use super::key;
use super::layer::{Check, Load, check_module, of_gradients, tensor};

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

type Heads<Q = (), O = (), L = NoScale> = MultiHeadDotProductAttention<U2, Q, O, WithBias, L>;

#[test]
fn heads_of_one_input() {
    check_module::<(U2, U4, U8), (U2, U4, U8), _>("mha_self", Heads::<(), ()>::new());
    check_module::<(U2, U3, U8), (U2, U3, U8), _>("mha_normalize_qk", Heads::<(), (), WithScale>::new());
    let layer = SelfAttention::<U2>::new().kernel_init(glorot_uniform()).bias_init(normal(0.1));
    check_module::<(U2, U3, U8), (U2, U3, U8), _>("self_attention", layer);
}

/// Checks the parameters, the output and the gradients of a layer with several inputs.
#[track_caller]
fn check_heads<In, N, M, Y>(case: &Case, layer: &M, input: In) -> N::Cotangents
where
    Y: StaticShape,
    N: Needs<In>,
    M: Module<In, Out = Tensor<Y>, State = ()> + Trainable<In, N>,
    In: Clone,
{
    let (fixture, id) = (&case.fixture, case.id);
    let check = |field: &str, tolerance| Check { fixture, field: format!("{id}/{field}"), tolerance };
    let (mut params, ()) = layer.init(&Scope::root(key(fixture.case(id))));
    params.visit(&Path::ROOT, &mut check("init/params", Tolerance::ulp(4)));
    params.zip([], &Path::ROOT, &mut Load { fixture, field: format!("{id}/vars/params") });
    let scope = Scope::without_streams();
    let (out, residuals) = layer.forward(&params, &mut (), &scope, input.clone());
    case.output::<Y>(&out);
    assert_eq!(layer.infer(&params, &mut (), &scope, input), out);
    let (gradient, cotangents) = layer.backward(&params, residuals, case.array("cotangent"));
    gradient.visit(&Path::ROOT, &mut check("grad_params", of_gradients(case.tolerance)));
    cotangents
}

#[test]
fn heads_of_keys_that_are_values() {
    let case = Case::open("mha_cross");
    type Input = (Tensor![2, 3, 8], Tensor![2, 4, 8]);
    let input: Input = (case.array("inputs/0"), case.array("inputs/1"));
    let layer = Heads::<U4, U5>::new();
    let (queries, keys) = check_heads::<_, (Yes, Yes), _, (U2, U3, U5)>(&case, &layer, input);
    case.gradient(0, &queries);
    case.gradient(1, &keys);
}

#[test]
fn heads_of_keys_and_values() {
    let case = Case::open("mha_kv");
    type Input = (Tensor![2, 3, 8], Tensor![2, 4, 8], Tensor![2, 4, 8]);
    let input: Input = (case.array("inputs/0"), case.array("inputs/1"), case.array("inputs/2"));
    let (queries, keys, values) =
        check_heads::<_, (Yes, Yes, Yes), _, (U2, U3, U8)>(&case, &Heads::<(), ()>::new(), input);
    case.gradient(0, &queries);
    case.gradient(1, &keys);
    case.gradient(2, &values);
}

#[test]
fn heads_with_a_causal_mask() {
    let case = Case::open("mha_mask");
    // Flax's masks are numbers.
    let mask: Tensor![2, 1, 4, 4] = case.array("kw/mask");
    let counts: Vec<bool> = mask.as_slice().iter().map(|&x| x > 0.0).collect();
    let mask: Tensor![2, 1, 4, 4; bool] = Tensor::of(&counts).expect("a mask of this shape");
    let input: (Tensor![2, 4, 8], _) = (case.array("inputs/0"), mask);
    let (x, ()) = check_heads::<_, (Yes, No), _, (U2, U4, U8)>(&case, &Heads::<(), ()>::new(), input);
    case.gradient(0, &x);
}
