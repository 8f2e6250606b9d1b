//! `Stack`: the same module several times.

use flaxen::module::Module;
use flaxen::nn::{DenseParams, Repeated, Repeats};
use flaxen::prelude::*;
use flaxen::rng::Scope;

use crate::finite_differences::{check_module, weights};

/// `x + tanh(dense(x))`
#[module]
struct Residual;

#[module]
impl Residual {
    fn call<B: Batch, I: Static, E: Float>(&self, x: Tensor![B, I; E]) -> Tensor![B, I; E] {
        let y = compact!(Dense<I>)(x.clone());
        x + tanh(y)
    }
}

/// A stack between two other modules.
#[module]
struct Tower<L: Repeats>;

#[module]
impl<L: Repeats> Tower<L> {
    fn call<B: Batch, E: Float>(&self, x: Tensor![B, 2; E]) -> Tensor![B, 1; E] {
        let x = compact!(Dense<3>)(x);
        let x = compact!(Stack<Residual, L>, name = "layers")(x);
        compact!(Dense<1>)(x)
    }
}

fn rows() -> Tensor![2, 2; f64] {
    weights(&Tensor::zeros(Default::default()))
}

#[test]
fn a_stack_is_its_modules_one_after_the_other() {
    let model = Tower::<U3>::new();
    let variables = model.init::<f64>(Key::new(0));
    let params = &variables.params;
    let x = Layer::apply(&Dense::<U3>::new(), &params.dense_0, rows());
    let layers = params.layers.as_slice();
    assert_eq!(layers.len(), 3);
    let x = layers.iter().fold(x, |x, params| Residual::new().apply(params, x));
    let expected = Layer::apply(&Dense::<U1>::new(), &params.dense_1, x);
    assert_eq!(model.apply(&variables, rows()), expected);
}

#[test]
fn modules_are_called_by_their_numbers() {
    let params = Tower::<U2>::new().init::<f32>(Key::new(0)).params;
    let paths: Vec<String> = params.leaves().into_iter().map(|leaf| leaf.path).collect();
    assert_eq!(paths[2..4], ["layers/0/Dense_0/kernel", "layers/0/Dense_0/bias"]);
    assert_eq!(paths[4..6], ["layers/1/Dense_0/kernel", "layers/1/Dense_0/bias"]);
    let text = format!("{params:?}");
    assert!(text.contains("layers: {0: {Dense_0: {kernel: (3, 3), bias: (3,)}}, 1: {Dense_0: "), "{text}");
}

#[test]
fn keys_are_those_of_modules_named_by_their_numbers() {
    type Row = Tensor![1, 3];
    let stacked =
        Layer::init(&Stack::<Dense<U3>, U2>::new(), Key::new(3), &Row::zeros(Default::default())).params;
    let root = Scope::root(Key::new(3));
    for (index, name) in ["0", "1"].into_iter().enumerate() {
        let (alone, ()) = Module::<Row>::init(&Dense::<U3>::new(), &root.child(name));
        assert_eq!(stacked.as_slice()[index], alone);
    }
    assert_ne!(stacked.as_slice()[0], stacked.as_slice()[1]);
}

#[test]
fn gradients() {
    let model = Tower::<U3>::new();
    let params = model.init::<f64>(Key::new(1)).params;
    check_module(&model, weights(&params), rows());
}

#[test]
fn parameters_are_written_as_a_map() {
    let x = Tensor::<(U1, U1)>::zeros(Default::default());
    let params = Layer::init(&Stack::<Dense<U1>, U2>::new(), Key::new(0), &x).params;
    let text = serde_json::to_string(&params).expect("parameters as JSON");
    assert!(text.starts_with("{\"0\":{\"kernel\":"), "{text}");
    type Of<L> = Repeated<DenseParams<U1, U1>, L>;
    assert_eq!(serde_json::from_str::<Of<U2>>(&text).expect("what was written"), params);
    let three = serde_json::from_str::<Of<U3>>(&text).expect_err("a module too few").to_string();
    assert!(three.contains("the module `2` of 3 is missing"), "{three}");
    let one = serde_json::from_str::<Of<U1>>(&text).expect_err("a module too many").to_string();
    assert!(one.contains("no module `1` among 1"), "{one}");
}
