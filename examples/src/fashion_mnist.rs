//! The convolutional network of the Fashion-MNIST tutorial and its training, function by function as there.

use flaxen::Result;
use flaxen::data::batches::batches;
use flaxen::data::mnist::{LabelledBatch, LabelledImages};
use flaxen::optim::{Sgd, Trace};
use flaxen::prelude::*;
use flaxen::train::metrics::Mean;

use crate::metrics_log::Metrics;

/// Test images that are looked at together: all 10,000 at once would need gigabytes for what the first layer gives.
const EVALUATED_TOGETHER: usize = 500;

/// A simple convolutional network for grey images of 28x28.
#[module]
pub struct Cnn;

#[module]
impl Cnn {
    fn call<B: Batch>(&self, x: Tensor![B, 28, 28, 1]) -> Tensor![B, 10] {
        let x = compact!(Conv<32, (3, 3)>)(x);
        let x = relu(x);
        let x = avg_pool::<2, 2>(x);
        let x = compact!(Conv<64, (3, 3)>)(x);
        let x = relu(x);
        let x = avg_pool::<2, 2>(x);
        let x = flatten(x);
        let x = compact!(Dense<256>)(x);
        let x = relu(x);
        compact!(Dense<10>)(x)
    }
}

/// The mean over the batch of the cross entropy between the labels and what the logits say.
#[differentiable]
pub fn cross_entropy_loss<B: Batch>(logits: Tensor![B, 10], labels: Tensor![B; i32]) -> Tensor![] {
    let labels_onehot = one_hot::<10>(labels);
    softmax_cross_entropy(logits, labels_onehot).mean()
}

/// Loss and accuracy of a batch.
pub fn compute_metrics(logits: Tensor![Dyn, 10], labels: Tensor![Dyn; i32]) -> Metrics {
    let accuracy = accuracy(&logits, &labels);
    Metrics { loss: cross_entropy_loss(logits, labels).item(), accuracy }
}

/// The parameters and the optimiser with its state.
pub type State = TrainState<CnnParams, Sgd<Trace>>;

/// Draws the initial parameters.
pub fn create_train_state(key: Key, learning_rate: f64, momentum: f64) -> State {
    let params = Cnn::new().init(key).params;
    TrainState::create(params, sgd(learning_rate).momentum(momentum))
}

/// Trains for a single step; the metrics are those before it.
pub fn train_step(state: &mut State, batch: LabelledBatch<Dyn>) -> Metrics {
    let LabelledBatch { images, labels } = batch;
    let ((_, logits), grads) = value_and_grad!(
        |params| {
            let logits = Cnn::new().apply(params, images);
            let loss = cross_entropy_loss(logits, labels.clone());
            (loss, logits)
        },
        &state.params
    );
    state.update(grads);
    compute_metrics(logits, labels)
}

/// The logits of a batch.
pub fn eval_step(state: &State, images: Tensor![Dyn, 28, 28, 1]) -> Tensor![Dyn, 10] {
    Cnn::new().apply(&state.params, images)
}

/// Trains for a single epoch, in an order drawn from the key, and gives the means of the steps' metrics. Stops after
/// `steps`; tells `on_step` of each.
pub fn train_epoch(
    state: &mut State,
    train: &LabelledImages,
    batch_size: usize,
    steps: usize,
    key: Key,
    mut on_step: impl FnMut(Metrics) -> Result<()>,
) -> Result<Metrics> {
    let order = key.permutation(train.len());
    let (mut loss, mut accuracy) = (Mean::default(), Mean::default());
    for indices in batches(&order, batch_size)?.take(steps) {
        let metrics = train_step(state, train.gather(indices)?);
        loss.add(metrics.loss);
        accuracy.add(metrics.accuracy);
        on_step(metrics)?;
    }
    Ok(Metrics { loss: loss.value(), accuracy: accuracy.value() })
}

/// The metrics on all images, and the class that is predicted for each.
pub fn eval_model(state: &State, test: &LabelledImages) -> Result<(Metrics, Vec<usize>)> {
    let indices: Vec<usize> = (0..test.len()).collect();
    let mut predictions = Vec::with_capacity(test.len());
    let (mut loss, mut accuracy) = (Mean::default(), Mean::default());
    for indices in indices.chunks(EVALUATED_TOGETHER) {
        let batch: LabelledBatch<Dyn> = test.gather(indices)?;
        let logits = eval_step(state, batch.images);
        predictions.extend(argmax(logits.clone()).as_slice().iter().map(|&class| class as usize));
        let metrics = compute_metrics(logits, batch.labels);
        loss.add_weighted(metrics.loss, indices.len() as u64);
        accuracy.add_weighted(metrics.accuracy, indices.len() as u64);
    }
    Ok((Metrics { loss: loss.value(), accuracy: accuracy.value() }, predictions))
}
