//! Training techniques: the third tutorial.
//!
//! A network with batch normalisation and dropout is trained with a learning rate that warms up and decays; the training is
//! saved, killed in thought, and resumed from the file, to the same bits. Transfer learning has a program of its own,
//! `transfer_learning`.
//!
//! The numbers of the asserts are those of Flax and Optax.

use flaxen::checkpoint::{CheckpointManager, CheckpointManagerOptions};
use flaxen::optim::{CosineDecay, Join, Polynomial};
use flaxen::optim::{Sgd, Trace};
use flaxen::prelude::*;
use flaxen::register_serialization_state;

fn main() -> flaxen::Result<()> {
    learning_rates();
    let batch = Examples::draw();
    fixed_rate(&batch);
    scheduled_rate_with_checkpoints(&batch)
}

/// What the blocks are made of.
#[module]
struct Block<F: Static>;

#[module]
impl<F: Static> Block<F> {
    fn call<B: Batch, I: Static, P: Phase>(&self, x: Tensor![B, I], train: P) -> Tensor![B, F] {
        let x = compact!(Dense<F>)(x);
        let x = compact!(BatchNorm, momentum = 0.9)(x, train);
        let x = relu(x);
        compact!(Dropout, rate = 0.25)(x, train)
    }
}

/// A network that behaves differently while it trains.
#[module]
struct Mlp;

#[module]
impl Mlp {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 5], train: P) -> Tensor![B, 3] {
        let x = compact!(Block<8>)(x, train);
        let x = compact!(Block<6>)(x, train);
        compact!(Dense<3>)(x)
    }
}

/// Sixteen examples.
struct Examples {
    features: Tensor![16, 5],
    labels: Tensor![16; i32],
}

impl Examples {
    fn draw() -> Self {
        let [data_key, _, _] = Key::new(0).split_array();
        Examples {
            features: data_key.normal(Default::default()),
            labels: Tensor::from_fn(Default::default(), |index| (index % 3) as i32),
        }
    }
}

/// Flax's `class TrainState(train_state.TrainState)` with two more fields.
#[derive(Debug, PartialEq)]
struct State<Rate: flaxen::optim::Schedule> {
    train: TrainState<MlpParams, Sgd<Trace, Rate>>,
    batch_stats: MlpState,
    key: Key,
}

/// What a step reports.
struct Metrics {
    loss: f32,
    accuracy: f32,
}

fn create_train_state<Rate: flaxen::optim::Schedule>(learning_rate: Rate) -> State<Rate> {
    let [_, params_key, dropout_key] = Key::new(0).split_array();
    let Variables { params, state } = Mlp::new().init(params_key);
    State {
        train: TrainState::create(params, sgd(learning_rate).momentum(0.9)),
        batch_stats: state,
        key: dropout_key,
    }
}

/// One step: the key of its masks is made of the training's key and the number of the step.
fn train_step<Rate: flaxen::optim::Schedule>(state: &mut State<Rate>, batch: &Examples) -> Metrics {
    let key = state.key.fold_in(state.train.step as u32);
    let ((loss, (logits, batch_stats)), gradients) = value_and_grad!(
        |params| {
            let (logits, batch_stats) = Mlp::new().apply_mut(
                (params, &state.batch_stats),
                &batch.features,
                Train,
                rngs! { dropout: key },
            );
            let loss = softmax_cross_entropy_with_integer_labels(logits, &batch.labels).mean();
            (loss, (logits, batch_stats))
        },
        &state.train.params
    );
    state.train.update(gradients);
    state.batch_stats = batch_stats;
    Metrics { loss: loss.item(), accuracy: accuracy(&logits, &batch.labels) }
}

/// The logits without dropout, normalised by the running statistics.
fn eval_step<Rate: flaxen::optim::Schedule>(state: &State<Rate>, batch: &Examples) -> Tensor![16, 3] {
    Mlp::new().apply((&state.train.params, &state.batch_stats), batch.features.clone(), Eval)
}

/// Five steps at one rate.
fn fixed_rate(batch: &Examples) {
    println!("{:#?}", Mlp::new().init(Key::new(0)));
    let mut state = create_train_state(0.1);
    for expected in [1.2005786, 1.2038395, 1.3876423, 1.3102776, 1.1373582] {
        let Metrics { loss, accuracy } = train_step(&mut state, batch);
        println!("loss {loss}, accuracy {accuracy}");
        assert_near(loss, expected, 5e-5);
    }
    let logits = eval_step(&state, batch);
    println!("logits {logits}");
    for (found, expected) in logits.as_slice().iter().zip([-0.8316181, -0.86980444, -1.1645049]) {
        assert_near(*found, expected, 5e-5);
    }
}

const WARMUP_EPOCHS: i32 = 2;
const EPOCHS: i32 = 10;
const STEPS_PER_EPOCH: i32 = 25;

/// Linear to the base rate, then down along a cosine.
fn create_learning_rate_fn(base_learning_rate: f64) -> Join<(Polynomial, CosineDecay)> {
    let warmup = WARMUP_EPOCHS * STEPS_PER_EPOCH;
    let cosine = (EPOCHS - WARMUP_EPOCHS).max(1) * STEPS_PER_EPOCH;
    join_schedules(
        (linear_schedule(0.0, base_learning_rate, warmup), cosine_decay_schedule(base_learning_rate, cosine)),
        [warmup],
    )
}

/// The rates of a few steps.
fn learning_rates() {
    let rate = create_learning_rate_fn(0.1);
    let expected =
        [(0, 0.0), (1, 0.0019999966), (50, 0.1), (100, 0.08535534), (150, 0.049999997), (249, 6.1690807e-6)];
    for (step, expected) in expected {
        println!("step {step}: learning rate {}", rate.value(step));
        assert_near(rate.value(step) as f32, expected, 1e-7);
    }
}

type Scheduled = State<Join<(Polynomial, CosineDecay)>>;
register_serialization_state!(Scheduled { train, batch_stats, key });

/// Twenty steps, saved at every fifth; then the last ten again from the file of step 10.
fn scheduled_rate_with_checkpoints(batch: &Examples) -> flaxen::Result<()> {
    let folder = std::env::temp_dir().join(format!("flaxen_training_techniques_{}", std::process::id()));
    let options = CheckpointManagerOptions { max_to_keep: Some(3), ..Default::default() };
    let mut manager = CheckpointManager::new(&folder, options)?;

    let rate = create_learning_rate_fn(0.1);
    let mut state = create_train_state(create_learning_rate_fn(0.1));
    for step in 1..=20 {
        let Metrics { loss, .. } = train_step(&mut state, batch);
        if step % 5 == 0 {
            println!("step {step}: loss {loss}, learning rate {}", rate.value(step - 1));
            manager.save(step as usize, &state)?;
        }
    }
    manager.wait_until_finished()?;
    println!("checkpoints in {}: {:?}", folder.display(), manager.all_steps()?);
    assert_eq!(manager.all_steps()?, [10, 15, 20]);

    let mut resumed: Scheduled = manager.restore(10, &create_train_state(create_learning_rate_fn(0.1)))?;
    assert_eq!(resumed.train.step, 10);
    for _ in 0..10 {
        train_step(&mut resumed, batch);
    }
    assert!(resumed == state, "a training that is resumed ends in the same bits");
    std::fs::remove_dir_all(&folder).map_err(|error| flaxen::Error::Io { path: folder, source: error })
}

/// Asserts that two numbers agree to an absolute error.
fn assert_near(found: f32, expected: f32, tolerance: f32) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}
