//! When a checkpoint is saved, and which stay: Orbax's `CheckpointManagerOptions`.

/// Which value of a metric is the best.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BestMode {
    /// The largest, as of an accuracy.
    #[default]
    Max,
    /// The smallest, as of a loss.
    Min,
}

/// When a [`CheckpointManager`](super::CheckpointManager) saves, and which checkpoints it keeps.
///
/// ```
/// use flaxen::checkpoint::{BestMode, CheckpointManagerOptions};
///
/// let options = CheckpointManagerOptions {
///     save_interval_steps: 100,
///     max_to_keep: Some(3),
///     best_metric: Some("loss".into()),
///     best_mode: BestMode::Min,
///     ..Default::default()
/// };
/// assert_eq!(options.best_to_keep, 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointManagerOptions {
    /// A step is saved if it is a multiple of this: 1, all that are given. 0 is as 1.
    pub save_interval_steps: usize,
    /// How many of the newest checkpoints stay: `None`, all. Flax calls it `keep`.
    pub max_to_keep: Option<usize>,
    /// A checkpoint whose step is a multiple of this stays for good. Flax calls it `keep_every_n_steps`.
    pub keep_period: Option<usize>,
    /// The metric by which the best checkpoint is chosen.
    pub best_metric: Option<String>,
    /// Which value of it is the best.
    pub best_mode: BestMode,
    /// How many of the best checkpoints stay beside the newest: 1.
    pub best_to_keep: usize,
    /// Whether a step may be saved that is not after the newest checkpoint; what is newer is then deleted, as it is of another
    /// run.
    pub overwrite: bool,
    /// Whether files are written on a thread of their own, while the caller goes on: `true`.
    pub enable_async_checkpointing: bool,
}

impl Default for CheckpointManagerOptions {
    fn default() -> Self {
        CheckpointManagerOptions {
            save_interval_steps: 1,
            max_to_keep: None,
            keep_period: None,
            best_metric: None,
            best_mode: BestMode::Max,
            best_to_keep: 1,
            overwrite: false,
            enable_async_checkpointing: true,
        }
    }
}
