//! A leaf that an optimiser leaves out: `optax.MaskedNode`.

use super::storage::Storage;
use super::{Element, Tensor};
use crate::shape::Shape;

impl<S: Shape, E: Element> Tensor<S, E> {
    /// The place of a tensor without its elements: what the state of an optimiser holds for parameters that it does not
    /// train. It takes no memory, and its slice is empty.
    pub(crate) fn masked(shape: S) -> Self {
        Tensor { shape, storage: Storage::empty() }
    }

    /// Whether this is the place of a leaf that an optimiser leaves out, `optax.MaskedNode`: it has a shape and no elements.
    /// Only the states of [`masked`](fn@crate::optim::masked) and [`multi_transform`](fn@crate::optim::multi_transform) hold
    /// such leaves.
    pub fn is_masked(&self) -> bool {
        self.storage.as_slice().is_empty() && self.shape.elements() > 0
    }
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
