//! Modules as type parameters: the user writes no bounds.

use flaxen::prelude::*;

use crate::finite_differences::{check_module, weights};

/// `head(relu(backbone(x)))` with any backbone that gives four features.
#[module]
struct Classifier<Backbone> {
    backbone: Backbone,
    head: Dense<3>,
}

#[module]
impl<Backbone> Classifier<Backbone> {
    fn call<B: Batch>(&self, x: Tensor![B, 5; f64]) -> Tensor![B, 3; f64] {
        let features: Tensor![B, 4; f64] = self.backbone(tanh(x));
        self.head(tanh(features))
    }

    /// The features alone.
    fn features<B: Batch>(&self, x: Tensor![B, 5; f64]) -> Tensor![B, 4; f64] {
        self.backbone(tanh(x))
    }
}

/// A module that wraps another, and is known by its result.
#[module]
struct Residual<Inner> {
    inner: Inner,
    #[default(0.5)]
    scale: f64,
}

#[module]
impl<Inner> Residual<Inner> {
    fn call<B: Batch, F: Static>(&self, x: Tensor![B, F; f64]) -> Tensor![B, F; f64] {
        let y: Tensor![B, F; f64] = self.inner(x);
        x + y * self.scale
    }
}

/// A module inside of a type parameter, inside of a module with it.
#[module]
struct Deep<Backbone> {
    classifier: Classifier<Backbone>,
}

#[module]
impl<Backbone> Deep<Backbone> {
    fn call<B: Batch>(&self, x: Tensor![B, 5; f64]) -> Tensor![B, 3; f64] {
        self.classifier(x)
    }
}

/// Four features.
#[module]
struct Backbone;

#[module]
impl Backbone {
    fn call<B: Batch>(&self, x: Tensor![B, 5; f64]) -> Tensor![B, 4; f64] {
        tanh(compact!(Residual<Dense<4>>, inner = Dense::new().bias_init(ones()))(compact!(Dense<4>)(x)))
    }
}

fn rows() -> Tensor![2, 5; f64] {
    weights(&Tensor::zeros(Default::default()))
}

#[test]
fn a_layer_for_a_type_parameter() {
    let model = Classifier::<Dense<U4>>::new().backbone(Dense::new().bias_init(ones()));
    let variables = model.init(Key::new(0));
    assert_eq!(
        format!("{:?}", variables.params),
        "{backbone: {kernel: (5, 4), bias: (4,)}, head: {kernel: (4, 3), bias: (3,)}}"
    );
    assert_eq!(variables.params.backbone.bias.as_slice(), [1.0; 4]);
    let features = model.features().apply(&variables, rows());
    assert_eq!(features, model.backbone.apply(&variables.params.backbone, tanh(rows())));
    check_module(&model, weights(&variables.params), rows());
}

#[test]
fn batches_of_any_size_have_the_same_variables() {
    let model = Classifier::<Dense<U4>>::new();
    let variables = model.init(Key::new(0));
    let known = model.apply(&variables, rows());
    let counted: Tensor![Dyn, 5; f64] = rows().with_batch().expect("any number of rows");
    let counted: Tensor![Dyn, 3; f64] = model.apply(&variables, counted);
    assert_eq!(counted.with_batch::<U2>().expect("two rows"), known);
}

#[test]
fn modules_in_modules_in_modules() {
    let model = Deep::<Backbone>::default();
    let variables = model.init(Key::new(0));
    let paths: Vec<String> = variables.params.leaves().into_iter().map(|leaf| leaf.path).collect();
    let expected = [
        "classifier/backbone/Dense_0/kernel",
        "classifier/backbone/Dense_0/bias",
        "classifier/backbone/Residual_0/inner/kernel",
        "classifier/backbone/Residual_0/inner/bias",
        "classifier/head/kernel",
        "classifier/head/bias",
    ];
    assert_eq!(paths, expected);
    check_module(&model, weights(&variables.params), rows());
    let (loss, gradient) = value_and_grad!(|params| model.apply(params, rows()).sum(), &variables.params);
    assert_eq!(loss, model.apply(&variables, rows()).sum());
    assert_eq!(gradient.classifier.head.bias.as_slice(), [2.0; 3]);
}
