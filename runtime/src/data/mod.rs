//! Data: reading files of examples, and cutting an epoch into batches.
//!
//! - [`idx`] reads the array format of MNIST and of the sets that copied it;
//! - [`mnist`] joins four such files to a labelled training and test set;
//! - [`batches`] cuts a permutation into batches of indices;
//! - [`ShuffledBatches`] does so epoch after epoch, from a position that can be saved.

pub mod batches;
pub mod idx;
pub mod mnist;
mod shuffled;

pub use shuffled::{BatchPosition, ShuffledBatches};
