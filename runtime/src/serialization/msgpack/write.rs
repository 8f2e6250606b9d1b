//! Writes msgpack.

use super::{MAX_DEPTH, chunk, extension};
use crate::serialization::refusal::Refusal;
use crate::serialization::{Array, Dict, StateDict};
use crate::tensor::DType;
use rmp::encode::{self, ByteBuf, ValueWriteError};
use std::convert::Infallible;

/// The bytes of a state dict. Arrays of more than `max_chunk_size` bytes are written in pieces.
pub fn write(value: &StateDict, max_chunk_size: usize) -> Result<Vec<u8>, Refusal> {
    let mut writer = Writer { bytes: ByteBuf::new(), max_chunk_size };
    writer.entry(value, 0)?;
    Ok(writer.bytes.into_vec())
}

struct Writer {
    bytes: ByteBuf,
    max_chunk_size: usize,
}

/// Memory takes everything.
impl From<ValueWriteError<Infallible>> for Refusal {
    fn from(error: ValueWriteError<Infallible>) -> Self {
        match error {
            ValueWriteError::InvalidMarkerWrite(never) | ValueWriteError::InvalidDataWrite(never) => {
                match never {}
            }
        }
    }
}

impl From<Infallible> for Refusal {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

fn length(length: usize) -> Result<u32, Refusal> {
    u32::try_from(length).map_err(|_| Refusal::new("a length of 32 bits", length.to_string()))
}

impl Writer {
    /// A value of a dict, or the outermost value: an array among them may be chunked.
    fn entry(&mut self, value: &StateDict, depth: usize) -> Result<(), Refusal> {
        match value {
            StateDict::Array(array) if array.bytes().len() > self.max_chunk_size => self.chunked(array),
            value => self.value(value, depth),
        }
    }

    /// Any value, inside of `depth` containers.
    fn value(&mut self, value: &StateDict, depth: usize) -> Result<(), Refusal> {
        if depth > MAX_DEPTH {
            return Err(Refusal::new(format!("at most {MAX_DEPTH} containers inside of each other"), "more"));
        }
        let bytes = &mut self.bytes;
        match value {
            StateDict::Dict(dict) => self.dict(dict, depth)?,
            StateDict::List(values) => {
                encode::write_array_len(bytes, length(values.len())?)?;
                for (index, value) in values.iter().enumerate() {
                    self.value(value, depth + 1).map_err(|refusal| refusal.at(index.to_string()))?;
                }
            }
            StateDict::Array(array) => self.array(extension::NDARRAY, array)?,
            StateDict::Scalar(array) => self.array(extension::NPSCALAR, array)?,
            StateDict::Int(value) => match (i64::try_from(*value), u64::try_from(*value)) {
                (Ok(value), _) => drop(encode::write_sint(bytes, value)?),
                (_, Ok(value)) => drop(encode::write_uint(bytes, value)?),
                _ => return Err(Refusal::new("an integer of 64 bits", value.to_string())),
            },
            StateDict::Float(value) => encode::write_f64(bytes, *value)?,
            StateDict::Complex { re, im } => {
                let mut payload = ByteBuf::new();
                encode::write_array_len(&mut payload, 2)?;
                encode::write_f64(&mut payload, *re)?;
                encode::write_f64(&mut payload, *im)?;
                self.extension(extension::NATIVE_COMPLEX, payload.as_slice())?;
            }
            StateDict::Bool(value) => encode::write_bool(bytes, *value)?,
            StateDict::Str(text) => self.text(text)?,
            StateDict::Bytes(data) => {
                encode::write_bin_len(bytes, length(data.len())?)?;
                bytes.as_mut_vec().extend_from_slice(data);
            }
            StateDict::Extension { kind, data } => self.extension(*kind, data)?,
            StateDict::Nil => encode::write_nil(bytes)?,
        }
        Ok(())
    }

    fn dict(&mut self, dict: &Dict, depth: usize) -> Result<(), Refusal> {
        encode::write_map_len(&mut self.bytes, length(dict.len())?)?;
        for (key, value) in dict.iter() {
            self.text(key)?;
            self.entry(value, depth + 1).map_err(|refusal| refusal.at(key))?;
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        encode::write_str_len(&mut self.bytes, length(text.len())?)?;
        self.bytes.as_mut_vec().extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn array(&mut self, kind: i8, array: &Array) -> Result<(), Refusal> {
        self.elements(kind, array.dtype(), array.shape(), array.bytes())
    }

    /// An array, whose bytes are copied once: the length of what is around them is computed first.
    fn elements(&mut self, kind: i8, dtype: DType, shape: &[usize], bytes: &[u8]) -> Result<(), Refusal> {
        let mut head = ByteBuf::new();
        encode::write_array_len(&mut head, 3)?;
        encode::write_array_len(&mut head, length(shape.len())?)?;
        for &size in shape {
            encode::write_uint(&mut head, size as u64)?;
        }
        encode::write_str(&mut head, dtype.name())?;
        encode::write_bin_len(&mut head, length(bytes.len())?)?;
        let head = head.into_vec();
        encode::write_ext_meta(&mut self.bytes, length(head.len() + bytes.len())?, kind)?;
        let out = self.bytes.as_mut_vec();
        out.reserve(head.len() + bytes.len());
        out.extend_from_slice(&head);
        out.extend_from_slice(bytes);
        Ok(())
    }

    fn extension(&mut self, kind: i8, payload: &[u8]) -> Result<(), Refusal> {
        encode::write_ext_meta(&mut self.bytes, length(payload.len())?, kind)?;
        self.bytes.as_mut_vec().extend_from_slice(payload);
        Ok(())
    }

    fn chunked(&mut self, array: &Array) -> Result<(), Refusal> {
        encode::write_map_len(&mut self.bytes, 3)?;
        self.text(chunk::MARK)?;
        encode::write_bool(&mut self.bytes, true)?;
        self.text(chunk::SHAPE)?;
        encode::write_map_len(&mut self.bytes, length(array.shape().len())?)?;
        for (axis, &size) in array.shape().iter().enumerate() {
            self.text(&axis.to_string())?;
            encode::write_uint(&mut self.bytes, size as u64)?;
        }
        self.text(chunk::CHUNKS)?;
        let parts = array.bytes().chunks(chunk::part_size(array.dtype(), self.max_chunk_size));
        encode::write_map_len(&mut self.bytes, length(parts.len())?)?;
        for (index, part) in parts.enumerate() {
            self.text(&index.to_string())?;
            let elements = part.len() / array.dtype().size();
            self.elements(extension::NDARRAY, array.dtype(), &[elements], part)?;
        }
        Ok(())
    }
}
