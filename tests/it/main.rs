//! flaxen against Flax's numbers, end to end.

mod collections;
mod finite_differences;
mod grad;
mod laws;
mod module;
mod optimizer_states;
mod parity;
mod tensor_serde;
mod threads;
mod transforms;
mod tree;
mod vmap;
