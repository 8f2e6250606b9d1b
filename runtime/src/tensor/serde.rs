//! A tensor in any format that serde knows: its sizes, and its elements in row-major order.

use super::{Element, Tensor};
use crate::shape::{MAX_RANK, Message, Shape};
use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use std::cell::Cell;

#[derive(Serialize, Deserialize)]
#[serde(rename = "Tensor")]
struct Parts<Sizes, Elements> {
    sizes: Sizes,
    elements: Elements,
}

impl<S: Shape, E: Element> Serialize for Tensor<S, E> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        if self.is_masked() {
            return serializer.serialize_struct("MaskedNode", 0)?.end();
        }
        let sizes = self.sizes();
        Parts { sizes: sizes.as_ref(), elements: self.as_slice() }.serialize(serializer)
    }
}

impl<'de, S: Shape, E: Element> Deserialize<'de> for Tensor<S, E> {
    /// Sizes that the type does not have, and elements that are not as many as the sizes say, are an error.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Parts { sizes, elements } = if MASKED_LEAVES.get() {
            let parts = Parts::<Option<Vec<usize>>, Option<Vec<E>>>::deserialize(deserializer)?;
            match (parts.sizes, parts.elements) {
                (None, None) => return Ok(Tensor::masked(static_shape()?)),
                (None, Some(_)) => return Err(D::Error::missing_field("sizes")),
                (Some(_), None) => return Err(D::Error::missing_field("elements")),
                (Some(sizes), Some(elements)) => Parts { sizes, elements },
            }
        } else {
            Parts::<Vec<usize>, Vec<E>>::deserialize(deserializer)?
        };
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

thread_local! {
    static MASKED_LEAVES: Cell<bool> = const { Cell::new(false) };
}

/// Reads what may hold masked leaves, written as the empty map that `optax.MaskedNode` is. Anywhere else, and so among
/// parameters, they are refused.
pub(crate) fn masked_leaves_allowed<T>(read: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            MASKED_LEAVES.set(self.0);
        }
    }
    let _restore = Restore(MASKED_LEAVES.replace(true));
    read()
}

/// The shape of a masked leaf, which is not written: what only the tensor knew of it is 0.
fn static_shape<S: Shape, Failure: Error>() -> Result<S, Failure> {
    let mut sizes = [0; MAX_RANK];
    for (axis, size) in sizes[..S::RANK].iter_mut().enumerate() {
        *size = S::STATIC.at(axis).known().unwrap_or_default();
    }
    S::from_sizes(&sizes[..S::RANK]).ok_or_else(|| Failure::custom("a masked leaf of a generic shape"))
}
