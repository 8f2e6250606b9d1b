//! flaxen against Flax's numbers, end to end.

mod parity;
mod tensor_serde;
