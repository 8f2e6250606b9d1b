//! What `#[module]` promises.

mod assignment;
mod blocks;
mod branches;
mod effects;
mod frozen;
mod fused;
mod hyper_parameters;
mod inputs_and_outputs;
mod language;
mod loops;
mod names;
mod nesting;
mod remat;
mod sequences;
mod setup;
mod sharing;
mod stack;
mod type_parameters;
