//! What ops of one tensor that work element by element have in common: `y[i] = f(x[i])`.
//!
//! Such an op implements [`Elementwise`], two functions of a scalar, and so is an op with a derivative for tensors of
//! any shape. It works in place where nobody else holds the input.

use crate::backend::map::{self, Function};
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::Shape;
use crate::tensor::{Element, Float, Tensor};

/// Which of its two tensors an op keeps for [`Elementwise::pullback`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// `x`.
    Input,
    /// `y`. Better where there is a choice: `x` can be overwritten, and the next op often keeps `y` anyway.
    Output,
}

/// A function of one scalar and its derivative; the op of that function on every element of a tensor.
///
/// Both functions are written with `#[inline(always)]`, and with `if` only to choose between values, so that the loop
/// around them becomes vector instructions.
pub trait Elementwise: Sync {
    /// What `pullback` reads.
    const KEPT: Kept;

    /// `y = f(x)`.
    fn value<E: Float>(&self, x: E) -> E;

    /// `f'(x)` times the cotangent of `y`, from `x` or `y` as [`KEPT`](Elementwise::KEPT) says.
    fn pullback<E: Float>(&self, kept: E, cotangent: E) -> E;
}

struct Value<'a, F>(&'a F);

impl<F: Elementwise, E: Float> Function<E> for Value<'_, F> {
    type Out = E;

    #[inline(always)]
    fn at(&self, x: E) -> E {
        self.0.value(x)
    }
}

struct Pullback<'a, F>(&'a F);

impl<F: Elementwise, E: Float> Function<(E, E)> for Pullback<'_, F> {
    type Out = E;

    #[inline(always)]
    fn at(&self, (cotangent, kept): (E, E)) -> E {
        self.0.pullback(kept, cotangent)
    }
}

impl<F: Elementwise, S: Shape, E: Float> op::Op<Tensor<S, E>> for F {
    type Out = Tensor<S, E>;

    fn infer(&self, x: Tensor<S, E>) -> Tensor<S, E> {
        map(&Value(self), x)
    }
}

impl<F: Elementwise, S: Shape, E: Float> Differentiable<Tensor<S, E>, Yes> for F {
    type Residuals = Tensor<S, E>;

    fn forward(&self, x: Tensor<S, E>) -> (Tensor<S, E>, Tensor<S, E>) {
        match F::KEPT {
            Kept::Input => (self.infer(x.clone()), x),
            Kept::Output => {
                let y = self.infer(x);
                (y.clone(), y)
            }
        }
    }

    fn backward(&self, kept: Tensor<S, E>, cotangent: Tensor<S, E>) -> Tensor<S, E> {
        zip(&Pullback(self), cotangent, kept)
    }
}

/// `f` of every element, in place where nobody else holds `x`.
pub(super) fn map<S: Shape, E: Element>(f: &impl Function<E, Out = E>, mut x: Tensor<S, E>) -> Tensor<S, E> {
    if x.is_unique() {
        map::map_in_place(f, x.as_mut_slice());
        return x;
    }
    Tensor::written(x.shape(), |y| map::map(f, x.as_slice(), y))
}

/// `f` of every pair of elements of two tensors of the same sizes, in place of `a` where nobody else holds it.
pub(super) fn zip<S: Shape, E: Element>(
    f: &impl Function<(E, E), Out = E>,
    mut a: Tensor<S, E>,
    b: Tensor<S, E>,
) -> Tensor<S, E> {
    if a.is_unique() {
        map::zip_in_place(f, a.as_mut_slice(), b.as_slice());
        return a;
    }
    Tensor::written(a.shape(), |y| map::zip(f, a.as_slice(), b.as_slice(), y))
}
