//! `Remat`: the forward pass again in the backward pass, with the same numbers, draws and state.

use flaxen::module::{Module, Trainable};
use flaxen::op::Yes;
use flaxen::prelude::*;
use flaxen::rng::Scope;

use crate::finite_differences::{check_module, weights};

type Rows = Tensor![4, 3; f64];

fn rows() -> Rows {
    weights(&Tensor::full(Default::default(), 1.0))
}

/// `tanh(dense(x)) * scale`
#[module]
struct Block {
    #[default(0.5)]
    scale: f64,
}

#[module]
impl Block {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        tanh(compact!(Dense<3>)(x)) * self.scale
    }
}

/// Keywords go to the module inside; a loop has one for each pass.
#[module]
struct Deep;

#[module]
impl Deep {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        let mut x = compact!(Remat<Block>, scale = 2.0)(x);
        for i in 0..3 {
            x = compact!(flaxen::module::Remat<Block>, name = format!("blocks_{i}"))(x);
        }
        compact!(Remat<Dense<2>>, use_bias = false)(x)
    }
}

/// The same without.
#[module]
struct Plain;

#[module]
impl Plain {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        let mut x = compact!(Block, scale = 2.0, name = "CheckpointBlock_0")(x);
        for i in 0..3 {
            x = compact!(Block, name = format!("blocks_{i}"))(x);
        }
        compact!(Dense<2>, use_bias = false, name = "CheckpointDense_0")(x)
    }
}

#[test]
fn names_and_keys_are_those_of_flax() {
    let (params, plain) = (Deep::new().init(Key::new(2)).params, Plain::new().init(Key::new(2)).params);
    assert_eq!(format!("{params:?}"), format!("{plain:?}"));
    assert_eq!(params.checkpoint_block_0, plain.checkpoint_block_0);
    assert_eq!(params.blocks, plain.blocks);
    assert_eq!(params.checkpoint_dense_0, plain.checkpoint_dense_0);
}

#[test]
fn gradients_are_those_without() {
    let params = weights(&Deep::new().init(Key::new(0)).params);
    let mut plain = Plain::new().init(Key::new(0)).params;
    plain.checkpoint_block_0 = params.checkpoint_block_0.clone();
    plain.blocks = params.blocks.clone();
    plain.checkpoint_dense_0 = params.checkpoint_dense_0.clone();
    assert_eq!(Deep::new().apply(&params, rows()), Plain::new().apply(&plain, rows()));
    let (_, gradient) = value_and_grad!(|params| Deep::new().apply(params, rows()).sum(), &params);
    let (_, expected) = value_and_grad!(|params| Plain::new().apply(params, rows()).sum(), &plain);
    assert_eq!(gradient.blocks, expected.blocks);
    assert_eq!(gradient.checkpoint_block_0, expected.checkpoint_block_0);
    check_module(&Deep::new(), params, rows());
}

/// Draws, and counts its calls.
#[module]
struct Noisy;

#[module]
impl Noisy {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 3; f64], phase: P) -> Tensor![B, 3; f64] {
        let calls = variable!(BatchStats, "calls", zeros(), [; f64]);
        let x = compact!(Dropout)(x, phase);
        if P::TRAIN {
            calls.value = calls.value + 1.0;
        }
        let x = compact!(Dense<3>)(x) + calls.value;
        compact!(Dropout)(x, phase)
    }
}

#[module]
struct Rematerialised;

#[module]
impl Rematerialised {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 3; f64], phase: P) -> Tensor![B, 3; f64] {
        let block = compact!(Remat<Noisy>, name = "block");
        let x = block(x, phase);
        block(x, phase)
    }
}

#[module]
struct Kept;

#[module]
impl Kept {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 3; f64], phase: P) -> Tensor![B, 3; f64] {
        let block = compact!(Noisy, name = "block");
        let x = block(x, phase);
        block(x, phase)
    }
}

/// The output, the gradients and the state of a training call.
fn trained<M>(model: &M) -> (Rows, M::Params, Rows, M::State)
where
    M: Module<(Rows, Train), Out = Rows> + Trainable<(Rows, Train), (Yes, flaxen::op::No)>,
{
    let (params, mut state) = model.init(&Scope::root(Key::new(1)));
    let scope = Scope::with_streams([("dropout", Key::new(5))]);
    let (out, residuals) = model.forward(&params, &mut state, &scope, (rows(), Train));
    let (gradient, (dx, ())) = model.backward(&params, residuals, weights(&out));
    (out, gradient, dx, state)
}

#[test]
fn masks_and_state_are_the_same_in_the_second_forward_pass() {
    let (out, gradient, dx, state) = trained(&Rematerialised::new());
    let (expected_out, expected_gradient, expected_dx, expected_state) = trained(&Kept::new());
    assert_eq!(out, expected_out);
    assert!(out.as_slice().contains(&0.0), "something is dropped");
    assert_eq!(dx, expected_dx);
    assert_eq!(gradient.block.dense_0, expected_gradient.block.dense_0);
    assert_eq!(state.block.calls.item(), 2.0);
    assert_eq!(state.block.calls, expected_state.block.calls);
}
