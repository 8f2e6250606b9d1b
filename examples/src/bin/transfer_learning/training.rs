//! Training of the head.

use std::io::Write;

use flaxen::data::batches::batches;
use flaxen::data::mnist::{LabelledImages, TrainTest};
use flaxen::nn::DenseParams;
use flaxen::optim::Adam;
use flaxen::prelude::*;
use flaxen::train::metrics::Mean;
use flaxen::{Key, Result};

use crate::images::enlarged;
use crate::options::Options;
use crate::say;

/// Images that go through the backbone together.
const TOGETHER: usize = 32;

/// What the backbone gives for each image, and the image's class.
struct Features<W: Static> {
    rows: Tensor![Dyn, W],
    labels: Vec<i32>,
}

impl<W: Static> Features<W> {
    /// The backbone never changes, so that it is asked once for each image.
    fn of<I: Static>(
        images: &LabelledImages,
        count: usize,
        backbone: &impl Fn(Tensor![Dyn, I, I, 3]) -> Tensor![Dyn, W],
    ) -> Result<Self> {
        let indices: Vec<usize> = (0..count).collect();
        let mut elements = Vec::with_capacity(count * W::N);
        for indices in indices.chunks(TOGETHER) {
            elements.extend_from_slice(backbone(enlarged(images, indices)?).as_slice());
        }
        let rows = Tensor::from_slice((Dyn(count), W::default()), &elements)?;
        Ok(Features { rows, labels: images.labels()[..count].iter().map(|&label| label.into()).collect() })
    }

    /// Those of some images.
    fn gather(&self, indices: &[usize]) -> (Tensor![Dyn, W], Tensor![Dyn; i32]) {
        let places = Tensor::from_fn((Dyn(indices.len()),), |index| indices[index] as i32);
        let labels = Tensor::from_fn((Dyn(indices.len()),), |index| self.labels[indices[index]]);
        (take(self.rows.clone(), places), labels)
    }
}

/// The head of ten classes, with its optimiser.
type Head<W> = TrainState<DenseParams<W, U10>, Adam>;

/// Trains a head on what `backbone` gives for the digits, and tells how well it does.
pub fn train<I: Static, W: Static>(
    options: &Options,
    mut key: Key,
    digits: &TrainTest,
    out: &mut impl Write,
    backbone: impl Fn(Tensor![Dyn, I, I, 3]) -> Tensor![Dyn, W],
) -> Result<()> {
    let count = options.images.unwrap_or(usize::MAX).min(digits.train.len());
    say(
        out,
        &format!("{count} images to train and {} to test, enlarged to {}x{}", digits.test.len(), I::N, I::N),
    )?;
    let training = Features::of(&digits.train, count, &backbone)?;
    let test = Features::of(&digits.test, digits.test.len(), &backbone)?;

    let model = Dense::<U10>::new().kernel_init(zeros());
    // Zeros need no key.
    let params = Layer::init(&model, Key::new(0), &training.rows).params;
    let mut state: Head<W> = TrainState::create(params, adam(options.learning_rate));
    for epoch in 1..=options.epochs {
        let (next_key, order_key) = key.split();
        key = next_key;
        let (mut loss, mut correct) = (Mean::default(), Mean::default());
        for indices in batches(&order_key.permutation(count), options.batch_size)? {
            let (features, labels) = training.gather(indices);
            let ((step_loss, logits), gradients) = value_and_grad!(
                |params| {
                    let logits = model.apply(params, features);
                    let loss = softmax_cross_entropy_with_integer_labels(logits, labels.clone()).mean();
                    (loss, logits)
                },
                &state.params
            );
            state.update(gradients);
            loss.add(step_loss.item());
            correct.add(accuracy(&logits, &labels));
        }
        let (test_loss, test_accuracy) = evaluated(&model, &state, &test);
        let percent = |part: f32| 100.0 * part;
        say(
            out,
            &format!(
                "Epoch [{epoch}] - Train loss: {:.2}, accuracy: {:.2}% / Test loss: {test_loss:.2}, accuracy: {:.2}%",
                loss.value(),
                percent(correct.value()),
                percent(test_accuracy),
            ),
        )?;
    }
    Ok(())
}

/// Loss and accuracy on all images.
fn evaluated<W: Static>(model: &Dense<U10>, state: &Head<W>, features: &Features<W>) -> (f32, f32) {
    let logits: Tensor![Dyn, 10] = Layer::apply(model, &state.params, features.rows.clone());
    let labels = Tensor::from_fn((Dyn(features.labels.len()),), |index| features.labels[index]);
    let accuracy = accuracy(&logits, &labels);
    (softmax_cross_entropy_with_integer_labels(logits, labels).mean().item(), accuracy)
}
