//! Lifting: a tensor of numbers becomes one of dual numbers, and back.

use crate::shape::Shape;
use crate::tensor::{Dual, Element, Float, Tensor, bracketed};

/// What a forward pass can read: a tensor, a tree of tensors, or a reference to one.
///
/// `#[module]` implements it for the variables of a module that is generic in its element.
///
/// `Call` means nothing: with it a bound is one that rustc checks where it is asked for, and not before.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry tangents",
    label = "this is read in a closure that is differentiated forward",
    note = "if these are a model's variables, write the model generic in its element: \
            `fn call<B: Batch, E: Float>(&self, x: Tensor![B, 3; E]) -> Tensor![B, 2; E]`"
)]
pub trait Lift<Call = ()> {
    /// The same of dual numbers; what is no float stays as it is.
    type Lifted;

    /// The values, with tangents of zero.
    fn lifted(&self) -> Self::Lifted;
}

/// What can be differentiated by in a direction: a tensor of floats, a tree of them, or a reference to one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry tangents",
    label = "this is differentiated by",
    note = "if these are a model's variables, write the model generic in its element: \
            `fn call<B: Batch, E: Float>(&self, x: Tensor![B, 3; E]) -> Tensor![B, 2; E]`"
)]
pub trait Primal<Call = ()>: Lift<Call> {
    /// What this is a reference to, or the type itself.
    type Owned;

    /// What this is a reference to, or itself.
    fn owned(&self) -> &Self::Owned;

    /// The values, with these tangents.
    ///
    /// # Panics
    /// If a size that is known at run time only differs between values and tangents.
    fn with_tangent(&self, tangent: &Self::Owned) -> Self::Lifted;
}

/// What a forward pass computes: a tensor of dual numbers, or a tree of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no tangent",
    label = "this is differentiated forward, and does not depend on the arguments by way of floats"
)]
pub trait Split<Call = ()> {
    /// The same of the numbers in the dual ones.
    type Primal;

    /// The values and the tangents.
    fn split(self) -> (Self::Primal, Self::Primal);
}

impl<S: Shape, E: Element, Call> Lift<Call> for Tensor<S, E> {
    type Lifted = Tensor<S, E::Lifted>;

    fn lifted(&self) -> Self::Lifted {
        let elements = self.as_slice();
        Tensor::from_fn(self.shape(), |i| elements[i].lifted())
    }
}

impl<S: Shape, E: Float, Call> Primal<Call> for Tensor<S, E> {
    type Owned = Self;

    fn owned(&self) -> &Self {
        self
    }

    fn with_tangent(&self, tangent: &Self) -> Tensor<S, Dual<E>> {
        assert!(
            self.shape() == tangent.shape(),
            "a tangent of sizes {} for a tensor of sizes {}",
            bracketed(tangent.shape()),
            bracketed(self.shape())
        );
        let (values, tangents) = (self.as_slice(), tangent.as_slice());
        Tensor::from_fn(self.shape(), |i| Dual { value: values[i], tangent: tangents[i] })
    }
}

impl<S: Shape, E: Float, Call> Split<Call> for Tensor<S, Dual<E>> {
    type Primal = Tensor<S, E>;

    fn split(self) -> (Tensor<S, E>, Tensor<S, E>) {
        let elements = self.as_slice();
        let value = Tensor::from_fn(self.shape(), |i| elements[i].value);
        (value, Tensor::from_fn(self.shape(), |i| elements[i].tangent))
    }
}

impl<T: Lift<Call>, Call> Lift<Call> for &T {
    type Lifted = T::Lifted;

    fn lifted(&self) -> T::Lifted {
        T::lifted(self)
    }
}

impl<T: Primal<Call>, Call> Primal<Call> for &T {
    type Owned = T::Owned;

    fn owned(&self) -> &T::Owned {
        T::owned(self)
    }

    fn with_tangent(&self, tangent: &T::Owned) -> T::Lifted {
        T::with_tangent(self, tangent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn a_tensor_is_lifted_and_split() {
        let x = Tensor::<(U2,), f64>::of(&[1.0, 2.0]).unwrap();
        let tangent = Tensor::of(&[3.0, 4.0]).unwrap();
        let dual = Primal::<()>::with_tangent(&x, &tangent);
        assert_eq!(Split::<()>::split(dual), (x.clone(), tangent));
        assert_eq!(Split::<()>::split(Lift::<()>::lifted(&&x)), (x.clone(), Tensor::zeros(x.shape())));
        let labels = Tensor::<(U2,), i32>::of(&[1, 2]).unwrap();
        assert_eq!(Lift::<()>::lifted(&labels), labels);
    }

    #[test]
    #[should_panic(expected = "a tangent of sizes [3] for a tensor of sizes [2]")]
    fn sizes_that_differ_at_run_time() {
        let zeros = |size| Tensor::<(Dyn,), f64>::zeros((Dyn(size),));
        Primal::<()>::with_tangent(&zeros(2), &zeros(3));
    }
}
