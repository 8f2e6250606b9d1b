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

/// A module of another state than `()` takes none here.
#[test]
fn the_state_has_elements_too() {
    fn state<In, M: Module<In>>(_: &M, _: &In, state: M::State) -> M::State {
        state
    }
    let model = Tuple::new();
    let found = state(&model, &rows(), model.init(Key::new(0)).state);
    assert_eq!(found.layers, ((), (), (), ()));
}
