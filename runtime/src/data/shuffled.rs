//! Batches without end: every epoch another permutation, and a position to come back to.

use super::batches::per_epoch;
use crate::error::Result;
use crate::rng::Key;
use serde::{Deserialize, Serialize};

/// The indices of batch after batch. Epoch `n` is in the order that the key, folded with `n`, permutes the examples to; what
/// is left over after the last whole batch is skipped.
///
/// Where it stands is its [`position`](Self::position), which can be saved: from there the same batches follow.
///
/// ```
/// use flaxen::Key;
/// use flaxen::data::ShuffledBatches;
///
/// let mut batches = ShuffledBatches::new(Key::new(0), 10, 3)?;
/// (0..4).for_each(|_| drop(batches.next_batch().to_vec()));
/// let saved = batches.position();
/// let next = batches.next_batch().to_vec();
///
/// let mut resumed = ShuffledBatches::new(Key::new(0), 10, 3)?;
/// resumed.seek(saved);
/// assert_eq!(resumed.next_batch(), next);
/// # Ok::<(), flaxen::Error>(())
/// ```
#[derive(Debug)]
pub struct ShuffledBatches {
    key: Key,
    examples: usize,
    batch_size: usize,
    position: BatchPosition,
    /// The order of the epoch that `shuffled` names.
    permutation: Vec<usize>,
    shuffled: Option<u32>,
}

/// How many batches have been taken, of how many epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchPosition {
    /// The epoch of the next batch.
    pub epoch: u32,
    /// How many batches of that epoch have been taken.
    pub batch: usize,
}

impl ShuffledBatches {
    /// The batches of so many examples, from the first epoch on.
    ///
    /// # Errors
    /// As [`per_epoch`].
    pub fn new(key: Key, examples: usize, batch_size: usize) -> Result<Self> {
        per_epoch(examples, batch_size)?;
        let position = BatchPosition::default();
        Ok(ShuffledBatches { key, examples, batch_size, position, permutation: Vec::new(), shuffled: None })
    }

    /// Where the next batch is.
    pub fn position(&self) -> BatchPosition {
        self.position
    }

    /// Goes to a position. One after the last batch of an epoch is the beginning of the next.
    pub fn seek(&mut self, position: BatchPosition) {
        self.position = position;
    }

    /// The indices of the next batch.
    pub fn next_batch(&mut self) -> &[usize] {
        if self.position.batch >= self.examples / self.batch_size {
            self.position = BatchPosition { epoch: self.position.epoch.wrapping_add(1), batch: 0 };
        }
        let BatchPosition { epoch, batch } = self.position;
        if self.shuffled != Some(epoch) {
            self.permutation = self.key.fold_in(epoch).permutation(self.examples);
            self.shuffled = Some(epoch);
        }
        self.position.batch += 1;
        &self.permutation[batch * self.batch_size..][..self.batch_size]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_every_example_once_and_another_order_than_the_one_before() {
        let mut batches = ShuffledBatches::new(Key::new(1), 12, 4).unwrap();
        let mut epoch = || -> Vec<usize> { (0..3).flat_map(|_| batches.next_batch().to_vec()).collect() };
        let (first, second) = (epoch(), epoch());
        assert_ne!(first, second);
        for mut order in [first, second] {
            order.sort_unstable();
            assert_eq!(order, (0..12).collect::<Vec<_>>());
        }
    }

    #[test]
    fn any_position_is_the_same_from_a_fresh_start() {
        let mut all = ShuffledBatches::new(Key::new(2), 11, 2).unwrap();
        for step in 0..17 {
            let position = all.position();
            let mut resumed = ShuffledBatches::new(Key::new(2), 11, 2).unwrap();
            resumed.seek(position);
            assert_eq!(resumed.next_batch(), all.next_batch(), "step {step}");
        }
        assert_eq!(all.position(), BatchPosition { epoch: 3, batch: 2 });
        assert!(ShuffledBatches::new(Key::new(2), 3, 4).is_err());
    }
}
