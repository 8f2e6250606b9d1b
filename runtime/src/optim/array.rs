//! An array whose shape and element follow from a leaf, but are not the leaf's.

use crate::shape::{Dyn, MAX_RANK, Shape};
use crate::tensor::serde::Bytes;
use crate::tensor::{DType, Element, Float, Tensor};
use half::bf16;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser};
use std::any::Any;
use std::fmt;

/// What a transform keeps of a leaf in another shape, such as sums over rows. It is written as a tensor is.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    sizes: Vec<usize>,
    elements: Elements,
}

/// Elements of either type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Elements {
    /// All are `f32`.
    Single(Vec<f32>),
    /// All are `f64`.
    Double(Vec<f64>),
}

impl Elements {
    /// What one of the functions makes of each element.
    pub(super) fn map<T>(self, single: impl Fn(f32) -> T, double: impl Fn(f64) -> T) -> Vec<T> {
        match self {
            Elements::Single(elements) => elements.into_iter().map(single).collect(),
            Elements::Double(elements) => elements.into_iter().map(double).collect(),
        }
    }
}

impl Array {
    /// Zeros of the leaf's element.
    pub fn zeros<E: Float>(sizes: &[usize]) -> Self {
        let len = sizes.iter().product();
        let double = size_of::<E>() == size_of::<f64>();
        let elements =
            if double { Elements::Double(vec![0.0; len]) } else { Elements::Single(vec![0.0; len]) };
        Array { sizes: sizes.to_vec(), elements }
    }

    /// The elements, as they were written.
    pub(super) fn into_elements(self) -> Elements {
        self.elements
    }

    /// The sizes.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The only element of an array without dimensions.
    pub fn item(&self) -> f64 {
        match &self.elements {
            Elements::Single(elements) => elements.first().copied().map_or(0.0, f64::from),
            Elements::Double(elements) => elements.first().copied().unwrap_or_default(),
        }
    }

    /// The elements, which are `E`: those of an array that was read become it now.
    ///
    /// # Panics
    /// If `E` is a dual number: no derivative goes through a step of an optimiser.
    pub fn as_mut_slice<E: Float>(&mut self) -> &mut [E] {
        let double = size_of::<E>() == size_of::<f64>();
        self.elements = match std::mem::replace(&mut self.elements, Elements::Double(Vec::new())) {
            Elements::Single(elements) if double => {
                Elements::Double(elements.into_iter().map(f64::from).collect())
            }
            Elements::Double(elements) if !double => {
                Elements::Single(elements.into_iter().map(|element| element as f32).collect())
            }
            elements => elements,
        };
        let elements: &mut dyn Any = match &mut self.elements {
            Elements::Single(elements) => elements,
            Elements::Double(elements) => elements,
        };
        match elements.downcast_mut::<Vec<E>>() {
            Some(elements) => elements,
            None => panic!("the state of an optimiser has no elements of {}", E::NAME),
        }
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.elements {
            Elements::Single(elements) => serialize(&self.sizes, elements, serializer),
            Elements::Double(elements) => serialize(&self.sizes, elements, serializer),
        }
    }
}

/// As the tensor that it is.
pub(super) fn serialize<E: Element, S: Serializer>(
    sizes: &[usize],
    elements: &[E],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    fn of<T: Shape, E: Element, S: Serializer>(
        shape: T,
        elements: &[E],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        Tensor::from_slice(shape, elements).map_err(ser::Error::custom)?.serialize(serializer)
    }
    match *sizes {
        [] => of((), elements, serializer),
        [a] => of((Dyn(a),), elements, serializer),
        [a, b] => of((Dyn(a), Dyn(b)), elements, serializer),
        [a, b, c] => of((Dyn(a), Dyn(b), Dyn(c)), elements, serializer),
        [a, b, c, d] => of((Dyn(a), Dyn(b), Dyn(c), Dyn(d)), elements, serializer),
        [a, b, c, d, e] => of((Dyn(a), Dyn(b), Dyn(c), Dyn(d), Dyn(e)), elements, serializer),
        [a, b, c, d, e, f] => of((Dyn(a), Dyn(b), Dyn(c), Dyn(d), Dyn(e), Dyn(f)), elements, serializer),
        _ => Err(ser::Error::custom("an array of more than six dimensions")),
    }
}

/// A tensor in any of the ways in which one is written. What people read does not say its element: that is `f64`, which holds
/// every `f32`, until the array is used.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Readable { sizes: Vec<usize>, elements: Vec<f64> },
    Binary(Binary),
}

/// A tensor in a format that people do not read, under the name by which flaxen's own knows it.
#[derive(Deserialize)]
#[serde(rename = "flaxen::Tensor")]
struct Binary {
    dtype: String,
    sizes: Vec<usize>,
    #[serde(deserialize_with = "bytes")]
    bytes: Vec<u8>,
}

fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Ok(Bytes::deserialize(deserializer)?.0.into_owned())
}

impl<'de> Deserialize<'de> for Array {
    /// What serde has put aside, to look at it twice, counts as readable too.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_any(AnyForm),
            false => Binary::deserialize(deserializer)?.array(),
        }
    }
}

/// Reads a tensor, or a number in place of a tensor without dimensions.
struct AnyForm;

impl<'de> Visitor<'de> for AnyForm {
    type Value = Array;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a tensor or a number")
    }

    fn visit_f32<Failure: de::Error>(self, number: f32) -> Result<Array, Failure> {
        Array::checked(Vec::new(), Elements::Single(vec![number]))
    }

    fn visit_f64<Failure: de::Error>(self, number: f64) -> Result<Array, Failure> {
        Array::checked(Vec::new(), Elements::Double(vec![number]))
    }

    fn visit_map<Map: MapAccess<'de>>(self, map: Map) -> Result<Array, Map::Error> {
        match Written::deserialize(MapAccessDeserializer::new(map))? {
            Written::Readable { sizes, elements } => Array::checked(sizes, Elements::Double(elements)),
            Written::Binary(binary) => binary.array(),
        }
    }
}

impl Binary {
    fn array<Failure: de::Error>(self) -> Result<Array, Failure> {
        let elements = match DType::from_name(&self.dtype) {
            // Every bfloat16 is an `f32`.
            Some(DType::BFloat16) => {
                Elements::Single(words(&self.bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()))
            }
            Some(DType::Float32) => Elements::Single(words(&self.bytes, f32::from_le_bytes)),
            Some(DType::Float64) => Elements::Double(words(&self.bytes, f64::from_le_bytes)),
            _ => return Err(Failure::custom(format_args!("an array of {} in place of floats", self.dtype))),
        };
        Array::checked(self.sizes, elements)
    }
}

impl Array {
    /// The array, if it has as many elements as its sizes say.
    fn checked<Failure: de::Error>(sizes: Vec<usize>, elements: Elements) -> Result<Self, Failure> {
        let count = sizes.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
        let found = match &elements {
            Elements::Single(elements) => elements.len(),
            Elements::Double(elements) => elements.len(),
        };
        match count == Some(found) && sizes.len() <= MAX_RANK {
            true => Ok(Array { sizes, elements }),
            false => Err(Failure::custom(format_args!("a tensor of sizes {sizes:?} with {found} elements"))),
        }
    }
}

fn words<T, const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|&bytes| read(bytes)).collect()
}
