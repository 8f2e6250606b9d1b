//! An array whose shape and element follow from a leaf, but are not the leaf's.

use crate::tensor::Float;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::any::Any;

/// What a transform keeps of a leaf in another shape, such as sums over rows. It is written as a tensor is.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    sizes: Vec<usize>,
    elements: Elements,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Elements {
    Single(Vec<f32>),
    Double(Vec<f64>),
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
            None => unreachable!("a float is f32 or f64"),
        }
    }
}

impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_struct("Tensor", 2)?;
        parts.serialize_field("sizes", &self.sizes)?;
        parts.serialize_field("elements", &self.elements)?;
        parts.end()
    }
}

impl<'de> Deserialize<'de> for Array {
    /// The type does not know the element: it is `f64`, which holds every `f32`, until the array is used.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Tensor")]
        struct Parts {
            sizes: Vec<usize>,
            elements: Vec<f64>,
        }
        let Parts { sizes, elements } = Parts::deserialize(deserializer)?;
        let count = sizes.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
        match count == Some(elements.len()) {
            true => Ok(Array { sizes, elements: Elements::Double(elements) }),
            false => Err(de::Error::custom(format_args!(
                "a tensor of sizes {sizes:?} with {} elements",
                elements.len()
            ))),
        }
    }
}
