//! Flax's msgpack: a [`StateDict`](super::StateDict) as bytes.
//!
//! | value | msgpack |
//! |---|---|
//! | dict | map with text as keys, in order |
//! | list, int, float, bool, text, bytes, `None` | msgpack's own, always in the shortest form; floats in 64 bits |
//! | array | extension 1: `[shape, dtype's name, bytes]` in msgpack |
//! | complex | extension 2: `[re, im]` in msgpack |
//! | NumPy scalar | extension 3, as an array |
//!
//! An array of more than [`MAX_CHUNK_SIZE`] bytes that is a value of a dict, or alone, is written in [`chunks`](chunk).

mod chunk;
mod read;
mod write;

pub(super) use read::{read, read_first};
pub(super) use write::write;

/// The most bytes that an array in one piece has: `flax.serialization.MAX_CHUNK_SIZE`.
pub const MAX_CHUNK_SIZE: usize = 1 << 30;

/// The most containers inside of each other that are read and written. Models nest a dozen; what nests deeper is not one.
pub(super) const MAX_DEPTH: usize = 128;

/// The numbers of Flax's extension types.
mod extension {
    pub const NDARRAY: i8 = 1;
    pub const NATIVE_COMPLEX: i8 = 2;
    pub const NPSCALAR: i8 = 3;
}
