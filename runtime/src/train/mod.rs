//! Training: the state that a step changes, and what is measured of it.

pub mod metrics;
mod serialization;
mod state;

pub use state::TrainState;
