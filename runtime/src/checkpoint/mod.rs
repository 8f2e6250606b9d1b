//! Checkpoints: the state of a training in files, from which it goes on as if it had never stopped.
//!
//! ```
//! use flaxen::checkpoint::{CheckpointManager, CheckpointManagerOptions};
//! use flaxen::prelude::*;
//!
//! # let folder = std::env::temp_dir().join(format!("flaxen-doctest-{}", std::process::id()));
//! let new_state = || TrainState::create(Tensor::<(U2,)>::zeros(Default::default()), adam(0.1));
//! let options = CheckpointManagerOptions { max_to_keep: Some(2), ..Default::default() };
//! let mut manager = CheckpointManager::new(&folder, options)?;
//!
//! let mut state = new_state();
//! for _ in 0..5 {
//!     state.update(Tensor::full(Default::default(), 1.0));
//!     manager.save(state.step, &state)?;
//! }
//! manager.wait_until_finished()?;
//!
//! assert_eq!(manager.all_steps()?, [4, 5]);
//! let restored = manager.restore(5, &new_state())?;
//! assert_eq!(restored, state);
//! # std::fs::remove_dir_all(folder).ok();
//! # Ok::<(), flaxen::Error>(())
//! ```
//!
//! What is to go on exactly has to be saved: parameters, the optimiser's state, keys, the position in the data.
//! [`register_serialization_state!`](crate::register_serialization_state) makes one value of them.
//!
//! # The files
//!
//! The checkpoint of step 5 is the file `checkpoint_5`, the msgpack of
//!
//! ```text
//! {"metadata": {"step": 5, "metrics": {"loss": 0.25}}, "state": {…}, "checksum": …}
//! ```
//!
//! where `state` is Flax's state dict: in Python, `from_bytes({"state": train_state}, data)["state"]` reads it. A file gets
//! its name when it is complete and on the disk, so a process that is killed while it saves leaves the checkpoints before it
//! as they were; the checksum, a SHA-1 of all bytes before it, tells what is damaged afterwards.

mod file;
mod manager;
mod options;
mod retention;

pub use manager::CheckpointManager;
pub use options::{BestMode, CheckpointManagerOptions};
