//! A value that is about to be computed, so that an elementwise function that follows can be computed with it.

use crate::tensor::Float;

/// A value that is about to be computed.
///
/// Where the result of one call goes to the next one alone, a `#[module]` hands it over before it is computed. What follows
/// may ask for it with a function of every element, and who computes it may know how: a convolution that goes through
/// `relu` writes its output once. Who does not know computes first and then goes over the elements in place; the numbers
/// are the same.
pub trait Deferred<T>: Sized {
    /// Computes it.
    fn compute(self) -> T;

    /// Computes `f` of every element.
    fn map<F: Unary>(self, f: F) -> T
    where
        T: Elements,
    {
        self.compute().map(f)
    }

    /// Computes `f` of every element and that of `other` at the same place.
    fn zip<F: Binary>(self, f: F, other: T) -> T
    where
        T: Elements,
    {
        self.compute().zip(f, other)
    }
}

/// A function of an element.
pub trait Unary: Sync {
    /// Whether it is `max(x, 0)`, which products and convolutions compute on the way to memory.
    const IS_RELU: bool = false;

    /// `f(x)`
    fn at<E: Float>(&self, x: E) -> E;
}

/// A function of two elements.
pub trait Binary: Sync {
    /// `f(a, b)`
    fn at<E: Float>(&self, a: E, b: E) -> E;
}

/// What has elements: a tensor.
pub trait Elements: Sized {
    /// `f` of every element.
    fn map<F: Unary>(self, f: F) -> Self;

    /// `f` of every element and that of `other` at the same place.
    fn zip<F: Binary>(self, f: F, other: Self) -> Self;
}

/// A value that is there.
pub struct Now<T>(pub T);

impl<T> Deferred<T> for Now<T> {
    fn compute(self) -> T {
        self.0
    }
}

/// A value that may be there already.
pub(crate) enum Perhaps<D, T> {
    Later(D),
    Now(T),
}

impl<T, D: Deferred<T>> Deferred<T> for Perhaps<D, T> {
    fn compute(self) -> T {
        match self {
            Perhaps::Later(value) => value.compute(),
            Perhaps::Now(value) => value,
        }
    }

    fn map<F: Unary>(self, f: F) -> T
    where
        T: Elements,
    {
        match self {
            Perhaps::Later(value) => value.map(f),
            Perhaps::Now(value) => value.map(f),
        }
    }

    fn zip<F: Binary>(self, f: F, other: T) -> T
    where
        T: Elements,
    {
        match self {
            Perhaps::Later(value) => value.zip(f, other),
            Perhaps::Now(value) => value.zip(f, other),
        }
    }
}
