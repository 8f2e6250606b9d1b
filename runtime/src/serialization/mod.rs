//! Trees as bytes, and back: `flax.serialization`, byte for byte.
//!
//! [`to_bytes`] writes what Flax's function of that name writes, and [`from_bytes`] reads it into a value of the same type,
//! so that parameters trained there are used here and the other way round.
//!
//! ```
//! use flaxen::prelude::*;
//! use flaxen::serialization::{from_bytes, to_bytes};
//!
//! #[module]
//! struct Linear;
//!
//! #[module]
//! impl Linear {
//!     fn call<B: Batch>(&self, x: Tensor![B, 10]) -> Tensor![B, 5] {
//!         compact!(Dense<5>)(x)
//!     }
//! }
//!
//! let variables = Linear::new().init(Key::new(0));
//! let bytes = to_bytes(&variables)?;
//! assert_eq!(&bytes[..8], b"\x81\xa6params");
//! assert!(from_bytes(&variables, &bytes)? == variables);
//!
//! // What is of another model is refused, by its path.
//! let other: Tensor![5] = Tensor::zeros(Default::default());
//! let error = from_bytes(&other, &bytes).unwrap_err();
//! assert_eq!(error.to_string(), "the whole tree: expected float32[5], found a dict of `params`");
//! # Ok::<(), flaxen::Error>(())
//! ```
//!
//! In between is the [`StateDict`], a tree without types, which [`msgpack_restore`] reads from any file of Flax's.
//!
//! What can be saved is [`Serializable`]: everything that serde can serialise and deserialise, so parameters, variables and
//! the states of optimisers, and [`TrainState`](crate::train::TrainState). [`to_state_dict`](mod@to_state_dict) has the
//! table of what becomes what.
//!
//! # The order of keys
//!
//! Keys are written in the order of a struct's fields, which for parameters is that of their creation: so does Flax with what
//! `init` returns. JAX's tree functions sort the keys of dicts, so that after a step of training Flax writes them in
//! alphabetical order. A `TrainState` knows how many steps it has taken and does the same; for anything else
//! `to_bytes(&to_state_dict(&tree)?.sorted())` does. For reading, order has no meaning.
//!
//! # Other formats
//!
//! [`to_safetensors`] and [`from_safetensors`] exchange trees with everybody else's libraries, [`from_npz`] reads what
//! `numpy.savez` wrote. Both name a tensor by its path, the keys joined with a separator of choice.

mod array;
mod flat;
pub mod from_state_dict;
mod msgpack;
mod npy;
mod npz;
mod refusal;
mod safetensors;
mod serializable;
mod state_dict;
pub mod to_state_dict;
mod traverse;

pub use crate::tensor::DType;
pub use array::Array;
pub use msgpack::MAX_CHUNK_SIZE;
pub use npz::{from_npz, npz_restore};
pub use safetensors::{from_safetensors, safetensors_restore, safetensors_serialize, to_safetensors};
pub use serializable::Serializable;
pub use state_dict::{Dict, StateDict};
pub use traverse::{flatten_dict, path_aware_map, unflatten_dict};

use crate::error::{Error, Result};
use serde::de::DeserializeOwned;

/// What a value consists of, by name: `flax.serialization.to_state_dict`.
///
/// # Errors
/// [`Error::Mismatch`] with the path of what a state dict cannot hold.
pub fn to_state_dict(target: &impl Serializable) -> Result<StateDict> {
    target.to_state_dict()
}

/// A value like `target` with what a state dict holds: `flax.serialization.from_state_dict`. `target` stays as it is.
/// The state of an optimiser must be of parameters that have the names and sizes of the target's.
///
/// # Errors
/// [`Error::Mismatch`] with the path of the first value that is not what the type says: a missing or unknown key, other
/// sizes, elements of another type.
pub fn from_state_dict<T: Serializable>(target: &T, state: &StateDict) -> Result<T> {
    target.from_state_dict(state)
}

