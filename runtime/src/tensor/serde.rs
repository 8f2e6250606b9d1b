//! A tensor in any format that serde knows: its sizes, and its elements in row-major order.

use super::{Element, Tensor};
use crate::shape::{Message, Shape};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

#[derive(Serialize, Deserialize)]
#[serde(rename = "Tensor")]
struct Parts<Sizes, Elements> {
    sizes: Sizes,
    elements: Elements,
}

impl<S: Shape, E: Element> Serialize for Tensor<S, E> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        let sizes = self.sizes();
        Parts { sizes: sizes.as_ref(), elements: self.as_slice() }.serialize(serializer)
    }
}

impl<'de, S: Shape, E: Element> Deserialize<'de> for Tensor<S, E> {
    /// Sizes that the type does not have, and elements that are not as many as the sizes say, are an error.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Parts { sizes, elements } = Parts::<Vec<usize>, Vec<E>>::deserialize(deserializer)?;
        let expected = Message::new("").sizes(S::STATIC);
        let shape = S::from_sizes(&sizes).ok_or_else(|| {
            D::Error::custom(format_args!(
                "a tensor of sizes {sizes:?} in place of one of {}",
                expected.as_str()
            ))
        })?;
        let count = sizes.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
        if count != Some(elements.len()) {
            return Err(D::Error::custom(format_args!(
                "a tensor of sizes {sizes:?} with {} elements",
                elements.len()
            )));
        }
        Ok(Tensor::written(shape, |place| place.copy_from_slice(&elements)))
    }
}
