//! How deep in `vmap!`s a value is: a tensor outside of them, a [`Batched`] inside.

use super::axes::{Along, Axes};
use super::batched::Batched;
use super::example::{Example, Stack};
use super::extent::Extent;

/// The axes around a `vmap!`, and what values are there.
pub trait Level: Axes {
    /// A value there: a tensor outside of all `vmap!`s.
    type Value<T: Example>;

    /// The examples of a value.
    fn open<T: Example>(value: Self::Value<T>) -> (Self, Stack<T>);

    /// The value of these examples.
    fn close<T: Example>(self, stack: Stack<T>) -> Self::Value<T>;
}

impl Level for () {
    type Value<T: Example> = T;

    fn open<T: Example>(value: T) -> ((), Stack<T>) {
        ((), Stack::of_one(value))
    }

    fn close<T: Example>(self, stack: Stack<T>) -> T {
        stack.into_one()
    }
}

impl<A: 'static, N: Extent, Outer: Axes> Level for Along<A, N, Outer> {
    type Value<T: Example> = Batched<Self, T>;

    fn open<T: Example>(value: Batched<Self, T>) -> (Self, Stack<T>) {
        (value.axes(), value.into_stack())
    }

    fn close<T: Example>(self, stack: Stack<T>) -> Batched<Self, T> {
        Batched::new(self, stack)
    }
}
