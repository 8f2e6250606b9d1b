//! What is measured while a model is trained.

use crate::ops::argmax;
use crate::ops::one_hot::Label;
use crate::shape::SplitLast;
use crate::tensor::{Float, Tensor};
use serde::{Deserialize, Serialize};

/// The share of rows whose largest logit is at the label: `jnp.mean(jnp.argmax(logits, -1) == labels)`.
///
/// Of several equal logits the first counts, and a NaN counts as the largest, as in JAX. Of no rows it is NaN.
///
/// ```
/// use flaxen::prelude::*;
/// use flaxen::train::metrics::accuracy;
///
/// let logits = Tensor::<(U2, U3)>::of(&[0.1, 0.7, 0.2, 0.9, 0.0, 0.1])?;
/// let labels = Tensor::<(U2,), i32>::of(&[1, 2])?;
/// assert_eq!(accuracy(&logits, &labels), 0.5);
/// # Ok::<(), flaxen::Error>(())
/// ```
///
/// # Panics
/// If a [`Dyn`](crate::shape::Dyn) size of the labels is not that of the logits.
pub fn accuracy<S: SplitLast, E: Float, L: Label>(
    logits: &Tensor<S, E>,
    labels: &Tensor<S::Front, L>,
) -> f32 {
    let (sizes, labels) = (logits.sizes(), (labels.sizes(), labels.as_slice()));
    assert_eq!(
        &sizes.as_ref()[..S::RANK - 1],
        labels.0.as_ref(),
        "accuracy: one label for each row of logits"
    );
    let predicted = argmax(logits.clone());
    let pairs = predicted.as_slice().iter().zip(labels.1);
    let right = pairs.filter(|&(&predicted, label)| label.class() == usize::try_from(predicted).ok());
    right.count() as f32 / labels.1.len() as f32
}

/// The mean of a metric over batches.
///
/// It is computed in f64 and rounded once, so that it is within a unit in the last place of what `np.mean` gives for a list of f32.
///
/// ```
/// use flaxen::train::metrics::Mean;
///
/// let mut loss = Mean::default();
/// [1.0, 2.0, 6.0].iter().for_each(|&batch| loss.add(batch));
/// assert_eq!(loss.value(), 3.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    sum: f64,
    count: u64,
}

impl Mean {
    /// Adds the value of one batch.
    pub fn add(&mut self, value: f32) {
        self.add_weighted(value, 1);
    }

    /// Adds a value that is itself the mean of `count` values, such as of a batch that is smaller than the others.
    pub fn add_weighted(&mut self, value: f32, count: u64) {
        self.sum += f64::from(value) * count as f64;
        self.count += count;
    }

    /// The mean; NaN of nothing.
    pub fn value(&self) -> f32 {
        (self.sum / self.count as f64) as f32
    }

    /// Forgets what was added, for the next epoch.
    pub fn reset(&mut self) {
        *self = Mean::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn accuracy_of_sequences_and_of_nothing() {
        let logits = Tensor::<(U1, U2, U2)>::of(&[0.0, 1.0, 1.0, 0.0]).unwrap();
        assert_eq!(accuracy(&logits, &Tensor::<(U1, U2), u32>::of(&[1, 0]).unwrap()), 1.0);
        let none = Tensor::<(Dyn, U2)>::zeros((Dyn(0), U2::default()));
        assert!(accuracy(&none, &Tensor::<(Dyn,), i32>::zeros((Dyn(0),))).is_nan());
    }

    #[test]
    #[should_panic = "one label for each row"]
    fn too_few_labels() {
        let logits = Tensor::<(Dyn, U2)>::zeros((Dyn(3), U2::default()));
        accuracy(&logits, &Tensor::<(Dyn,), i32>::zeros((Dyn(2),)));
    }

    #[test]
    fn a_mean_of_unequal_batches() {
        let mut mean = Mean::default();
        mean.add_weighted(1.0, 3);
        mean.add_weighted(5.0, 1);
        assert_eq!(mean.value(), 2.0);
        mean.reset();
        assert!(mean.value().is_nan());
    }
}
