//! safetensors: arrays by name, the format of Hugging Face's models.

use super::array::Array;
use super::flat;
use super::serializable::Serializable;
use super::state_dict::{Dict, StateDict};
use crate::error::{Error, Result};
use crate::tensor::DType;
use ::safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView, serialize};

/// A tree as safetensors. A tensor's name is its path, the keys joined with `sep`: `.` is usual, Flax's own is `/`.
///
/// Numbers become tensors without dimensions, empty dicts vanish.
///
/// ```
/// use flaxen::nn::DenseParams;
/// use flaxen::prelude::*;
/// use flaxen::serialization::{from_safetensors, to_safetensors};
///
/// let params = DenseParams::<U2, U1> { kernel: Tensor::of(&[1.0, 2.0])?, bias: Tensor::of(&[3.0])? };
/// let variables = Variables { params, state: () };
/// let bytes = to_safetensors(&variables, ".")?;
/// let header = String::from_utf8_lossy(&bytes);
/// assert!(header.contains("\"params.kernel\"") && header.contains("\"params.bias\""));
/// assert!(from_safetensors(&variables, &bytes, ".")? == variables);
/// # Ok::<(), flaxen::Error>(())
/// ```
///
/// # Errors
/// [`Error::Mismatch`] with the path of what is neither an array nor a number, or whose type safetensors does not have
/// (`complex128`).
pub fn to_safetensors(target: &impl Serializable, sep: &str) -> Result<Vec<u8>> {
    write(&flat::arrays(target, sep)?)
}

/// A value like `target` with the tensors of these names. `target` stays as it is.
///
/// Bytes from anybody may be given, as to [`from_bytes`](super::from_bytes).
///
/// # Errors
/// [`Error::Malformed`] if the bytes are not safetensors; [`Error::Mismatch`] with the path of the first tensor that is
/// missing, unknown, of other sizes or of another type.
pub fn from_safetensors<T: Serializable>(target: &T, bytes: &[u8], sep: &str) -> Result<T> {
    flat::restore(target, safetensors_restore(bytes)?, sep)
}

/// Arrays by name as safetensors: `safetensors.flax.save`.
///
/// # Errors
/// As [`to_safetensors`].
pub fn safetensors_serialize(arrays: &Dict) -> Result<Vec<u8>> {
    let array = |(name, value): (&str, &StateDict)| match value {
        StateDict::Array(array) | StateDict::Scalar(array) => Ok((name.to_string(), array.clone())),
        other => {
            Err(Error::Mismatch { what: name.into(), expected: "an array".into(), found: other.describe() })
        }
    };
    write(&arrays.iter().map(array).collect::<Result<Vec<_>>>()?)
}

/// The arrays by name that safetensors hold, in the order of the file: `safetensors.flax.load`.
///
/// # Errors
/// [`Error::Malformed`] if the bytes are not safetensors, or hold elements that NumPy does not have.
pub fn safetensors_restore(bytes: &[u8]) -> Result<Dict> {
    let malformed = |reason: String| Error::Malformed { what: "safetensors".into(), reason };
    let (header, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| malformed(error.to_string()))?;
    let data = &bytes[size_of::<u64>() + header..];
    let names = metadata.offset_keys();
    let mut arrays = Dict::with_capacity(names.len());
    for name in names {
        let Some(info) = metadata.info(&name) else { continue };
        let Some(dtype) = from_safetensors_dtype(info.dtype) else {
            return Err(malformed(format!(
                "{name} has elements of {:?}, which NumPy does not have",
                info.dtype
            )));
        };
        let (start, end) = info.data_offsets;
        let elements =
            data.get(start..end).ok_or_else(|| malformed(format!("{name} ends after the file")))?;
        let array = Array::new(dtype, &info.shape, elements.to_vec());
        arrays.push(name, array.map_err(|error| malformed(error.to_string()))?.into());
    }
    Ok(arrays)
}

fn write<'a>(arrays: &'a [(String, Array)]) -> Result<Vec<u8>> {
    let refused = |what: &str, error: SafeTensorError| Error::Mismatch {
        what: what.into(),
        expected: "what safetensors can hold".into(),
        found: error.to_string(),
    };
    let view = |(name, array): &'a (String, Array)| {
        let dtype = to_safetensors_dtype(array.dtype()).ok_or_else(|| Error::Mismatch {
            what: name.clone(),
            expected: "elements that safetensors have".into(),
            found: format!("{array:?}"),
        })?;
        let view = TensorView::new(dtype, array.shape().to_vec(), array.bytes());
        Ok((name.clone(), view.map_err(|error| refused(name, error))?))
    };
    let views: Vec<_> = arrays.iter().map(view).collect::<Result<_>>()?;
    serialize(views, None).map_err(|error| refused("the whole tree", error))
}

macro_rules! dtypes {
    ($($numpy:ident $safetensors:ident;)+) => {
        fn to_safetensors_dtype(dtype: DType) -> Option<Dtype> {
            match dtype {
                $(DType::$numpy => Some(Dtype::$safetensors),)+
                DType::Complex128 => None,
            }
        }

        fn from_safetensors_dtype(dtype: Dtype) -> Option<DType> {
            match dtype {
                $(Dtype::$safetensors => Some(DType::$numpy),)+
                _ => None,
            }
        }
    };
}
dtypes! {
    Bool BOOL;
    Int8 I8;
    Int16 I16;
    Int32 I32;
    Int64 I64;
    UInt8 U8;
    UInt16 U16;
    UInt32 U32;
    UInt64 U64;
    Float16 F16;
    BFloat16 BF16;
    Float32 F32;
    Float64 F64;
    Complex64 C64;
}
