//! A tensor in any format that serde knows: its sizes and its elements in row-major order.
//!
//! A format that people read gets `{sizes, elements}`; any other gets `{dtype, sizes, bytes}`, with NumPy's name of the
//! element type and the elements' little-endian bytes as they are, which costs a copy and no arithmetic.

use super::masked::masked_leaves_are_allowed;
use super::{DType, Element, Tensor};
use crate::shape::{Message, Shape};
use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::{self, SerializeStruct};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// The name of the struct `{dtype, sizes, bytes}`, by which a format of flaxen's own knows it.
pub(crate) const TENSOR: &str = "flaxen::Tensor";

const FIELDS: &[&str] = &["dtype", "sizes", "bytes"];

#[derive(Serialize)]
#[serde(rename = "Tensor")]
struct Readable<Sizes, Elements> {
    sizes: Sizes,
    elements: Elements,
}

/// A tensor in either form. Where serde keeps a value for later, as it does for an enum without tags, the format that it came
/// from is forgotten, and people might have read it.
#[derive(Deserialize)]
#[serde(rename = "Tensor", bound = "E: Element")]
struct AnyForm<'a, E> {
    dtype: Option<Cow<'a, str>>,
    sizes: Option<Vec<usize>>,
    elements: Option<Vec<E>>,
    #[serde(borrow)]
    bytes: Option<Bytes<'a>>,
}

impl<S: Shape, E: Element> Tensor<S, E> {
    /// The type of the elements, if files have it, and their little-endian bytes.
    pub(crate) fn to_bytes(&self) -> Option<(DType, Vec<u8>)> {
        let mut bytes = Vec::with_capacity(size_of_val(self.as_slice()));
        E::write_bytes(self.as_slice(), &mut bytes);
        Some((E::DTYPE?, bytes))
    }
}

impl<S: Shape, E: Element> Serialize for Tensor<S, E> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        if self.is_masked() {
            return serializer.serialize_struct("MaskedNode", 0)?.end();
        }
        let sizes = self.sizes();
        if serializer.is_human_readable() {
            return Readable { sizes: sizes.as_ref(), elements: self.as_slice() }.serialize(serializer);
        }
        let unknown = || ser::Error::custom(format_args!("no file has elements of type {}", E::NAME));
        let (dtype, bytes) = self.to_bytes().ok_or_else(unknown)?;
        let mut parts = serializer.serialize_struct(TENSOR, FIELDS.len())?;
        parts.serialize_field("dtype", dtype.name())?;
        parts.serialize_field("sizes", sizes.as_ref())?;
        parts.serialize_field("bytes", &Bytes(Cow::Owned(bytes)))?;
        parts.end()
    }
}

impl<'de, S: Shape, E: Element> Deserialize<'de> for Tensor<S, E> {
    /// Sizes and elements that the type does not have, and elements that are not as many as the sizes say, are an error.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return deserializer.deserialize_struct(TENSOR, FIELDS, Binary(PhantomData));
        }
        let (sizes, elements): (Vec<usize>, Vec<E>) = match AnyForm::deserialize(deserializer)? {
            AnyForm { dtype: Some(dtype), sizes: Some(sizes), bytes: Some(bytes), elements: None } => {
                return Binary(PhantomData).tensor(&dtype, &sizes, &bytes.0);
            }
            AnyForm { sizes: None, elements: None, .. } if masked_leaves_are_allowed() => {
                return Tensor::masked_anywhere();
            }
            AnyForm { sizes: Some(sizes), elements: Some(elements), .. } => (sizes, elements),
            AnyForm { sizes: None, .. } => return Err(D::Error::missing_field("sizes")),
            AnyForm { .. } => return Err(D::Error::missing_field("elements")),
        };
        let expected = Message::new("").sizes(S::STATIC);
        let shape = S::from_sizes(&sizes).ok_or_else(|| {
            D::Error::custom(format_args!(
                "a tensor of sizes {sizes:?} in place of one of {}",
                expected.as_str()
            ))
        })?;
        if count(&sizes) != Some(elements.len()) {
            return Err(D::Error::custom(format_args!(
                "a tensor of sizes {sizes:?} with {} elements",
                elements.len()
            )));
        }
        Ok(Tensor::written(shape, |place| place.copy_from_slice(&elements)))
    }
}

