//! Reads msgpack, from anybody: what is asked of memory is bounded by what is really there.
//!
//! A container's length is believed only if the bytes that remain could hold so many values beside those that the containers
//! around it still wait for; so all that is ever set aside is for no more values than there are bytes.

use super::{MAX_DEPTH, chunk, extension};
use crate::serialization::array::byte_count;
use crate::serialization::{Array, Dict, StateDict};
use crate::tensor::DType;
use rmp::Marker;

/// What is wrong, and how many bytes in.
type Result<T> = std::result::Result<T, String>;

/// The value that these bytes are.
pub fn read(bytes: &[u8]) -> Result<StateDict> {
    let mut reader = Reader { bytes, position: 0, awaited: 0 };
    let value = reader.value(0)?;
    match reader.remaining() {
        0 => Ok(value),
        extra => Err(format!("{extra} bytes after the value, which ends at byte {}", reader.position)),
    }
}

/// The first key and value of the dict that these bytes begin with. The rest may be cut off.
pub fn read_first(bytes: &[u8]) -> Result<(String, StateDict)> {
    let mut reader = Reader { bytes, position: 0, awaited: 0 };
    match reader.marker()? {
        Marker::FixMap(1..) => Ok((reader.key()?, reader.value(1)?)),
        other => Err(reader.wrong("a dict of a few keys", other)),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The values that open containers still wait for; each takes a byte at least.
    awaited: usize,
}

impl<'a> Reader<'a> {
    fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    fn wrong(&self, expected: &str, found: Marker) -> String {
        format!("expected {expected} before byte {}, found {found:?}", self.position)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let rest = &self.bytes[self.position..];
        let taken = rest.get(..count).ok_or_else(|| {
            format!("cut off: {count} bytes were announced at byte {}, found {}", self.position, rest.len())
        })?;
        self.position += count;
        Ok(taken)
    }

    /// A big-endian number, which every length and integer of msgpack is.
    fn number<const N: usize>(&mut self) -> Result<u64> {
        let bytes = self.take(N)?;
        Ok(bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn length<const N: usize>(&mut self) -> Result<usize> {
        Ok(self.number::<N>()? as usize)
    }

    fn marker(&mut self) -> Result<Marker> {
        Ok(Marker::from_u8(self.take(1)?[0]))
    }

    /// Begins a container of `count` values.
    fn open(&mut self, count: usize) -> Result<usize> {
        if count.saturating_add(self.awaited) > self.remaining() {
            return Err(format!(
                "cut off: a container of {count} values at byte {}, and {} bytes remain",
                self.position,
                self.remaining()
            ));
        }
        self.awaited += count;
        Ok(count)
    }

    fn value(&mut self, depth: usize) -> Result<StateDict> {
        if depth > MAX_DEPTH {
            return Err(format!(
                "more than {MAX_DEPTH} containers inside of each other at byte {}",
                self.position
            ));
        }
        let int = |value: u64| Ok(StateDict::Int(value.into()));
        let signed = |value: i64| Ok(StateDict::Int(value.into()));
        match self.marker()? {
            Marker::FixPos(value) => int(value.into()),
            Marker::U8 => int(self.number::<1>()?),
            Marker::U16 => int(self.number::<2>()?),
            Marker::U32 => int(self.number::<4>()?),
            Marker::U64 => int(self.number::<8>()?),
            Marker::FixNeg(value) => signed(value.into()),
            Marker::I8 => signed((self.number::<1>()? as i8).into()),
            Marker::I16 => signed((self.number::<2>()? as i16).into()),
            Marker::I32 => signed((self.number::<4>()? as i32).into()),
            Marker::I64 => signed(self.number::<8>()? as i64),
            Marker::F32 => Ok(StateDict::Float(f32::from_bits(self.number::<4>()? as u32).into())),
            Marker::F64 => Ok(StateDict::Float(f64::from_bits(self.number::<8>()?))),
            Marker::Null => Ok(StateDict::Nil),
            Marker::False => Ok(StateDict::Bool(false)),
            Marker::True => Ok(StateDict::Bool(true)),
            Marker::Bin8 => self.length::<1>().and_then(|length| self.binary(length)),
            Marker::Bin16 => self.length::<2>().and_then(|length| self.binary(length)),
            Marker::Bin32 => self.length::<4>().and_then(|length| self.binary(length)),
            Marker::FixArray(length) => self.list(length.into(), depth),
            Marker::Array16 => self.length::<2>().and_then(|length| self.list(length, depth)),
            Marker::Array32 => self.length::<4>().and_then(|length| self.list(length, depth)),
            Marker::FixMap(length) => self.dict(length.into(), depth),
            Marker::Map16 => self.length::<2>().and_then(|length| self.dict(length, depth)),
            Marker::Map32 => self.length::<4>().and_then(|length| self.dict(length, depth)),
            Marker::FixExt1 => self.extension(1),
            Marker::FixExt2 => self.extension(2),
            Marker::FixExt4 => self.extension(4),
            Marker::FixExt8 => self.extension(8),
            Marker::FixExt16 => self.extension(16),
            Marker::Ext8 => self.length::<1>().and_then(|length| self.extension(length)),
            Marker::Ext16 => self.length::<2>().and_then(|length| self.extension(length)),
            Marker::Ext32 => self.length::<4>().and_then(|length| self.extension(length)),
            text @ (Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32) => {
                Ok(StateDict::Str(self.text(text)?.to_string()))
            }
            Marker::Reserved => Err(self.wrong("a value", Marker::Reserved)),
        }
    }

    fn binary(&mut self, length: usize) -> Result<StateDict> {
        Ok(StateDict::Bytes(self.take(length)?.to_vec()))
    }

    fn text(&mut self, marker: Marker) -> Result<&'a str> {
        let length = match marker {
            Marker::FixStr(length) => length.into(),
            Marker::Str8 => self.length::<1>()?,
            Marker::Str16 => self.length::<2>()?,
            Marker::Str32 => self.length::<4>()?,
            other => return Err(self.wrong("text", other)),
        };
        let text = self.take(length)?;
        std::str::from_utf8(text)
            .map_err(|error| format!("text before byte {} is not UTF-8: {error}", self.position))
    }

    fn key(&mut self) -> Result<String> {
        let marker = self.marker()?;
        Ok(self.text(marker)?.to_string())
    }

    fn list(&mut self, length: usize, depth: usize) -> Result<StateDict> {
        let mut values = Vec::with_capacity(self.open(length)?);
        for _ in 0..length {
            self.awaited -= 1;
            values.push(self.value(depth + 1)?);
        }
        Ok(StateDict::List(values))
    }

    fn dict(&mut self, length: usize, depth: usize) -> Result<StateDict> {
        self.open(length.saturating_mul(2))?;
        let mut dict = Dict::with_capacity(length);
        for _ in 0..length {
            self.awaited -= 2;
            let key = self.key()?;
            // The value of this key is still to come.
            dict.push(key, self.value(depth + 1)?);
        }
        if let Some(key) = dict.duplicate() {
            return Err(format!("the key `{key}` twice in the dict before byte {}", self.position));
        }
        if dict.get(chunk::MARK).is_some() {
            let place = |reason| format!("{reason}, before byte {}", self.position);
            return Ok(StateDict::Array(chunk::join(&dict).map_err(place)?));
        }
        Ok(StateDict::Dict(dict))
    }

    fn extension(&mut self, length: usize) -> Result<StateDict> {
        let kind = self.number::<1>()? as i8;
        let start = self.position;
        let data = self.take(length)?;
        let inside = |error| format!("in the extension of type {kind} at byte {start}: {error}");
        let mut payload = Reader { bytes: data, position: 0, awaited: 0 };
        let value = match kind {
            extension::NDARRAY => StateDict::Array(payload.array().map_err(inside)?),
            extension::NPSCALAR => StateDict::Scalar(payload.scalar().map_err(inside)?),
            extension::NATIVE_COMPLEX => payload.complex().map_err(inside)?,
            kind => return Ok(StateDict::Extension { kind, data: data.to_vec() }),
        };
        match payload.remaining() {
            0 => Ok(value),
            extra => Err(inside(format!("{extra} bytes too many"))),
        }
    }

    /// `[shape, dtype, bytes]`
    fn array(&mut self) -> Result<Array> {
        match self.marker()? {
            Marker::FixArray(3) => {}
            other => return Err(self.wrong("a list of shape, dtype and bytes", other)),
        }
        let shape = self.shape()?;
        let marker = self.marker()?;
        let name = self.text(marker)?;
        let dtype =
            DType::from_name(name).ok_or_else(|| format!("no type of elements is called `{name}`"))?;
        let length = match self.marker()? {
            Marker::Bin8 => self.length::<1>()?,
            Marker::Bin16 => self.length::<2>()?,
            Marker::Bin32 => self.length::<4>()?,
            other => return Err(self.wrong("the bytes of an array", other)),
        };
        let bytes = self.take(length)?;
        if byte_count(dtype, &shape) != Some(length) {
            return Err(format!("an array {dtype}{shape:?} of {length} bytes"));
        }
        Array::new(dtype, &shape, bytes.to_vec()).map_err(|error| error.to_string())
    }

    fn shape(&mut self) -> Result<Vec<usize>> {
        let rank = match self.marker()? {
            Marker::FixArray(rank) => rank.into(),
            Marker::Array16 => self.length::<2>()?,
            other => return Err(self.wrong("a shape", other)),
        };
        let mut shape = Vec::with_capacity(self.open(rank)?);
        for _ in 0..rank {
            self.awaited -= 1;
            let size = match self.marker()? {
                Marker::FixPos(size) => size.into(),
                Marker::U8 => self.number::<1>()?,
                Marker::U16 => self.number::<2>()?,
                Marker::U32 => self.number::<4>()?,
                Marker::U64 => self.number::<8>()?,
                other => return Err(self.wrong("a size", other)),
            };
            shape.push(usize::try_from(size).map_err(|_| format!("a size of {size}"))?);
        }
        Ok(shape)
    }

    fn scalar(&mut self) -> Result<Array> {
        let array = self.array()?;
        if !array.shape().is_empty() {
            return Err(format!("expected a scalar, found {array:?}"));
        }
        Ok(array)
    }

    /// `[re, im]`
    fn complex(&mut self) -> Result<StateDict> {
        match self.marker()? {
            Marker::FixArray(2) => {}
            other => return Err(self.wrong("a list of two numbers", other)),
        }
        let mut part = || match self.marker()? {
            Marker::F64 => Ok(f64::from_bits(self.number::<8>()?)),
            other => Err(self.wrong("a float", other)),
        };
        Ok(StateDict::Complex { re: part()?, im: part()? })
    }
}
