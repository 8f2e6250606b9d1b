//! Training with batch statistics and dropout, as Flax's guides do it, against Flax's own losses.

use flaxen::optim::{Sgd, Trace};
use flaxen::prelude::*;
use flaxen::tree::{Path, Visit};
use flaxen_tests::{Fixture, Tolerance};
use serde_json::Value;

use super::phases::{Mlp, MlpParams, MlpState};

/// Flax's `class TrainState(train_state.TrainState)` with two more fields.
struct State {
    train: TrainState<MlpParams, Sgd<Trace>>,
    batch_stats: MlpState,
    key: Key,
}

struct Batch {
    features: Tensor![16, 5],
    labels: Tensor![16; i32],
}

fn create_train_state(params_key: Key, dropout_key: Key) -> State {
    let Variables { params, state } = Mlp::new().init(params_key);
    State { train: TrainState::create(params, sgd(0.1).momentum(0.9)), batch_stats: state, key: dropout_key }
}

fn train_step(state: &mut State, batch: &Batch) -> f32 {
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
    assert_eq!(logits.sizes(), [16, 3]);
    state.train.update(gradients);
    state.batch_stats = batch_stats;
    loss.item()
}

fn eval_step(state: &State, batch: &Batch) -> Tensor![16, 3] {
    Mlp::new().apply((&state.train.params, &state.batch_stats), batch.features.clone(), Eval)
}

fn numbers(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).expect("a list of numbers")
}

/// Compares every leaf of a state with the numbers of its path.
struct Check<'a>(&'a Value, Tolerance);

impl Visit for Check<'_> {
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
        let found: Vec<f32> = leaf.as_slice().iter().map(|x| x.to_f64() as f32).collect();
        let path = path.to_string();
        self.1.check(&path, &found, &numbers(&self.0[&path]));
    }
}

#[test]
fn five_steps_are_those_of_flax() {
    let fixture = Fixture::open("batch_norm_dropout");
    let expected = fixture.json();
    let tolerance = Tolerance::close(2e-5, 1e-6);
    let [data_key, params_key, dropout_key] = Key::new(0).split_array();
    let batch = Batch {
        features: data_key.normal(Default::default()),
        labels: Tensor::from_fn(Default::default(), |index| (index % 3) as i32),
    };
    let mut state = create_train_state(params_key, dropout_key);
    let losses: Vec<f32> = (0..5).map(|_| train_step(&mut state, &batch)).collect();
    tolerance.check("losses", &losses, &numbers(&expected["losses"]));
    state.batch_stats.visit(&Path::ROOT, &mut Check(&expected["batch_stats"], tolerance));
    let logits = eval_step(&state, &batch);
    tolerance.check("eval_logits", logits.as_slice(), &numbers(&expected["eval_logits"]));
}