/// The number of elements, if it can be counted.
fn count(sizes: &[usize]) -> Option<usize> {
    sizes.iter().try_fold(1usize, |count, &size| count.checked_mul(size))
}

/// Reads `{dtype, sizes, bytes}`.
struct Binary<S, E>(PhantomData<(S, E)>);

impl<S: Shape, E: Element> Binary<S, E> {
    fn tensor<R: Error>(self, dtype: &str, sizes: &[usize], bytes: &[u8]) -> Result<Tensor<S, E>, R> {
        let found = format!("{dtype}{sizes:?}");
        let mismatch = || R::invalid_value(Unexpected::Other(&found), &self);
        let shape = S::from_sizes(sizes)
            .filter(|_| E::DTYPE.is_some_and(|known| known.name() == dtype))
            .ok_or_else(mismatch)?;
        if count(sizes).and_then(|count| count.checked_mul(size_of::<E>())) != Some(bytes.len()) {
            let found = format!("{found} of {} bytes", bytes.len());
            return Err(R::invalid_value(Unexpected::Other(&found), &self));
        }
        let mut read = None;
        let tensor = Tensor::written(shape, |place| read = E::read_bytes(bytes, place));
        read.map(|()| tensor)
            .ok_or_else(|| R::invalid_value(Unexpected::Other("bytes that are no such elements"), &self))
    }
}

impl<'de, S: Shape, E: Element> Visitor<'de> for Binary<S, E> {
    type Value = Tensor<S, E>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}{}",
            E::DTYPE.map_or(E::NAME, DType::name),
            Message::new("").sizes(S::STATIC).as_str()
        )
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut dtype, mut sizes, mut bytes) = (None, None, None);
        while let Some(key) = map.next_key::<Cow<str>>()? {
            match &*key {
                "dtype" => dtype = Some(map.next_value::<Cow<str>>()?),
                "sizes" => sizes = Some(map.next_value::<Vec<usize>>()?),
                "bytes" => bytes = Some(map.next_value::<Bytes>()?),
                other => return Err(A::Error::unknown_field(other, FIELDS)),
            }
        }
        if dtype.is_none() && sizes.is_none() && bytes.is_none() && masked_leaves_are_allowed() {
            return Tensor::masked_anywhere();
        }
        let dtype = dtype.ok_or_else(|| A::Error::missing_field("dtype"))?;
        let sizes = sizes.ok_or_else(|| A::Error::missing_field("sizes"))?;
        let bytes = bytes.ok_or_else(|| A::Error::missing_field("bytes"))?;
        self.tensor(&dtype, &sizes, &bytes.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let dtype = seq.next_element::<Cow<str>>()?.ok_or_else(|| A::Error::invalid_length(0, &self))?;
        let sizes = seq.next_element::<Vec<usize>>()?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
        let bytes = seq.next_element::<Bytes>()?.ok_or_else(|| A::Error::invalid_length(2, &self))?;
        self.tensor(&dtype, &sizes, &bytes.0)
    }
}

/// Bytes as bytes, not as a list of numbers.
pub(crate) struct Bytes<'a>(pub(crate) Cow<'a, [u8]>);

impl Serialize for Bytes<'_> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Bytes<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the bytes of a tensor")
            }

            fn visit_borrowed_bytes<R: Error>(self, bytes: &'de [u8]) -> Result<Self::Value, R> {
                Ok(Bytes(Cow::Borrowed(bytes)))
            }

            fn visit_bytes<R: Error>(self, bytes: &[u8]) -> Result<Self::Value, R> {
                Ok(Bytes(Cow::Owned(bytes.to_vec())))
            }

            fn visit_byte_buf<R: Error>(self, bytes: Vec<u8>) -> Result<Self::Value, R> {
                Ok(Bytes(Cow::Owned(bytes)))
            }
        }
        deserializer.deserialize_bytes(Visit)
    }
}
