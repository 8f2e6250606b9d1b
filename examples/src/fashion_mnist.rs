//! The convolutional network of the Fashion-MNIST tutorial and its training, function by function as there.

use flaxen::data::batches::batches;
use flaxen::data::mnist::{LabelledBatch, LabelledImages};
use flaxen::prelude::*;
use flaxen::{Error, Result};

use crate::metrics_log::Metrics;

/// Test images that are looked at together: all 10,000 at once would need gigabytes for what the first layer gives.
const EVALUATED_TOGETHER: usize = 500;

/// The parameters and the optimiser's state.
#[derive(Debug)]
pub struct TrainState {}

/// Draws the initial parameters.
pub fn create_train_state(key: Key, learning_rate: f32, momentum: f32) -> Result<TrainState> {
    let _ = (key, learning_rate, momentum);
    Err(Error::Mismatch {
        what: "training".into(),
        expected: "a model".into(),
        found: "none".into(),
    })
}

/// One step of the optimiser; the metrics are those before it.
pub fn train_step(state: &mut TrainState, batch: LabelledBatch<Dyn>) -> Result<Metrics> {
    let _ = (state, batch);
    Err(Error::Mismatch {
        what: "training".into(),
        expected: "a model".into(),
        found: "none".into(),
    })
}

/// The metrics of a batch, to which the class that is predicted for each image is appended.
pub fn eval_step(
    state: &TrainState,
    batch: LabelledBatch<Dyn>,
    predictions: &mut Vec<usize>,
) -> Result<Metrics> {
    let _ = (state, batch, predictions);
    Err(Error::Mismatch {
        what: "training".into(),
        expected: "a model".into(),
        found: "none".into(),
    })
}

/// Goes through the training images once, in an order drawn from the key, and gives the means of the steps' metrics.
/// Stops after `steps`; tells `on_step` of each.
pub fn train_epoch(
    state: &mut TrainState,
    train: &LabelledImages,
    batch_size: usize,
    steps: usize,
    key: Key,
    mut on_step: impl FnMut(Metrics) -> Result<()>,
) -> Result<Metrics> {
    let order = key.permutation(train.len());
    let mut mean = Mean::default();
    for indices in batches(&order, batch_size)?.take(steps) {
        let metrics = train_step(state, train.gather(indices)?)?;
        mean.add(metrics, 1);
        on_step(metrics)?;
    }
    Ok(mean.get())
}

/// The metrics on all images, and the class that is predicted for each.
pub fn eval_model(state: &TrainState, test: &LabelledImages) -> Result<(Metrics, Vec<usize>)> {
    let indices: Vec<usize> = (0..test.len()).collect();
    let mut predictions = Vec::with_capacity(test.len());
    let mut mean = Mean::default();
    for indices in indices.chunks(EVALUATED_TOGETHER) {
        mean.add(
            eval_step(state, test.gather(indices)?, &mut predictions)?,
            indices.len(),
        );
    }
    Ok((mean.get(), predictions))
}

/// A weighted mean of metrics.
#[derive(Debug, Default)]
struct Mean {
    loss: f64,
    accuracy: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, metrics: Metrics, weight: usize) {
        let weight = weight as f64;
        self.loss += f64::from(metrics.loss) * weight;
        self.accuracy += f64::from(metrics.accuracy) * weight;
        self.weight += weight;
    }

    fn get(&self) -> Metrics {
        Metrics {
            loss: (self.loss / self.weight) as f32,
            accuracy: (self.accuracy / self.weight) as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_weighted() {
        let mut mean = Mean::default();
        mean.add(
            Metrics {
                loss: 1.0,
                accuracy: 0.5,
            },
            3,
        );
        mean.add(
            Metrics {
                loss: 3.0,
                accuracy: 1.0,
            },
            1,
        );
        assert_eq!(
            mean.get(),
            Metrics {
                loss: 1.5,
                accuracy: 0.625
            }
        );
    }
}
