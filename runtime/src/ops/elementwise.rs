//! What ops of one tensor that work element by element have in common: `y[i] = f(x[i])`.
//!
//! Such an op implements [`Elementwise`], two functions of a scalar, and so is an op with a derivative for tensors of
//! any shape. It works in place where nobody else holds the input.

use crate::backend::map::{self, Function};
use crate::batching::{Cotangents, Inputs, Lane, Outputs, Stack};
use crate::op::{self, Differentiable, Op as _, Yes};
use crate::shape::Shape;
use crate::tensor::{Element, Float, Primitive, Tensor};

/// A function of one scalar and its derivative; the op of that function on every element of a tensor.
///
/// Both functions are written with `#[inline(always)]`, and with `if` only to choose between values, so that the loop
/// around them becomes vector instructions.
pub trait Elementwise: Sync {
    /// What `pullback` reads: [`Input`], [`Output`] or [`Nothing`].
    type Kept: Keep;

    /// `y = f(x)`.
    fn value<E: Float>(&self, x: E) -> E;

    /// `f'(x)` times the cotangent of `y`. `kept` is `x` or `y` as [`Kept`](Elementwise::Kept) says.
    fn pullback<E: Float>(&self, kept: E, cotangent: E) -> E;
}

/// Which of its two tensors an op keeps for [`Elementwise::pullback`].
pub trait Keep {
    /// What is kept of a tensor.
    type Residuals<T>;

    /// What is kept of an element and its image.
    fn of<E: Float>(x: E, y: E) -> E;

    /// The output of `f`, and what is kept.
    fn keep<T: Clone>(x: T, f: impl FnOnce(T) -> T) -> (T, Self::Residuals<T>);

    /// What is kept of an input and an output.
    fn choose<T>(x: T, y: T) -> Self::Residuals<T>;

    /// The cotangent of the input.
    fn pull<S: Shape, E: Float>(
        op: &impl Elementwise,
        kept: Self::Residuals<Tensor<S, E>>,
        cotangent: Tensor<S, E>,
    ) -> Tensor<S, E>;
}

/// `x` is kept.
pub struct Input;

/// `y` is kept: better where there is a choice, since `x` can be overwritten, and the next op often keeps `y` anyway.
pub struct Output;

/// Nothing is kept: the derivative is a constant.
pub struct Nothing;

impl Keep for Input {
    type Residuals<T> = T;

    #[inline(always)]
    fn of<E: Float>(x: E, _: E) -> E {
        x
    }

    fn keep<T: Clone>(x: T, f: impl FnOnce(T) -> T) -> (T, T) {
        (f(x.clone()), x)
    }

    fn choose<T>(x: T, _: T) -> T {
        x
    }

    fn pull<S: Shape, E: Float>(op: &impl Elementwise, x: Tensor<S, E>, dy: Tensor<S, E>) -> Tensor<S, E> {
        zip(&Pullback(op), dy, x)
    }
}

impl Keep for Output {
    type Residuals<T> = T;

    #[inline(always)]
    fn of<E: Float>(_: E, y: E) -> E {
        y
    }

    fn keep<T: Clone>(x: T, f: impl FnOnce(T) -> T) -> (T, T) {
        let y = f(x);
        (y.clone(), y)
    }

    fn choose<T>(_: T, y: T) -> T {
        y
    }

    fn pull<S: Shape, E: Float>(op: &impl Elementwise, y: Tensor<S, E>, dy: Tensor<S, E>) -> Tensor<S, E> {
        zip(&Pullback(op), dy, y)
    }
}

impl Keep for Nothing {
    type Residuals<T> = ();

    #[inline(always)]
    fn of<E: Float>(_: E, _: E) -> E {
        E::ZERO
    }

    fn keep<T: Clone>(x: T, f: impl FnOnce(T) -> T) -> (T, ()) {
        (f(x), ())
    }

    fn choose<T>(_: T, _: T) {}

    fn pull<S: Shape, E: Float>(op: &impl Elementwise, (): (), dy: Tensor<S, E>) -> Tensor<S, E> {
        map(&Pullback(op), dy)
    }
}

struct Value<'a, F>(&'a F);

impl<F: Elementwise, E: Float> Function<E> for Value<'_, F> {
    type Out = E;

    #[inline(always)]
    fn at(&self, x: E) -> E {
        E::primitive(self, [x])
    }
}

/// What pulls a cotangent back pushes a tangent forward: the derivative is a number.
impl<F: Elementwise> Primitive<1> for Value<'_, F> {
    #[inline(always)]
    fn value<E: Float>(&self, [x]: [E; 1]) -> E {
        self.0.value(x)
    }

    #[inline(always)]
    fn tangent<E: Float>(&self, [x]: [E; 1], y: E, [tangent]: [E; 1]) -> E {
        self.0.pullback(F::Kept::of(x, y), tangent)
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

impl<F: Elementwise, E: Float> Function<E> for Pullback<'_, F> {
    type Out = E;

    #[inline(always)]
    fn at(&self, cotangent: E) -> E {
        self.0.pullback(E::ZERO, cotangent)
    }
}

#[diagnostic::do_not_recommend]
impl<F: Elementwise, S: Shape, E: Float> op::Op<Tensor<S, E>> for F {
    type Out = Tensor<S, E>;
    const BY_EXAMPLE: bool = S::RANK > 0;

    fn infer(&self, x: Tensor<S, E>) -> Tensor<S, E> {
        map(&Value(self), x)
    }

    fn infer_each(&self, Inputs(x): Inputs<Tensor<S, E>>) -> Outputs<Tensor<S, E>> {
        let x = x.stacked(1);
        let (count, shape) = (x.count(), x.shape());
        Outputs(Stack::new(count, shape, map(&Value(self), x.into_flat())))
    }
}

#[diagnostic::do_not_recommend]
impl<F: Elementwise, S: Shape, E: Float> Differentiable<Tensor<S, E>, Yes> for F {
    type Residuals = <F::Kept as Keep>::Residuals<Tensor<S, E>>;

    fn forward(&self, x: Tensor<S, E>) -> (Tensor<S, E>, Self::Residuals) {
        F::Kept::keep(x, |x| self.infer(x))
    }

    fn backward(&self, kept: Self::Residuals, cotangent: Tensor<S, E>) -> Tensor<S, E> {
        F::Kept::pull(self, kept, cotangent)
    }

    fn backward_each(
        &self,
        Inputs(x): Inputs<Tensor<S, E>>,
        Outputs(y): Outputs<Tensor<S, E>>,
        Outputs(dy): Outputs<Tensor<S, E>>,
    ) -> Cotangents<Tensor<S, E>, Yes> {
        let (count, shape) = (dy.count(), dy.shape());
        let kept = F::Kept::choose(x.stacked(count).into_flat(), y.into_flat());
        Cotangents(Lane::Each(Stack::new(count, shape, F::Kept::pull(self, kept, dy.into_flat()))))
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

/// `f` of every pair of elements of two tensors of the same sizes, in place of one that nobody else holds.
pub(super) fn zip<S: Shape, E: Element>(
    f: &impl Function<(E, E), Out = E>,
    mut a: Tensor<S, E>,
    mut b: Tensor<S, E>,
) -> Tensor<S, E> {
    if a.is_unique() {
        map::zip_in_place(f, a.as_mut_slice(), b.as_slice());
        return a;
    }
    if b.is_unique() {
        map::zip_in_place(&map::Swapped(f), b.as_mut_slice(), a.as_slice());
        return b;
    }
    Tensor::written(a.shape(), |y| map::zip(f, a.as_slice(), b.as_slice(), y))
}
