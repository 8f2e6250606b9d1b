//! Submodules in tuples and arrays: `layers_0`, `layers_1`, … in the tree.

use flaxen::module::Module;
use flaxen::prelude::*;
use flaxen::serialization::{from_state_dict, to_state_dict};

use crate::finite_differences::{check_module, weights};

/// Three layers of different sizes, of which one is not called.
#[module]
struct Tuple {
    layers: (Dense<3>, Dense<4>, Dense<7>, Dense<2>),
}

#[module]
impl Tuple {
    fn call<B: Batch>(&self, x: Tensor![B, 5; f64]) -> Tensor![B, 2; f64] {
        let last = &self.layers.3;
        let x = tanh(self.layers.0(x));
        let x = tanh((self.layers.1)(x));
        last(x)
    }
}

/// Two layers of one size, the second of them called twice.
#[module]
struct Array {
    layers: [Dense<5>; 2],
}

#[module]
impl Array {
    fn call<B: Batch>(&self, x: Tensor![B, 5; f64]) -> Tensor![B, 5; f64] {
        let x = tanh(self.layers[0](x));
        let x = tanh(self.layers[1](x));
        self.layers[1](x)
    }
}

fn rows() -> Tensor![2, 5; f64] {
    weights(&Tensor::zeros(Default::default()))
}

fn paths(tree: &impl Tree) -> Vec<String> {
    tree.leaves().into_iter().map(|leaf| leaf.path).collect()
}

#[test]
fn elements_are_numbered() {
    let params = Tuple::new().init(Key::new(0)).params;
    let expected =
        ["layers_0", "layers_1", "layers_3"].map(|name| [format!("{name}/kernel"), format!("{name}/bias")]);
    assert_eq!(paths(&params), expected.concat());
    assert!(format!("{params:?}").starts_with("{layers_0: {kernel: (5, 3), bias: (3,)}, layers_1: {"));
    assert_eq!(params.layers.3.kernel.sizes(), [4, 2]);

    let params = Array::new().init(Key::new(0)).params;
    assert_eq!(paths(&params), ["layers_0/kernel", "layers_0/bias", "layers_1/kernel", "layers_1/bias"]);
    assert_ne!(params.layers[0].kernel, params.layers[1].kernel);
}

#[test]
fn gradients_of_tuples() {
    let model = Tuple::new();
    check_module(&model, weights(&model.init(Key::new(0)).params), rows());
}

#[test]
fn gradients_of_arrays() {
    let model = Array::new();
    check_module(&model, weights(&model.init(Key::new(0)).params), rows());
}

/// What is written has Flax's names, and is read again.
#[test]
fn elements_are_written_one_by_one() {
    let model = Tuple::new();
    let params = model.init(Key::new(0)).params;
    let dict = to_state_dict(&params).expect("parameters");
    let keys: Vec<&str> = dict.as_dict().expect("a dict").keys().collect();
    assert_eq!(keys, ["layers_0", "layers_1", "layers_3"]);
    let other = model.init(Key::new(1)).params;
    assert!(from_state_dict(&other, &dict).expect("the same model") == params);
}

#[test]
fn the_state_has_elements_too() {
    fn state<In, M: Module<In>>(_: &M, _: &In, state: M::State) -> M::State {
        state
    }
    let model = Tuple::new();
    let found = state(&model, &rows(), model.init(Key::new(0)).state);
    assert_eq!(found.layers, ((), (), (), ()));
}

/// The tutorial's `ExplicitMLP`: `relu` after all layers but the last.
#[module]
struct ExplicitMlp {
    layers: (Dense<3>, Dense<4>, Dense<5>),
}

#[module]
impl ExplicitMlp {
    fn call<B: Batch>(&self, inputs: Tensor![B, 6; f64]) -> Tensor![B, 5; f64] {
        let mut x = inputs;
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer(x);
            if i != self.layers.len() - 1 {
                x = tanh(x);
            }
        }
        x
    }
}

#[test]
fn a_loop_over_a_tuple() {
    let model = ExplicitMlp::new();
    let params = weights(&model.init(Key::new(0)).params);
    let x: Tensor![2, 6; f64] = weights(&Tensor::zeros(Default::default()));
    let y = tanh(model.layers.0.apply(&params.layers.0, x.clone()));
    let y = tanh(model.layers.1.apply(&params.layers.1, y));
    assert_eq!(model.apply(&params, x.clone()), model.layers.2.apply(&params.layers.2, y));
    check_module(&model, params, x);
}

/// The same with layers of one size, and without their numbers.
#[module]
struct Deep {
    layers: [Dense<5>; 3],
    #[default([0.5, 2.0])]
    slopes: [f64; 2],
}

#[module]
impl Deep {
    fn call<B: Batch>(&self, inputs: Tensor![B, 5; f64]) -> Tensor![B, 5; f64] {
        let mut x = inputs;
        for layer in &self.layers {
            x = tanh(layer(x));
        }
        for slope in &self.slopes {
            x = leaky_relu(x, *slope);
        }
        x
    }
}

#[test]
fn a_loop_over_an_array() {
    let model = Deep::new();
    let params = weights(&model.init(Key::new(0)).params);
    let mut x = rows();
    for (layer, params) in model.layers.iter().zip(&params.layers) {
        x = tanh(layer.apply(params, x));
    }
    assert_eq!(model.apply(&params, rows()), leaky_relu(leaky_relu(x, 0.5), 2.0));
    check_module(&model, params, rows());
}

/// A projection that is there or not.
#[module]
struct Projected {
    projection: Option<Dense<5>>,
    dense: Dense<2>,
}

#[module]
impl Projected {
    fn call<B: Batch>(&self, x: Tensor![B, 5; f64]) -> Tensor![B, 2; f64] {
        let mut y = x.clone();
        if let Some(projection) = &self.projection {
            y = projection(tanh(x));
        }
        self.dense(y)
    }
}

#[test]
fn an_optional_submodule() {
    let without = Projected::new();
    let params = without.init(Key::new(0)).params;
    assert_eq!(paths(&params), ["dense/kernel", "dense/bias"]);
    check_module(&without, params, rows());

    let with = Projected::new().projection(Some(Dense::new()));
    let params = with.init(Key::new(0)).params;
    assert_eq!(paths(&params), ["projection/kernel", "projection/bias", "dense/kernel", "dense/bias"]);
    check_module(&with, weights(&params), rows());
}
