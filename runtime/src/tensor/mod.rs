//! The tensor: a shape in the type, elements in row-major order, memory from a pool.

pub mod display;
mod dtype;
pub mod dual;
pub mod element;
mod masked;
mod plus;
pub(crate) mod serde;
mod storage;

pub use dtype::DType;
pub use dual::Dual;
pub use element::{Element, Float, Primitive};
pub(crate) use masked::{masked_leaves_allowed, masked_leaves_are_allowed};
pub use plus::Plus;
pub use storage::release_memory;

use crate::error::{Error, Result};
use crate::shape::{Dim, MAX_RANK, Message, Rule, Shape, Sizes, SplitFirst, StaticShape};
use storage::Storage;

/// An array whose shape is part of its type: `Tensor<(B, Dim2<1, 0>), f32>`, written `Tensor![B, 10]`.
///
/// Cloning is cheap: both hold the same buffer until one of them is written to.
#[derive(Clone)]
pub struct Tensor<S: Shape, E: Element = f32> {
    shape: S,
    storage: Storage<E>,
}

impl<S: Shape, E: Element> Tensor<S, E> {
    /// A tensor with every element the same.
    pub fn full(shape: S, value: E) -> Self {
        Self::written(shape, |elements| elements.fill(value))
    }

    /// A tensor of the type's zero (`false` for `bool`).
    pub fn zeros(shape: S) -> Self {
        Self::full(shape, E::default())
    }

    /// A tensor of these elements, in row-major order.
    ///
    /// # Errors
    /// If the number of elements is not that of the shape.
    pub fn from_slice(shape: S, elements: &[E]) -> Result<Self> {
        if shape.elements() != elements.len() {
            return Err(Error::Mismatch {
                what: format!("elements of a tensor {}", bracketed(shape)),
                expected: shape.elements().to_string(),
                found: elements.len().to_string(),
            });
        }
        Ok(Self::written(shape, |place| place.copy_from_slice(elements)))
    }

    /// A tensor whose element at each row-major index is computed.
    pub fn from_fn(shape: S, mut element: impl FnMut(usize) -> E) -> Self {
        Self::written(shape, |place| {
            place.iter_mut().enumerate().for_each(|(index, place)| *place = element(index));
        })
    }

    /// A tensor that `write` fills. What it does not write is left over from an earlier tensor.
    pub(crate) fn written(shape: S, write: impl FnOnce(&mut [E])) -> Self {
        let mut storage = Storage::scratch(shape.elements());
        if let Some(elements) = storage.get_mut() {
            write(elements);
        }
        Tensor { shape, storage }
    }

    /// The shape.
    pub fn shape(&self) -> S {
        self.shape
    }

    /// The sizes, outermost first, as an array.
    pub fn sizes(&self) -> S::Array {
        self.shape.sizes()
    }

    /// The elements in row-major order.
    pub fn as_slice(&self) -> &[E] {
        self.storage.as_slice()
    }

    /// The elements in row-major order, to be written. If another tensor holds them too, they are copied first.
    pub fn as_mut_slice(&mut self) -> &mut [E] {
        if !self.is_unique() {
            self.unshare();
        }
        match self.storage.get_mut() {
            Some(elements) => elements,
            None => unreachable!("a fresh copy has one holder"),
        }
    }

    /// Replaces the elements by a copy. Apart, so that a sole holder does without its registers.
    #[cold]
    fn unshare(&mut self) {
        *self = Self::written(self.shape, |elements| elements.copy_from_slice(self.storage.as_slice()));
    }

    /// The elements in row-major order, to be written, if nobody else holds them.
    pub(crate) fn get_mut(&mut self) -> Option<&mut [E]> {
        self.storage.get_mut()
    }

    /// Whether nobody else holds the elements, so that writing to them copies nothing.
    pub fn is_unique(&mut self) -> bool {
        self.get_mut().is_some()
    }

    /// The same elements in another shape.
    ///
    /// # Errors
    /// If the new shape has another number of elements, or a static size that is not the one given.
    ///
    /// ```
    /// use flaxen::prelude::*;
    /// let batch: Tensor![3, 2] = Tensor::zeros(Default::default());
    /// let any: Tensor![Dyn, 2] = batch.into_shape(&[3, 2])?;
    /// assert!(any.into_shape::<(U4, U2)>(&[3, 2]).is_err());
    /// # Ok::<(), flaxen::Error>(())
    /// ```
    pub fn into_shape<T: Shape>(self, sizes: &[usize]) -> Result<Tensor<T, E>> {
        let wrong = || Error::Mismatch {
            what: "shape of a tensor".to_string(),
            expected: Message::new("").sizes(T::STATIC).as_str().to_string(),
            found: format!("{sizes:?} with {} elements", self.as_slice().len()),
        };
        let shape = T::from_sizes(sizes).filter(|shape| shape.elements() == self.as_slice().len());
        Ok(Tensor { shape: shape.ok_or_else(wrong)?, storage: self.storage })
    }

