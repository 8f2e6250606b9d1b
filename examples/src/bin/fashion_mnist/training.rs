//! The tutorial's loop over epochs.

use std::io::Write;

use flaxen::Result;
use flaxen::data::mnist::TrainTest;
use flaxen_examples::fashion_mnist::{create_train_state, eval_model, train_epoch};

use crate::options::Options;
use crate::report::Report;

/// Trains the model and gives the classes that it predicts for the test images.
pub fn train(
    options: &Options,
    images: &TrainTest,
    steps_per_epoch: usize,
    report: &mut Report<impl Write>,
) -> Result<Vec<usize>> {
    let (mut key, init_key) = options.key().split();
    let mut state = create_train_state(init_key, options.learning_rate, options.momentum);
    let mut predictions = Vec::new();
    for steps in options.steps_of_epochs(steps_per_epoch) {
        let (next_key, order_key) = key.split();
        key = next_key;
        report.begin_epoch(steps);
        let batch_size = options.batch_size;
        let train = train_epoch(&mut state, &images.train, batch_size, steps, order_key, |metrics| {
            report.step(batch_size, metrics)
        })?;
        let (test, predicted) = eval_model(&state, &images.test)?;
        report.end_epoch(train, test)?;
        predictions = predicted;
    }
    Ok(predictions)
}
