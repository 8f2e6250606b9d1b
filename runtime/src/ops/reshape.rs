//! The same elements in another shape, as `jnp.reshape`: `reshape::<Tensor![B, 7, 7, 64]>(x)`. Nothing is copied.
//!
//! A size of the new shape that is [`Dyn`](crate::shape::Dyn) is the one that the tensor has at that axis, and the last
//! one of them whatever is left. Where both shapes have such an axis, or the same generic one, it is taken to be the
//! batch, and the elements of a sample must be as many: `[Dyn, 6]` to `[Dyn, 3]` is refused.
//!
//! ```
//! use flaxen::prelude::*;
//! let images = Tensor::<(Dyn, U784)>::zeros((Dyn(3), U784::default()));
//! let images: Tensor![Dyn, 28, 28, 1] = images.reshape::<Tensor![Dyn, 28, 28, 1]>();
//! assert_eq!(images.sizes(), [3, 28, 28, 1]);
//! ```

use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::reshape::{reshaped, resolve};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Element, Float, Tensor};
use std::marker::PhantomData;

/// A type that names a shape: a tensor of it.
pub trait Target {
    /// The shape.
    type Shape: Shape;
}

impl<S: Shape, E: Element> Target for Tensor<S, E> {
    type Shape = S;
}

/// The same elements in the shape of the tensor type `T`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<T>(PhantomData<fn() -> T>);

impl<T: Target> Op<T> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: the numbers of elements agree.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        reshaped(x, T::Shape::STATIC)
    }
}

impl<T: Target, S: Shape, E: Element> op::Op<Tensor<S, E>> for Op<T> {
    type Out = Tensor<T::Shape, E>;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        const { reshaped(S::STATIC, T::Shape::STATIC).speak() };
        let sizes = resolve::<T::Shape>(x.sizes().as_ref());
        let sizes = &sizes[..T::Shape::RANK];
        assert!(
            sizes.iter().product::<usize>() == x.as_slice().len(),
            "reshape: a tensor of sizes {:?} has another number of elements than {sizes:?}",
            x.sizes()
        );
        x.reshaped(sizes)
    }
}

impl<T: Target, S: Shape, E: Float> Differentiable<Tensor<S, E>, Yes> for Op<T> {
    type Residuals = S;

    fn forward(&self, x: Tensor<S, E>) -> (Self::Out, S) {
        let shape = x.shape();
        (self.infer(x), shape)
    }

    fn backward(&self, shape: S, cotangent: Self::Out) -> Tensor<S, E> {
        cotangent.reshaped(shape.sizes().as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient, random, refused};
    use crate::prelude::*;
    use crate::shape::Size;

    type To<S> = Op<Tensor<S>>;

    #[test]
    fn dynamic_sizes_are_found() {
        let x = || random((Dyn(4), Dyn(3), U6::default()), 1);
        assert_eq!(To::<(Dyn, Dyn, U2, U3)>::new().infer(x()).sizes(), [4, 3, 2, 3]);
        assert_eq!(To::<(Dyn, U6)>::new().infer(x()).sizes(), [12, 6]);
        assert_eq!(To::<(U72,)>::new().infer(x()).as_slice(), x().as_slice());
        assert_eq!(To::<(Dyn, U2, U3)>::new().infer(random((Dyn(0), U6::default()), 1)).sizes(), [0, 2, 3]);
        assert_eq!(To::<(U1, U1)>::new().infer(random((), 1)).sizes(), [1, 1]);
    }

    #[test]
    #[should_panic(expected = "another number of elements")]
    fn a_dynamic_size_that_does_not_fit_panics() {
        To::<(Dyn, U5)>::new().infer(random((Dyn(4), Dyn(3)), 1));
    }

    #[test]
    fn gradients() {
        gradient(&To::<(Dyn, U3, U2)>::new(), random((Dyn(4), U6::default()), 1));
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let b = Size::Named("B");
        let known = Size::Known;
        let images = || Sizes::new(&[b, known(7), known(7), known(64)]);
        let message = "reshape: [B, 7, 7, 64] has 3136 elements a sample, [B, 3135] has 3135";
        refused(reshaped(images(), Sizes::new(&[b, known(3135)])), message);
        assert!(reshaped(images(), Sizes::new(&[b, known(3136)])).fits());
        assert!(reshaped(images(), Sizes::new(&[Size::Unknown, known(64)])).fits());
        assert!(reshaped(images(), Sizes::new(&[known(6272)])).fits());
        let message = "reshape: [?, 6] has 6 elements a sample, [?, 2, 2] has 4";
        refused(To::<(Dyn, U2, U2)>::shape([<(Dyn, U6)>::STATIC]), message);
        refused(To::<(U2, U2)>::shape([Sizes::known(&[6])]), "reshape: [6] has 6 elements, [2, 2] has 4");
        refused(To::<(Dyn, U4)>::shape([Sizes::known(&[6])]), "reshape: [6] has 6 elements, [?, 4] has 4");
        fits(To::<(Dyn, U3)>::shape([Sizes::known(&[6])]), "[?, 3]");
    }
}