    /// The same elements in a shape that a rule in numbers has computed.
    pub(crate) fn reshaped<T: Shape>(self, sizes: &[usize]) -> Tensor<T, E> {
        Tensor { shape: shape_of(sizes), storage: self.storage }
    }
}

impl<S: StaticShape, E: Element> Tensor<S, E> {
    /// A tensor of these elements, in a shape that the type knows.
    ///
    /// # Errors
    /// If the number of elements is not that of the shape.
    pub fn of(elements: &[E]) -> Result<Self> {
        Self::from_slice(S::default(), elements)
    }
}

impl<S: SplitFirst, E: Element> Tensor<S, E> {
    /// The same elements with another type of first dimension, such as [`Dyn`](crate::shape::Dyn) for a batch of 32.
    ///
    /// # Errors
    /// If the type of the dimension says another size.
    pub fn with_batch<B: Dim>(self) -> Result<Tensor<S::WithFirst<B>, E>> {
        let sizes = self.shape.sizes();
        self.into_shape(sizes.as_ref())
    }
}

impl<E: Element> Tensor<(), E> {
    /// A scalar.
    pub fn scalar(value: E) -> Self {
        Self::full((), value)
    }

    /// The only element.
    pub fn item(&self) -> E {
        self.as_slice()[0]
    }
}

impl<S: Shape, E: Element> PartialEq for Tensor<S, E> {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.as_slice() == other.as_slice()
    }
}

/// The shape with these sizes.
///
/// # Panics
/// If a static dimension has another size. The shape rules in types exclude it, except for a [`Dyn`] dimension that
/// is combined with one of another size.
#[track_caller]
pub(crate) fn shape_of<S: Shape>(sizes: &[usize]) -> S {
    match S::from_sizes(sizes) {
        Some(shape) => shape,
        None => panic!(
            "a tensor of sizes {sizes:?} is not of shape {}",
            Message::new("").sizes(S::STATIC).as_str()
        ),
    }
}

/// The sizes of a shape for a shape rule in numbers.
pub(crate) fn known(shape: impl Shape) -> Sizes {
    Sizes::known(shape.sizes().as_ref())
}

/// The shapes of the tensors that an op's shape rule is about.
pub(crate) trait Shapes<const N: usize>: Copy {
    /// Whether their types know all sizes.
    const ARE_STATIC: bool;

    fn known(self) -> [Sizes; N];
}

impl<A: Shape> Shapes<1> for (A,) {
    const ARE_STATIC: bool = A::STATIC.are_known();

    fn known(self) -> [Sizes; 1] {
        [known(self.0)]
    }
}

impl<A: Shape, B: Shape> Shapes<2> for (A, B) {
    const ARE_STATIC: bool = A::STATIC.are_known() && B::STATIC.are_known();

    fn known(self) -> [Sizes; 2] {
        [known(self.0), known(self.1)]
    }
}

/// The shape that an op's rule gives for its inputs'. Where all of them are types, it is one, and the compiler has asked the
/// rule: a small step has no time to ask again.
///
/// # Panics
/// As [`settled`].
#[track_caller]
pub(crate) fn shape_by<S: Shape, I: Shapes<N>, const N: usize>(
    rule: impl Fn([Sizes; N]) -> Rule,
    inputs: I,
) -> S {
    if const { I::ARE_STATIC && S::STATIC.are_known() } {
        let shape = of_sizes(&S::STATIC);
        debug_assert_eq!(shape, settled(&rule(inputs.known())));
        shape
    } else {
        settled(&rule(inputs.known()))
    }
}

/// The shape that a rule gives for sizes that are all known.
///
/// # Panics
/// As [`shape_of`], with the rule's own words where it refuses.
#[track_caller]
pub(crate) fn settled<S: Shape>(rule: &Rule) -> S {
    rule.speak();
    of_sizes(&rule.sizes())
}

/// The shape with these sizes, which are all known.
#[track_caller]
fn of_sizes<S: Shape>(sizes: &Sizes) -> S {
    let mut numbers = [0; MAX_RANK];
    for (axis, number) in numbers[..sizes.rank()].iter_mut().enumerate() {
        *number = sizes.at(axis).known().unwrap_or_default();
    }
    shape_of(&numbers[..sizes.rank()])
}

pub(crate) fn bracketed(shape: impl Shape) -> String {
    format!("{:?}", shape.sizes().as_ref())
}
