//! One example, and many of them in one buffer.

use crate::shape::{Dyn, Shape};
use crate::tensor::{Element, Plus, Tensor};

/// What there is one of for each example: a tensor.
pub trait Example: Clone + private::Sealed + 'static {
    /// The type of the elements.
    type Element: Element;
    /// The shape of each example.
    type Shape: Shape;

    /// The number of elements of an example.
    fn elements(shape: Self::Shape) -> usize {
        shape.elements()
    }

    /// The example as a tensor.
    fn into_tensor(self) -> Tensor<Self::Shape, Self::Element>;

    /// A tensor as an example.
    fn of_tensor(tensor: Tensor<Self::Shape, Self::Element>) -> Self;
}

mod private {
    /// Stacks know what lies in the buffer of an example.
    pub trait Sealed {}
    impl<S: crate::shape::Shape, E: crate::tensor::Element> Sealed for crate::Tensor<S, E> {}
}

impl<S: Shape, E: Element> Example for Tensor<S, E> {
    type Element = E;
    type Shape = S;

    fn into_tensor(self) -> Self {
        self
    }

    fn of_tensor(tensor: Self) -> Self {
        tensor
    }
}

/// Several examples of one shape, one after the other in one buffer.
#[derive(Clone)]
pub struct Stack<T: Example> {
    count: usize,
    shape: T::Shape,
    flat: Tensor<(Dyn,), T::Element>,
}

impl<T: Example> Stack<T> {
    /// `count` examples with these elements.
    ///
    /// # Panics
    /// If there are more or fewer elements than so many examples have.
    pub fn new(count: usize, shape: T::Shape, flat: Tensor<(Dyn,), T::Element>) -> Self {
        let (expected, found) = (count * shape.elements(), flat.as_slice().len());
        assert!(expected == found, "a stack of {count} examples has {expected} elements, not {found}");
        Stack { count, shape, flat }
    }

    /// The elements of a tensor as `count` examples.
    pub(crate) fn of<R: Shape>(count: usize, shape: T::Shape, elements: Tensor<R, T::Element>) -> Self {
        let len = elements.as_slice().len();
        Self::new(count, shape, elements.reshaped(&[len]))
    }

    /// The value as the only example.
    pub fn of_one(value: T) -> Self {
        let value = value.into_tensor();
        Self::of(1, value.shape(), value)
    }

    /// Examples of zeros.
    pub fn zeros(count: usize, shape: T::Shape) -> Self {
        Stack { count, shape, flat: Tensor::zeros((Dyn(count * shape.elements()),)) }
    }

    /// The same example, `count` times.
    pub fn repeat(count: usize, value: T) -> Self {
        let one = value.into_tensor();
        let (len, shape) = (one.as_slice().len(), one.shape());
        let flat = Tensor::written((Dyn(count * len),), |all| {
            all.chunks_exact_mut(len.max(1)).for_each(|place| place.copy_from_slice(one.as_slice()));
        });
        Stack { count, shape, flat }
    }

    /// How many examples there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The shape of each example.
    pub fn shape(&self) -> T::Shape {
        self.shape
    }

    /// The elements of all examples.
    pub fn as_slice(&self) -> &[T::Element] {
        self.flat.as_slice()
    }

    /// The elements of all examples.
    pub fn into_flat(self) -> Tensor<(Dyn,), T::Element> {
        self.flat
    }

    /// The elements of all examples, to be written.
    pub(super) fn flat_mut(&mut self) -> &mut Tensor<(Dyn,), T::Element> {
        &mut self.flat
    }

    /// The elements of all examples in a tensor of these sizes.
    pub(crate) fn into_tensor<R: Shape>(self, sizes: &[usize]) -> Tensor<R, T::Element> {
        self.flat.reshaped(sizes)
    }

    /// One example. Where there is none, it is one of zeros: its shape still says what comes of it.
    pub fn at(&self, index: usize) -> T {
        let len = self.shape.elements();
        T::of_tensor(match self.count {
            0 => Tensor::zeros(self.shape),
            _ => Tensor::written(self.shape, |place| {
                place.copy_from_slice(&self.flat.as_slice()[index * len..][..len]);
            }),
        })
    }

    /// The only example.
    pub(crate) fn into_one(self) -> T {
        let sizes = self.shape.sizes();
        T::of_tensor(self.flat.reshaped(sizes.as_ref()))
    }

    /// Adds to one example.
    pub(super) fn add(&mut self, index: usize, term: &[T::Element]) {
        let len = self.shape.elements();
        let sum = self.flat.as_mut_slice()[index * len..][..len].iter_mut();
        sum.zip(term).for_each(|(sum, &term)| *sum = sum.plus(term));
    }
}

/// A stack that is filled example by example.
pub struct Filling<T: Example>(Option<Stack<T>>);

impl<T: Example> Filling<T> {
    pub(super) fn new() -> Self {
        Filling(None)
    }

    /// Puts one of `count` examples in its place. Of no examples the first gives the shape only.
    pub(super) fn put(&mut self, count: usize, index: usize, example: T) {
        let example = example.into_tensor();
        let (shape, len) = (example.shape(), example.as_slice().len());
        let stack = self.0.get_or_insert_with(|| Stack {
            count,
            shape,
            flat: Tensor::written((Dyn(count * len),), |_| {}),
        });
        assert!(stack.shape == shape, "vmap: {:?} from one example, {shape:?} from another", stack.shape);
        if let Some(place) = stack.flat.as_mut_slice().get_mut(index * len..(index + 1) * len) {
            place.copy_from_slice(example.as_slice());
        }
    }

    /// The stack.
    pub(super) fn finish(self) -> Stack<T> {
        match self.0 {
            Some(stack) => stack,
            None => unreachable!("the first example is computed even of none"),
        }
    }
}
