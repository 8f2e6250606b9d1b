//! `Train` and `Eval`, passed on through modules.

use flaxen::prelude::*;

/// What the blocks of most models are made of.
#[module]
pub struct Block<F: Static>;

#[module]
impl<F: Static> Block<F> {
    fn call<B: Batch, I: Static, P: Phase>(&self, x: Tensor![B, I], phase: P) -> Tensor![B, F] {
        let x = compact!(Dense<F>)(x);
        let x = compact!(BatchNorm, momentum = 0.9)(x, phase);
        let x = relu(x);
        compact!(Dropout, rate = 0.25)(x, phase)
    }
}

/// The model of the fixture `batch_norm_dropout`.
#[module]
pub struct Mlp;

#[module]
impl Mlp {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 5], phase: P) -> Tensor![B, 3] {
        let x = compact!(Block<8>)(x, phase);
        let x = compact!(Block<6>)(x, phase);
        compact!(Dense<3>)(x)
    }
}

/// A block that always evaluates, in a model that trains.
#[module]
struct Frozen;

#[module]
impl Frozen {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 5], phase: P) -> Tensor![B, 5] {
        let x = compact!(BatchNorm, name = "frozen")(x, Eval);
        compact!(BatchNorm, name = "moving")(x, phase)
    }
}

fn inputs() -> Tensor![16, 5] {
    Key::new(1).normal(Default::default())
}

#[test]
fn variables_print_by_collection_and_module() {
    let variables = Mlp::new().init(Key::new(0));
    let expected = "{
    params: {
        Block_0: {
            Dense_0: {
                kernel: (5, 8),
                bias: (8,),
            },
            BatchNorm_0: {
                scale: (8,),
                bias: (8,),
            },
        },
        Block_1: {
            Dense_0: {
                kernel: (8, 6),
                bias: (6,),
            },
            BatchNorm_0: {
                scale: (6,),
                bias: (6,),
            },
        },
        Dense_0: {
            kernel: (6, 3),
            bias: (3,),
        },
    },
    batch_stats: {
        Block_0: {
            BatchNorm_0: {
                mean: (8,),
                var: (8,),
            },
        },
        Block_1: {
            BatchNorm_0: {
                mean: (6,),
                var: (6,),
            },
        },
    },
}";
    assert_eq!(format!("{variables:#?}"), expected);
}

#[test]
fn evaluation_is_pure_and_training_moves_the_statistics() {
    let model = Mlp::new();
    let variables = model.init(Key::new(0));
    let y = model.apply(&variables, inputs(), Eval);
    assert_eq!(model.apply((&variables.params, &variables.state), inputs(), Eval), y);
    let (trained, state) = model.apply_mut(&variables, inputs(), Train, rngs! { dropout: Key::new(2) });
    assert_ne!(trained, y);
    assert_ne!(state, variables.state);
    let (evaluated, same) = model.apply_mut(&variables, inputs(), Eval, rngs! {});
    assert_eq!((evaluated, same), (y, variables.state));
}

#[test]
fn a_phase_is_written_out_too() {
    let model = Frozen::new();
    let variables = model.init(Key::new(0));
    let (_, state) = model.apply_mut(&variables, inputs(), Train, rngs! {});
    assert_eq!(state.frozen, variables.state.frozen);
    assert_ne!(state.moving, variables.state.moving);
}
