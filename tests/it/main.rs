//! flaxen against Flax's numbers, end to end.

mod laws;
mod parity;
mod tensor_serde;
