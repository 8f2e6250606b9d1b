//! What `#[module]` promises.

mod hyper_parameters;
mod inputs_and_outputs;
mod language;
mod names;
mod nesting;
mod setup;
mod sharing;
mod stack;