/// As [`from_state_dict`](fn@from_state_dict), for a type that needs no other value of its own as a template: one whose names
/// follow from the type. Those of submodules in loops and arms follow from hyper-parameters too, and what an optimiser keeps in
/// bfloat16 or in another shape than the parameters' has their sizes, which are checked with a template only.
///
/// # Errors
/// As [`from_state_dict`](fn@from_state_dict).
pub fn from_state_dict_as<T: DeserializeOwned>(state: &StateDict) -> Result<T> {
    Ok(from_state_dict::from_state_dict(None, state)?)
}

/// A value as msgpack: `flax.serialization.to_bytes`.
///
/// # Errors
/// As [`to_state_dict`](fn@to_state_dict), and [`Error::Mismatch`] for what msgpack cannot hold: integers of more than 64 bits, text of more
/// than 4 GiB, more than 128 containers inside of each other.
pub fn to_bytes(target: &impl Serializable) -> Result<Vec<u8>> {
    to_bytes_chunked(target, MAX_CHUNK_SIZE)
}

/// As [`to_bytes`], with arrays of more than `max_chunk_size` bytes in pieces, instead of those above [`MAX_CHUNK_SIZE`].
///
/// # Errors
/// As [`to_bytes`].
pub fn to_bytes_chunked(target: &impl Serializable, max_chunk_size: usize) -> Result<Vec<u8>> {
    Ok(msgpack::write(&target.to_state_dict()?, max_chunk_size)?)
}

/// A value like `target` with what msgpack holds: `flax.serialization.from_bytes`. `target` stays as it is.
///
/// Bytes from anybody may be given: reading does not panic, and asks for no more memory than a small multiple of what is given.
///
/// # Errors
/// [`Error::Malformed`] if the bytes are not Flax's msgpack, and as [`from_state_dict`](fn@from_state_dict).
pub fn from_bytes<T: Serializable>(target: &T, bytes: &[u8]) -> Result<T> {
    target.from_state_dict(&msgpack_restore(bytes)?)
}

/// As [`from_bytes`], for a type that needs no other value of its own as a template.
///
/// ```
/// use flaxen::nn::DenseParams;
/// use flaxen::prelude::*;
/// use flaxen::serialization::{from_bytes_as, to_bytes};
///
/// let params = DenseParams::<U2, U1> { kernel: Tensor::of(&[1.0, 2.0])?, bias: Tensor::of(&[3.0])? };
/// let read: DenseParams<U2, U1> = from_bytes_as(&to_bytes(&params)?)?;
/// assert_eq!(read, params);
/// let error = from_bytes_as::<DenseParams<U3, U1>>(&to_bytes(&params)?).unwrap_err();
/// assert_eq!(error.to_string(), "kernel: expected float32[3, 1], found float32[2, 1]");
/// # Ok::<(), flaxen::Error>(())
/// ```
///
/// # Errors
/// As [`from_bytes`].
pub fn from_bytes_as<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    from_state_dict_as(&msgpack_restore(bytes)?)
}

/// A state dict as msgpack, the keys of its dicts in alphabetical order: `flax.serialization.msgpack_serialize`.
///
/// [`to_bytes`] writes them in their own order, as Flax's does.
///
/// # Errors
/// As [`to_bytes`].
pub fn msgpack_serialize(state: &StateDict) -> Result<Vec<u8>> {
    to_bytes(&state.clone().sorted())
}

/// The state dict that msgpack holds: `flax.serialization.msgpack_restore`. Arrays in pieces are joined.
///
/// ```
/// use flaxen::serialization::msgpack_restore;
///
/// let state = msgpack_restore(b"\x82\xa4step\x07\xa6params\x80")?;
/// assert_eq!(format!("{state:?}"), r#"{"step": 7, "params": {}}"#);
/// # Ok::<(), flaxen::Error>(())
/// ```
///
/// # Errors
/// [`Error::Malformed`] if the bytes are not Flax's msgpack.
pub fn msgpack_restore(bytes: &[u8]) -> Result<StateDict> {
    msgpack::read(bytes).map_err(|reason| Error::Malformed { what: "msgpack".into(), reason })
}

/// The first key and value of the dict that bytes begin with; what follows may be cut off.
pub(crate) fn read_first(bytes: &[u8]) -> Result<(String, StateDict)> {
    msgpack::read_first(bytes).map_err(|reason| Error::Malformed { what: "msgpack".into(), reason })
}
