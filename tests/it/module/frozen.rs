//! Modules that are not trained.

use std::sync::atomic::{AtomicUsize, Ordering};

use flaxen::module::{Module, Trainable};
use flaxen::nn::Frozen;
use flaxen::op::Need;
use flaxen::prelude::*;
use flaxen::rng::Scope;

use crate::finite_differences::weights;

static BACKWARD: AtomicUsize = AtomicUsize::new(0);

/// `x * scale`, which counts how often a pass of training goes through it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Counting;

impl<S: Shape> Module<Tensor<S, f64>> for Counting {
    type Out = Tensor<S, f64>;
    type Params = (Tensor![; f64],);
    type State = ();
    type Updates = ();
    type Draws = ();

    fn init(&self, scope: &Scope) -> (Self::Params, ()) {
        ((constant(3.0).init(scope.param(), ()),), ())
    }

    fn infer(&self, params: &Self::Params, (): &mut (), _: &Scope, x: Tensor<S, f64>) -> Tensor<S, f64> {
        x * params.0.item()
    }
}

impl<S: Shape, N: Need> Trainable<Tensor<S, f64>, N> for Counting {
    type Residuals = ();

    fn forward(
        &self,
        params: &Self::Params,
        state: &mut (),
        scope: &Scope,
        x: Tensor<S, f64>,
    ) -> (Tensor<S, f64>, ()) {
        BACKWARD.fetch_add(1, Ordering::Relaxed);
        (self.infer(params, state, scope, x), ())
    }

    fn backward(
        &self,
        params: &Self::Params,
        (): (),
        cotangent: Tensor<S, f64>,
    ) -> (Self::Params, N::Of<Tensor<S, f64>>) {
        BACKWARD.fetch_add(1, Ordering::Relaxed);
        (params.clone(), N::when(|| cotangent))
    }
}

/// `head(backbone(tail(x)))`
#[module]
struct Model<Backbone> {
    tail: Dense<3>,
    backbone: Backbone,
    head: Dense<2>,
}

#[module]
impl<Backbone> Model<Backbone> {
    fn call<B: Batch>(&self, x: Tensor![B, 4; f64]) -> Tensor![B, 2; f64] {
        let features: Tensor![B, 3; f64] = self.backbone(tanh(self.tail(x)));
        self.head(tanh(features))
    }
}

fn rows() -> Tensor![2, 4; f64] {
    weights(&Tensor::zeros(Default::default()))
}

#[test]
fn nothing_goes_backward_through_a_frozen_module() {
    let (trained, frozen) = (Model::<Counting>::new(), Model::<Frozen<Counting>>::new());
    let params = trained.init(Key::new(0)).params;
    let (loss, gradient) = value_and_grad!(|params| trained.apply(params, rows()).sum(), &params);
    assert_eq!(BACKWARD.swap(0, Ordering::Relaxed), 2, "forward and backward");
    assert_ne!(gradient.tail, params.tail.zeros_like());

    let params = frozen.init(Key::new(0)).params;
    let (same, gradient) = value_and_grad!(|params| frozen.apply(params, rows()).sum(), &params);
    assert_eq!(BACKWARD.load(Ordering::Relaxed), 0);
    assert_eq!(same, loss);
    assert_eq!(gradient.backbone, params.backbone.zeros_like());
    assert_eq!(gradient.tail, params.tail.zeros_like(), "no cotangent comes out of it either");
    assert_ne!(gradient.head, params.head.zeros_like());
}

/// A module that has no backward pass can be frozen; what is behind it is trained.
#[test]
fn a_frozen_module_needs_no_backward_pass() {
    let model = Model::<Frozen<Untrainable>>::new();
    let params = weights(&model.init(Key::new(0)).params);
    let (_, gradient) = value_and_grad!(|params| model.apply(params, rows()).square().sum(), &params);
    // Of the head alone: its input is a constant.
    let features = tanh(relu(tanh(model.tail.apply(&params.tail, rows()))));
    let (_, expected) =
        value_and_grad!(|head| model.head.apply(head, features.clone()).square().sum(), &params.head);
    assert_eq!(gradient.head, expected);
}

/// `relu`, as a module without a backward pass.
#[derive(Clone, Debug, Default, PartialEq)]
struct Untrainable;

impl<S: Shape> Module<Tensor<S, f64>> for Untrainable {
    type Out = Tensor<S, f64>;
    type Params = ();
    type State = ();
    type Updates = ();
    type Draws = ();

    fn init(&self, _: &Scope) -> ((), ()) {
        ((), ())
    }

    fn infer(&self, (): &(), (): &mut (), _: &Scope, x: Tensor<S, f64>) -> Tensor<S, f64> {
        relu(x)
    }
}
