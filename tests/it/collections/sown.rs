//! `sow!`, and the outputs of submodules.

use flaxen::prelude::*;

collection!(pub Attention);

/// Sows what it hands on.
#[module]
struct Layer<F: Static>;

#[module]
impl<F: Static> Layer<F> {
    fn call<B: Batch, I: Static>(&self, x: Tensor![B, I]) -> Tensor![B, F] {
        let x = compact!(Dense<F>)(x);
        sow!(Attention, "weights", softmax(x));
        let x = tanh(x);
        sow!(Intermediates, "features", x);
        x
    }
}

#[module]
struct Model;

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let layer = compact!(Layer<3>);
        compact!(Layer<2>)(layer(layer(x)));
        layer(x)
    }
}

fn input() -> Tensor![2, 3] {
    Key::new(5).normal(Default::default())
}

#[test]
fn what_is_sown_is_found_by_path_in_the_order_of_the_calls() {
    let model = Model::new();
    let variables = model.init(Key::new(0));
    let (y, captured) = model.apply_and_capture(&variables, input());
    assert_eq!(model.apply(&variables, input()), y, "capturing changes nothing");
    let features: Vec<&Tensor![2, 3]> =
        captured.get("intermediates/Layer_0/features").expect("they are sown");
    assert_eq!(features.len(), 1);
    assert_eq!(*features[0], y);
    let weights: Vec<&Tensor![2, 3]> = captured.get("attention/Layer_0/weights").expect("they are sown");
    assert!(weights[0].as_slice().chunks(3).all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-6));
}

/// All calls of the model live, one submodule called twice.
#[module]
struct Twice;

#[module]
impl Twice {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 2] {
        let layer = compact!(Layer<3>);
        compact!(Dense<2>)(layer(layer(x)))
    }
}

#[test]
fn a_submodule_that_is_called_twice_sows_twice() {
    let model = Twice::new();
    let variables = model.init(Key::new(0));
    let (y, captured) = model.apply_and_capture(&variables, input());
    assert_eq!(
        captured.paths(),
        [
            "intermediates/Layer_0/Dense_0/__call__",
            "attention/Layer_0/weights",
            "intermediates/Layer_0/features",
            "intermediates/Layer_0/__call__",
            "intermediates/Dense_0/__call__",
            "intermediates/__call__",
        ]
    );
    let outputs: Vec<&Tensor![2, 3]> = captured.get("intermediates/Layer_0/__call__").expect("two outputs");
    let features: Vec<&Tensor![2, 3]> = captured.get("intermediates/Layer_0/features").expect("two outputs");
    assert_eq!(outputs.len(), 2);
    assert_eq!(outputs, features);
    assert_ne!(outputs[0], outputs[1]);
    let last: Vec<&Tensor![2, 2]> = captured.get("intermediates/__call__").expect("the model's output");
    assert_eq!(*last[0], y);
}

#[test]
fn what_is_not_there_is_an_error_that_says_what_is() {
    let variables = Twice::new().init(Key::new(0));
    let (_, captured) = Twice::new().apply_and_capture(&variables, input());
    let missing =
        captured.get::<Tensor![2, 3]>("intermediates/features").expect_err("another path").to_string();
    assert!(missing.contains("intermediates/Layer_0/features"), "{missing}");
    let wrong = captured.get::<Tensor![2, 3]>("intermediates/Dense_0/__call__").expect_err("another shape");
    assert!(wrong.to_string().contains("intermediates/Dense_0/__call__"), "{wrong}");
}
