//! An array without a type: what NumPy's `ndarray` is to Flax's state dicts.

use crate::error::{Error, Result};
use crate::shape::Shape;
use crate::tensor::{DType, Element, Tensor};
use std::fmt;

/// Elements of a [`DType`] with a shape that only the program's run knows: their little-endian bytes in row-major order.
///
/// ```
/// use flaxen::prelude::*;
/// use flaxen::serialization::{Array, DType};
///
/// let array = Array::new(DType::Int16, &[2, 1], vec![1, 0, 255, 255])?;
/// assert_eq!(format!("{array:?}"), "int16[2, 1]");
/// assert!(Array::new(DType::Int16, &[3], vec![0; 4]).is_err());
///
/// let tensor: Tensor![3] = Tensor::of(&[1.0, 2.0, 3.0])?;
/// let array = Array::of(&tensor)?;
/// assert_eq!((array.dtype(), array.shape()), (DType::Float32, &[3][..]));
/// # Ok::<(), flaxen::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Array(Box<Parts>);

/// Behind a box, so that a node of a state dict is small.
#[derive(Clone, PartialEq, Eq)]
struct Parts {
    dtype: DType,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    /// An array of these bytes.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if there are not as many bytes as the elements of the shape take.
    pub fn new(dtype: DType, shape: &[usize], bytes: Vec<u8>) -> Result<Self> {
        if byte_count(dtype, shape) != Some(bytes.len()) {
            return Err(Error::Mismatch {
                what: format!("bytes of an array {dtype}{shape:?}"),
                expected: byte_count(dtype, shape).map_or("fewer".into(), |count| count.to_string()),
                found: bytes.len().to_string(),
            });
        }
        Ok(Array(Box::new(Parts { dtype, shape: shape.to_vec(), bytes })))
    }

    /// The elements of a tensor.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if they are of a type that arrays do not have, such as dual numbers.
    pub fn of<S: Shape, E: Element>(tensor: &Tensor<S, E>) -> Result<Self> {
        let Some((dtype, bytes)) = tensor.to_bytes() else {
            return Err(Error::Mismatch {
                what: "elements of an array".into(),
                expected: "a type that arrays have".into(),
                found: E::NAME.into(),
            });
        };
        Ok(Array(Box::new(Parts { dtype, shape: tensor.sizes().as_ref().to_vec(), bytes })))
    }

    /// The array without dimensions of these bytes, as many as an element has.
    pub(super) fn scalar(dtype: DType, bytes: &[u8]) -> Self {
        debug_assert_eq!(dtype.size(), bytes.len());
        Array(Box::new(Parts { dtype, shape: Vec::new(), bytes: bytes.to_vec() }))
    }

    /// The only element as an integer, if there is one and it is an integer or a truth value.
    pub(super) fn to_int(&self) -> Option<i128> {
        let bytes = self.bytes();
        let unsigned = || bytes.iter().rev().fold(0, |value: u64, &byte| value << 8 | u64::from(byte));
        // Shifted to the top and back, so that the sign is kept.
        let signed = || {
            let unused = 64 - 8 * bytes.len() as u32;
            (unsigned() << unused) as i64 >> unused
        };
        if bytes.len() != self.dtype().size() {
            return None;
        }
        match self.dtype() {
            DType::Bool | DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 => {
                Some(unsigned().into())
            }
            DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => Some(signed().into()),
            _ => None,
        }
    }

    /// The only element as a number, exactly, if there is one and it is a float.
    pub(super) fn to_float(&self) -> Option<f64> {
        match (self.dtype(), self.bytes()) {
            (DType::Float64, bytes) => Some(f64::from_le_bytes(bytes.try_into().ok()?)),
            (DType::Float32, bytes) => Some(f32::from_le_bytes(bytes.try_into().ok()?).into()),
            (DType::BFloat16, &[low, high]) => Some(f32::from_le_bytes([0, 0, low, high]).into()),
            _ => None,
        }
    }

    /// The type of the elements.
    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    /// The sizes, outermost first.
    pub fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    /// The elements' little-endian bytes in row-major order.
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }
}

/// The bytes that the elements of a shape take, if an address space can hold them.
pub(super) fn byte_count(dtype: DType, shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(dtype.size(), |count, &size| count.checked_mul(size))
}

/// Prints type and shape, not the elements: `float32[3, 2]`.
impl fmt::Debug for Array {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{:?}", self.dtype(), self.shape())
    }
}
