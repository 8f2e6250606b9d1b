//! Elements of a leaf's state in bfloat16, the upper half of an `f32`.

use super::array::{Array, serialize};
use super::per_leaf::{LeafValue, PerLeaf};
use crate::shape::Shape;
use crate::tensor::serde::{Bytes, TENSOR};
use crate::tensor::{DType, Float, Tensor};
use crate::tree::{Path, Tree};
use half::bf16;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// What a transform keeps of a leaf in the leaf's shape and two bytes an element. It is written as an array of `bfloat16`.
///
/// An array that is read may be of other floats, which are rounded, so that a training can go on with less memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Bf16Array {
    sizes: Vec<usize>,
    elements: Vec<bf16>,
}

impl Bf16Array {
    /// The sizes.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The elements, as the upper halves of `f32`.
    #[cfg(test)]
    pub(super) fn as_slice(&self) -> &[bf16] {
        &self.elements
    }

    /// The elements, exactly.
    pub fn to_vec(&self) -> Vec<f32> {
        self.elements.iter().map(|element| element.to_f32()).collect()
    }
}

/// Zeros for each leaf, but for those that are masked.
pub(super) fn zeros_like<P: Tree>(params: &P) -> PerLeaf<Bf16Array> {
    struct Zeros;
    impl LeafValue<Bf16Array> for Zeros {
        fn of<S: Shape, E: Float>(&mut self, leaf: &Tensor<S, E>) -> Bf16Array {
            let elements = vec![bf16::ZERO; leaf.as_slice().len()];
            Bf16Array { sizes: leaf.sizes().as_ref().to_vec(), elements }
        }
    }
    PerLeaf::of(params, Zeros)
}

impl PerLeaf<Bf16Array> {
    /// The elements of the leaf `index`, whose path it is and which has `count` of them; none if the optimiser leaves it out.
    ///
    /// # Panics
    /// If there are not as many: a state that was read is of other parameters.
    pub(super) fn elements_mut(&mut self, index: usize, path: &Path, count: usize) -> &mut [bf16] {
        let Some(Bf16Array { sizes, elements }) = self.get_mut(index, path) else { return &mut [] };
        assert!(
            elements.len() == count,
            "the state of an optimiser has sizes {sizes:?} for `{path}`, which has {count} elements"
        );
        elements
    }
}

/// The nearest number in bfloat16, and of two that are as near the even one; 0 in place of a subnormal one.
#[inline(always)]
fn nearest<E: Float>(x: E) -> bf16 {
    let x = if x.abs() < E::from_f64(f32::MIN_POSITIVE.into()) { E::ZERO } else { x };
    match size_of::<E>() == size_of::<f32>() {
        true => bf16::from_f32(x.to_f64() as f32),
        false => bf16::from_f64(x.to_f64()),
    }
}

/// The same number.
#[inline(always)]
fn widened<E: Float>(x: bf16) -> E {
    E::from_f64(x.to_f32().into())
}

/// `x` as bfloat16 has it.
#[inline(always)]
pub(super) fn rounded<E: Float>(x: E) -> E {
    widened(nearest(x))
}

/// Writes the same numbers to `wide`, which is as long.
#[inline(always)]
pub(super) fn widen<E: Float>(elements: &[bf16], wide: &mut [E]) {
    wide.iter_mut().zip(elements).for_each(|(wide, &element)| *wide = widened(element));
}

/// Writes the nearest numbers to `elements`.
#[inline(always)]
pub(super) fn round<E: Float>(wide: &[E], elements: &mut [bf16]) {
    elements.iter_mut().zip(wide).for_each(|(element, &wide)| *element = nearest(wide));
}

impl Serialize for Bf16Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serialize(&self.sizes, &self.to_vec(), serializer);
        }
        let bytes = self.elements.iter().flat_map(|element| element.to_le_bytes()).collect();
        let mut parts = serializer.serialize_struct(TENSOR, 3)?;
        parts.serialize_field("dtype", DType::BFloat16.name())?;
        parts.serialize_field("sizes", &self.sizes)?;
        parts.serialize_field("bytes", &Bytes(Cow::Owned(bytes)))?;
        parts.end()
    }
}

impl<'de> Deserialize<'de> for Bf16Array {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let array = Array::deserialize(deserializer)?;
        let (sizes, elements) = (array.sizes().to_vec(), array.into_elements());
        Ok(Bf16Array { sizes, elements: elements.map(nearest::<f32>, nearest::<f64>) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_even_and_subnormal_numbers_to_zero() {
        // In [1, 2) the numbers of bfloat16 are 1/128 apart.
        let ulp = |n: f64| 1.0 + n / 128.0;
        for (x, expected) in [(0.5, 0.0), (0.51, 1.0), (1.5, 2.0), (2.5, 2.0), (1.49, 1.0)] {
            assert_eq!(rounded(ulp(x)), ulp(expected));
            assert_eq!(rounded(-ulp(x) as f32), -ulp(expected) as f32);
        }
        assert_eq!(rounded(f32::MAX), f32::INFINITY);
        assert!(rounded(f32::NAN).is_nan() && rounded(f64::NAN).is_nan());
        assert_eq!(rounded(f32::MIN_POSITIVE), f32::MIN_POSITIVE);
        assert_eq!((rounded(f32::MIN_POSITIVE / 2.0), rounded(1e-39_f64)), (0.0, 0.0));
    }
}
