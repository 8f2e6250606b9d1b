//! An epoch's batches: consecutive runs of a permutation of the examples.

use std::slice::ChunksExact;

use crate::error::{Error, Result};

/// How many whole batches `examples` make; those left over are skipped, as in Flax's examples.
///
/// # Errors
///
/// [`Error::Mismatch`] when `batch_size` is 0 or more than `examples`, so that there would be no batch.
///
/// ```
/// # use flaxen::data::batches::per_epoch;
/// assert_eq!(per_epoch(60_000, 32)?, 1875);
/// assert_eq!(per_epoch(100, 32)?, 3);
/// assert!(per_epoch(100, 101).is_err());
/// # Ok::<(), flaxen::Error>(())
/// ```
pub fn per_epoch(examples: usize, batch_size: usize) -> Result<usize> {
    if (1..=examples).contains(&batch_size) {
        Ok(examples / batch_size)
    } else {
        Err(Error::Mismatch {
            what: "batch size".into(),
            expected: format!("1 to the {examples} examples of the training set"),
            found: batch_size.to_string(),
        })
    }
}

/// The indices of each whole batch of a permutation, in order, without copying them.
///
/// # Errors
///
/// As [`per_epoch`].
///
/// ```
/// # use flaxen::data::batches::batches;
/// let permutation = [4, 0, 3, 1, 2];
/// let indices: Vec<_> = batches(&permutation, 2)?.collect();
/// assert_eq!(indices, [[4, 0], [3, 1]]);
/// # Ok::<(), flaxen::Error>(())
/// ```
pub fn batches(permutation: &[usize], batch_size: usize) -> Result<ChunksExact<'_, usize>> {
    per_epoch(permutation.len(), batch_size)?;
    Ok(permutation.chunks_exact(batch_size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_incomplete_batch_is_dropped() {
        let permutation: Vec<usize> = (0..100).rev().collect();
        let indices: Vec<_> = batches(&permutation, 32).unwrap().collect();
        assert_eq!(indices.len(), 3);
        assert_eq!(indices.concat(), permutation[..96]);
        assert_eq!(batches(&permutation, 100).unwrap().count(), 1);
    }

    #[test]
    fn there_is_at_least_one_batch() {
        for (examples, batch_size) in [(5, 0), (5, 6), (0, 0), (0, 1)] {
            let message = per_epoch(examples, batch_size).unwrap_err().to_string();
            assert!(message.contains(&format!("found {batch_size}")), "{message}");
        }
    }
}
