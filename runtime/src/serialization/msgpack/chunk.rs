//! Large arrays in pieces, as msgpack's lengths have 32 bits.
//!
//! An array becomes the dict
//!
//! ```text
//! {"__msgpack_chunked_array__": true, "shape": {"0": d0, …}, "chunks": {"0": part, "1": part, …}}
//! ```
//!
//! whose parts are arrays of one dimension, equally long but for the last.

use crate::serialization::state_dict::index_of;
use crate::serialization::{Array, Dict, StateDict};
use crate::tensor::DType;

/// The key by which such a dict is known.
pub(super) const MARK: &str = "__msgpack_chunked_array__";
pub(super) const SHAPE: &str = "shape";
pub(super) const CHUNKS: &str = "chunks";

/// The bytes of a part: whole elements, at least one.
pub(super) fn part_size(dtype: DType, max_chunk_size: usize) -> usize {
    (max_chunk_size / dtype.size()).max(1) * dtype.size()
}

/// The array of a dict that has the [`MARK`].
pub(super) fn join(dict: &Dict) -> Result<Array, String> {
    let shape = list(dict, SHAPE)?;
    let size = |value: &StateDict| match value {
        StateDict::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    };
    let shape: Option<Vec<usize>> = shape.into_iter().map(size).collect();
    let shape = shape.ok_or("a chunked array whose shape is not of sizes")?;
    let (mut dtype, mut bytes) = (None, Vec::new());
    for chunk in list(dict, CHUNKS)? {
        let StateDict::Array(chunk) = chunk else {
            return Err(format!("a chunked array with {} among its chunks", chunk.describe()));
        };
        if *dtype.get_or_insert(chunk.dtype()) != chunk.dtype() {
            return Err(format!("a chunked array with a chunk {chunk:?} among others of {dtype:?}"));
        }
        bytes.extend_from_slice(chunk.bytes());
    }
    let dtype = dtype.ok_or("a chunked array without chunks")?;
    Array::new(dtype, &shape, bytes).map_err(|error| error.to_string())
}

/// The values of the dict `{"0": …, "1": …}` under a key.
fn list<'a>(dict: &'a Dict, key: &str) -> Result<Vec<&'a StateDict>, String> {
    let missing = || format!("a chunked array without a dict `{key}` of the keys 0, 1, …");
    let Some(StateDict::Dict(list)) = dict.get(key) else { return Err(missing()) };
    let entry = |(place, (key, value)): (usize, (&str, _))| (index_of(key) == Some(place)).then_some(value);
    // In any order they were not written by Flax.
    list.iter().enumerate().map(entry).collect::<Option<Vec<_>>>().ok_or_else(missing)
}
