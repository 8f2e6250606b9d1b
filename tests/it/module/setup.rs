//! Flax's `setup` style: submodules are fields of the struct.

use flaxen::prelude::*;

use crate::finite_differences::{self, check_module, weights};

/// `tanh(dense(x)) * rate`
#[module]
struct Encoder<L: Static> {
    dense: Dense<L>,
    #[default(1.0)]
    rate: f64,
}

#[module]
impl<L: Static> Encoder<L> {
    fn call<B: Batch, I: Static>(&self, x: Tensor![B, I; f64]) -> Tensor![B, L; f64] {
        tanh(self.dense(x)) * self.rate
    }
}

/// Two fields, and methods that call one another.
#[module]
struct AutoEncoder {
    encoder: Encoder<2>,
    #[default(Dense::new().bias_init(ones()))]
    decoder: Dense<5>,
}

#[module]
impl AutoEncoder {
    fn call<B: Batch>(&self, x: Tensor![B, 5; f64]) -> Tensor![B, 5; f64] {
        self.decode(self.encode(x))
    }

    /// From five numbers to two.
    fn encode<B: Batch>(&self, x: Tensor![B, 5; f64]) -> Tensor![B, 2; f64] {
        self.encoder(x)
    }

    /// And back.
    fn decode<B: Batch>(&self, z: Tensor![B, 2; f64]) -> Tensor![B, 5; f64] {
        let decoder = &self.decoder;
        decoder(z)
    }

    /// A method that touches no tensor.
    fn width(&self) -> usize {
        2
    }
}

fn rows() -> Tensor![3, 5; f64] {
    weights(&Tensor::zeros(Default::default()))
}

#[test]
fn fields_have_their_names_and_defaults() {
    let model = AutoEncoder::new();
    assert_eq!(model, AutoEncoder::default());
    assert_eq!(model.width(), 2);
    let params = model.init(Key::new(0)).params;
    assert_eq!(
        format!("{params:?}"),
        "{encoder: {dense: {kernel: (5, 2), bias: (2,)}}, decoder: {kernel: (2, 5), bias: (5,)}}"
    );
    assert_eq!(params.decoder.bias.as_slice(), [1.0; 5]);
}

#[test]
fn setters_reach_submodules() {
    let plain = AutoEncoder::new();
    let scaled = AutoEncoder::new().encoder(Encoder::new().rate(0.5));
    let variables = plain.init(Key::new(0));
    let [full, half] = [&plain, &scaled].map(|model| model.encode().apply(&variables, rows()));
    assert_eq!(full * 0.5, half);
}

#[test]
fn methods_are_applied_with_the_variables_of_the_module() {
    let model = AutoEncoder::new();
    let variables = model.init(Key::new(0));
    let z = model.encode().apply(&variables, rows());
    assert_eq!(z, model.encoder.apply(&variables.params.encoder, rows()));
    let y = model.decode().apply(&variables, z.clone());
    assert_eq!(y, model.apply(&variables, rows()));
    let bound = model.bind(&variables);
    assert_eq!(bound.encode(rows()), z);
    assert_eq!(bound.decode(bound.encode(rows())), bound.call(rows()));
    let (unbound, _) = bound.unbind();
    assert_eq!(*unbound, model);
}

#[test]
fn gradients_of_fields_and_methods() {
    let model = AutoEncoder::new();
    let params = weights(&model.init(Key::new(0)).params);
    check_module(&model, params.clone(), rows());
    check_module(&model.encode(), params.clone(), rows());

    let (_, whole) = value_and_grad!(|params| model.apply(params, rows()).square().sum(), &params);
    let (_, parts) = value_and_grad!(
        |params| {
            let z = model.encode().apply(params, rows());
            model.decode().apply(params, z).square().sum()
        },
        &params
    );
    assert_eq!(whole, parts);
}

/// A field that both methods call, one that `call` does not, and one with a state.
#[module]
struct Shared {
    norm: BatchNorm,
    dense: Dense<3>,
    projection: Dense<2>,
}

#[module]
impl Shared {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 3; f64], phase: P) -> Tensor![B, 3; f64] {
        let x = self.norm(x, phase);
        self.dense(tanh(self.dense(x)))
    }

    /// The projection of what `call` returns.
    fn project<B: Batch, P: Phase>(&self, x: Tensor![B, 3; f64], phase: P) -> Tensor![B, 2; f64] {
        self.projection(self.call(self.dense(x), phase))
    }
}

#[test]
fn methods_share_variables_and_gradients_are_summed() {
    let model = Shared::new();
    let variables = model.init(Key::new(0));
    assert_eq!(
        format!("{:?}", variables.params),
        "{norm: {scale: (3,), bias: (3,)}, dense: {kernel: (3, 3), bias: (3,)}, projection: {kernel: (3, 2), bias: (2,)}}"
    );
    let x: Tensor![4, 3; f64] = weights(&Tensor::zeros(Default::default()));
    let expected = {
        let y = model.dense.apply(&variables.params.dense, x.clone());
        let y = model.apply(&variables, y, Eval);
        model.projection.apply(&variables.params.projection, y)
    };
    assert_eq!(model.project().apply(&variables, x.clone(), Eval), expected);
    assert_eq!(model.bind(&variables).project(x.clone(), Eval), expected);

    let params = weights(&variables.params);
    let state = &variables.state;
    finite_differences::check(
        (params,),
        |(params,)| model.project().apply((&params, state), x.clone(), Eval),
        |(params,), weights| {
            let (_, gradient) = value_and_grad!(
                |params| {
                    let y = model.project().apply((params, state), x.clone(), Eval);
                    (y * weights(&expected)).sum()
                },
                &params
            );
            (gradient,)
        },
    );
}

#[test]
fn methods_update_the_state_of_the_module() {
    let model = Shared::new();
    let variables = model.init(Key::new(0));
    let x: Tensor![4, 3; f64] = weights(&Tensor::zeros(Default::default()));
    let (_, state) = model.project().apply_mut(&variables, x.clone(), Train, rngs! {});
    let inner = model.dense.apply(&variables.params.dense, x);
    let (_, expected) = model.apply_mut(&variables, inner, Train, rngs! {});
    assert!(state == expected);
    assert!(state != variables.state);
}
