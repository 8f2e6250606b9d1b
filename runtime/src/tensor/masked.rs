//! A leaf that an optimiser leaves out: `optax.MaskedNode`.

use super::storage::Storage;
use super::{Element, Tensor};
use crate::shape::{MAX_RANK, Shape};
use std::cell::Cell;

impl<S: Shape, E: Element> Tensor<S, E> {
    /// The place of a tensor without its elements: what the state of an optimiser holds for parameters that it does not
    /// train. It takes no memory, and its slice is empty.
    pub(crate) fn masked(shape: S) -> Self {
        Tensor { shape, storage: Storage::empty() }
    }

    /// A masked leaf as it is read: its shape is not written, and what only the tensor knew of it is 0.
    pub(super) fn masked_anywhere<Failure: serde::de::Error>() -> Result<Self, Failure> {
        let mut sizes = [0; MAX_RANK];
        for (axis, size) in sizes[..S::RANK].iter_mut().enumerate() {
            *size = S::STATIC.at(axis).known().unwrap_or_default();
        }
        let shape = S::from_sizes(&sizes[..S::RANK]);
        shape.map(Tensor::masked).ok_or_else(|| Failure::custom("a masked leaf of a generic shape"))
    }

    /// Whether this is the place of a leaf that an optimiser leaves out, `optax.MaskedNode`: it has a shape and no elements.
    /// Only the states of [`masked`](fn@crate::optim::masked) and [`multi_transform`](fn@crate::optim::multi_transform) hold
    /// such leaves.
    pub fn is_masked(&self) -> bool {
        self.storage.as_slice().is_empty() && self.shape.elements() > 0
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

/// Whether what is read may hold masked leaves.
pub(crate) fn masked_leaves_are_allowed() -> bool {
    MASKED_LEAVES.get()
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn a_masked_tensor_has_a_shape_and_nothing_else() {
        let mut masked = Tensor::<(U3, Dyn)>::masked((Default::default(), Dyn(2)));
        assert!(masked.is_masked() && masked.clone().is_masked());
        assert!(!Tensor::<(Dyn,)>::zeros((Dyn(0),)).is_masked());
        assert_eq!(masked.sizes(), [3, 2]);
        assert!(masked.as_mut_slice().is_empty());
        assert_eq!(format!("{masked:?}"), "f32[3, 2] masked");
    }
}
