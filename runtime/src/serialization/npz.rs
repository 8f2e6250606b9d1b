//! NumPy's format for arrays by name: a zip of npy files.

use super::flat;
use super::npy;
use super::serializable::Serializable;
use super::state_dict::Dict;
use crate::error::{Error, Result};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// A value like `target` with the arrays of an npz file. `target` stays as it is.
///
/// An array's name is its path, the keys joined with `sep`: `numpy.savez(file, **flatten_dict(params, sep="/"))` writes such a
/// file.
///
/// Bytes from anybody may be given: what is asked of memory is a small multiple of them, and where they are compressed, of what
/// they really decompress to.
///
/// # Errors
/// [`Error::Malformed`] if the bytes are not an npz file of numbers; [`Error::Mismatch`] with the path of the first array
/// that is missing, unknown, of other sizes or of another type.
pub fn from_npz<T: Serializable>(target: &T, bytes: &[u8], sep: &str) -> Result<T> {
    flat::restore(target, npz_restore(bytes)?, sep)
}

/// The arrays by name that an npz file holds, in the order of the file: `numpy.load`.
///
/// # Errors
/// [`Error::Malformed`] if the bytes are not an npz file of numbers.
pub fn npz_restore(bytes: &[u8]) -> Result<Dict> {
    read(bytes).map_err(|reason| Error::Malformed { what: "npz".into(), reason })
}

fn read(bytes: &[u8]) -> Result<Dict, String> {
    let text = |error: zip::result::ZipError| error.to_string();
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(text)?;
    // Many names for the same bytes would be much from little.
    if archive.has_overlapping_files().map_err(text)? {
        return Err("files that share their bytes".into());
    }
    let mut arrays = Dict::with_capacity(archive.len());
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(text)?;
        let name = file.name().map_err(text)?.to_string();
        let inside = |reason: String| format!("{name}: {reason}");
        let size = file.size();
        let mut content = Vec::new();
        // The size that the file claims is not believed, only never exceeded.
        file.take(size).read_to_end(&mut content).map_err(|error| inside(error.to_string()))?;
        let array = npy::read(&content).map_err(inside)?;
        arrays.push(name.strip_suffix(".npy").unwrap_or(&name).to_string(), array.into());
    }
    match arrays.duplicate() {
        Some(name) => Err(format!("two arrays called `{name}`")),
        None => Ok(arrays),
    }
}
