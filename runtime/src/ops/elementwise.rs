//! What ops of one tensor that work element by element have in common: `y[i] = f(x[i])`.
//!
//! Such an op implements [`Elementwise`], two functions of a scalar, and so is an op with a derivative for tensors of
//! any shape. It works in place where nobody else holds the input, and on an input that is about to be computed it is one
//! more thing to do on the way to memory.

use crate::backend::map::{self, Function};
use crate::batching::{Cotangents, Inputs, Lane, Outputs, Stack};
use crate::op::{
    self, Binary, Deferred, Differentiable, Elements, Handover, Now, Pooled, Pooling, ShapeOf, Unary, Yes,
};
use crate::shape::Shape;
use crate::tensor::{Element, Float, Primitive, Tensor};

/// A function of one scalar and its derivative; the op of that function on every element of a tensor.
///
/// Both functions are written with `#[inline(always)]`, and with `if` only to choose between values, so that the loop
/// around them becomes vector instructions.
pub trait Elementwise: Copy + Sync {
    /// What `pullback` reads: [`Input`], [`Output`] or [`Nothing`].
    type Kept: Keep;

    /// Whether `value` is `max(x, 0)`, which products and convolutions compute on the way to memory.
    const IS_RELU: bool = false;

    /// `y = f(x)`.
    fn value<E: Float>(&self, x: E) -> E;

    /// `f'(x)` times the cotangent of `y`. `kept` is `x` or `y` as [`Kept`](Elementwise::Kept) says.
    fn pullback<E: Float>(&self, kept: E, cotangent: E) -> E;
}

/// Which of its two tensors an op keeps for [`Elementwise::pullback`].
pub trait Keep {
    /// What is kept of an input and an output.
    type Residuals<S: Shape, E: Float>: Pull<S, E>;

    /// What is kept of an element and its image.
    fn of<E: Float>(x: E, y: E) -> E;

    /// The one of the two that is kept.
    fn choose<S: Shape, E: Float>(x: Tensor<S, E>, y: Tensor<S, E>) -> Self::Residuals<S, E>;

    /// The output, and what is kept.
    fn keep<F, S, E, D>(
        op: F,
        x: D,
    ) -> (impl Deferred<Tensor<S, E>> + use<Self, F, S, E, D>, Self::Residuals<S, E>)
    where
        F: Elementwise,
        S: Shape,
        E: Float,
        D: Deferred<Tensor<S, E>>;
}

/// What [`Keep`] keeps: a tensor, or nothing.
pub trait Pull<S: Shape, E: Float> {
    /// The cotangent of the input.
    fn pull<F: Elementwise, D: Deferred<Tensor<S, E>>>(
        self,
        op: F,
        cotangent: D,
    ) -> impl Deferred<Tensor<S, E>> + use<Self, F, S, E, D>;
}

impl<S: Shape, E: Float> Pull<S, E> for Tensor<S, E> {
    fn pull<F: Elementwise, D: Deferred<Tensor<S, E>>>(
        self,
        op: F,
        cotangent: D,
    ) -> impl Deferred<Tensor<S, E>> + use<F, S, E, D> {
        Zipped { of: cotangent, f: Pullback(op), kept: self }
    }
}

impl<S: Shape, E: Float> Pull<S, E> for () {
    fn pull<F: Elementwise, D: Deferred<Tensor<S, E>>>(
        self,
        op: F,
        cotangent: D,
    ) -> impl Deferred<Tensor<S, E>> + use<F, S, E, D> {
        Mapped { of: cotangent, f: Pullback(op) }
    }
}

/// `x` is kept.
pub struct Input;

/// `y` is kept: better where there is a choice, since `x` can be overwritten, and the next op often keeps `y` anyway.
pub struct Output;

/// Nothing is kept: the derivative is a constant.
pub struct Nothing;

impl Keep for Input {
    type Residuals<S: Shape, E: Float> = Tensor<S, E>;

    #[inline(always)]
    fn of<E: Float>(x: E, _: E) -> E {
        x
    }

    fn choose<S: Shape, E: Float>(x: Tensor<S, E>, _: Tensor<S, E>) -> Tensor<S, E> {
        x
    }

    fn keep<F, S, E, D>(op: F, x: D) -> (impl Deferred<Tensor<S, E>> + use<F, S, E, D>, Tensor<S, E>)
    where
        F: Elementwise,
        S: Shape,
        E: Float,
        D: Deferred<Tensor<S, E>>,
    {
        let x = x.compute();
        (Mapped { of: Now(x.clone()), f: Value(op) }, x)
    }
}

impl Keep for Output {
    type Residuals<S: Shape, E: Float> = Tensor<S, E>;

    #[inline(always)]
    fn of<E: Float>(_: E, y: E) -> E {
        y
    }

    fn choose<S: Shape, E: Float>(_: Tensor<S, E>, y: Tensor<S, E>) -> Tensor<S, E> {
        y
    }

    fn keep<F, S, E, D>(op: F, x: D) -> (impl Deferred<Tensor<S, E>> + use<F, S, E, D>, Tensor<S, E>)
    where
        F: Elementwise,
        S: Shape,
        E: Float,
        D: Deferred<Tensor<S, E>>,
    {
        let y = x.map(Value(op));
        (Now(y.clone()), y)
    }
}

impl Keep for Nothing {
    type Residuals<S: Shape, E: Float> = ();

    #[inline(always)]
    fn of<E: Float>(_: E, _: E) -> E {
        E::ZERO
    }

    fn choose<S: Shape, E: Float>(_: Tensor<S, E>, _: Tensor<S, E>) {}

    fn keep<F, S, E, D>(op: F, x: D) -> (impl Deferred<Tensor<S, E>> + use<F, S, E, D>, ())
    where
        F: Elementwise,
        S: Shape,
        E: Float,
        D: Deferred<Tensor<S, E>>,
    {
        (Mapped { of: x, f: Value(op) }, ())
    }
}

struct Value<F>(F);

impl<F: Elementwise> Unary for Value<F> {
    const IS_RELU: bool = F::IS_RELU;

    #[inline(always)]
    fn at<E: Float>(&self, x: E) -> E {
        E::primitive(self, [x])
    }
}

/// What pulls a cotangent back pushes a tangent forward: the derivative is a number.
impl<F: Elementwise> Primitive<1> for Value<F> {
    #[inline(always)]
    fn value<E: Float>(&self, [x]: [E; 1]) -> E {
        self.0.value(x)
    }

    #[inline(always)]
    fn tangent<E: Float>(&self, [x]: [E; 1], y: E, [tangent]: [E; 1]) -> E {
        self.0.pullback(F::Kept::of(x, y), tangent)
    }
}

struct Pullback<F>(F);

impl<F: Elementwise> Binary for Pullback<F> {
    #[inline(always)]
    fn at<E: Float>(&self, cotangent: E, kept: E) -> E {
        self.0.pullback(kept, cotangent)
    }
}

impl<F: Elementwise> Unary for Pullback<F> {
    #[inline(always)]
    fn at<E: Float>(&self, cotangent: E) -> E {
        self.0.pullback(E::ZERO, cotangent)
    }
}

/// A function as the loops take it.
pub(super) struct Each<F>(pub F);

impl<F: Unary, E: Float> Function<E> for Each<F> {
    type Out = E;

    #[inline(always)]
    fn at(&self, x: E) -> E {
        self.0.at(x)
    }
}

impl<F: Binary, E: Float> Function<(E, E)> for Each<F> {
    type Out = E;

    #[inline(always)]
    fn at(&self, (a, b): (E, E)) -> E {
        self.0.at(a, b)
    }
}

/// One function after the other.
struct Then<F, G>(F, G);

impl<F: Unary, G: Unary> Unary for Then<F, G> {
    #[inline(always)]
    fn at<E: Float>(&self, x: E) -> E {
        self.1.at(self.0.at(x))
    }
}

/// `g(f(a, b))`
struct AfterZip<F, G>(F, G);

impl<F: Binary, G: Unary> Binary for AfterZip<F, G> {
    #[inline(always)]
    fn at<E: Float>(&self, a: E, b: E) -> E {
        self.1.at(self.0.at(a, b))
    }
}

/// `g(f(a), b)`
struct BeforeZip<F, G>(F, G);

impl<F: Unary, G: Binary> Binary for BeforeZip<F, G> {
    #[inline(always)]
    fn at<E: Float>(&self, a: E, b: E) -> E {
        self.1.at(self.0.at(a), b)
    }
}

/// `f` of every element of a tensor that is about to be computed.
struct Mapped<D, F> {
    of: D,
    f: F,
}

impl<S, E, D, F> Deferred<Tensor<S, E>> for Mapped<D, F>
where
    S: Shape,
    E: Float,
    D: Deferred<Tensor<S, E>>,
    F: Unary,
{
    fn compute(self) -> Tensor<S, E> {
        self.of.map(self.f)
    }

    fn map<G: Unary>(self, g: G) -> Tensor<S, E> {
        self.of.map(Then(self.f, g))
    }

    fn zip<G: Binary>(self, g: G, other: Tensor<S, E>) -> Tensor<S, E> {
        self.of.zip(BeforeZip(self.f, g), other)
    }

    fn pool<P: Pooling<ShapeOf<Tensor<S, E>>>>(self, pooling: &P) -> Pooled<Tensor<S, E>, P> {
        self.of.map_pool(self.f, pooling)
    }

    fn map_pool<G: Unary, P: Pooling<ShapeOf<Tensor<S, E>>>>(
        self,
        g: G,
        pooling: &P,
    ) -> Pooled<Tensor<S, E>, P> {
        self.of.map_pool(Then(self.f, g), pooling)
    }
}

/// `f` of every element of a tensor that is about to be computed and that of one that is kept.
struct Zipped<D, F, T> {
    of: D,
    f: F,
    kept: T,
}

impl<S, E, D, F> Deferred<Tensor<S, E>> for Zipped<D, F, Tensor<S, E>>
where
    S: Shape,
    E: Float,
    D: Deferred<Tensor<S, E>>,
    F: Binary,
{
    fn compute(self) -> Tensor<S, E> {
        self.of.zip(self.f, self.kept)
    }

    fn map<G: Unary>(self, g: G) -> Tensor<S, E> {
        self.of.zip(AfterZip(self.f, g), self.kept)
    }
}

impl<S: Shape, E: Float> Elements for Tensor<S, E> {
    type Shape = S;
    type Element = E;

    fn map<F: Unary>(self, f: F) -> Self {
        map(&Each(f), self)
    }

    fn zip<F: Binary>(self, f: F, other: Self) -> Self {
        zip(&Each(f), self, other)
    }

    fn pool<P: Pooling<S>>(self, pooling: &P) -> Tensor<P::Out, E> {
        pooling.pool(self)
    }
}

#[diagnostic::do_not_recommend]
impl<F: Elementwise, S: Shape, E: Float> op::Op<Tensor<S, E>> for F {
    type Out = Tensor<S, E>;
    const BY_EXAMPLE: bool = S::RANK > 0;
    const HANDOVER: Handover = if F::IS_RELU { Handover::Passed } else { Handover::Written };

    fn infer(&self, x: Tensor<S, E>) -> Tensor<S, E> {
        map(&Each(Value(*self)), x)
    }

    fn infer_deferred<D: Deferred<Tensor<S, E>>>(
        &self,
        x: D,
    ) -> impl Deferred<Tensor<S, E>> + use<F, S, E, D> {
        Mapped { of: x, f: Value(*self) }
    }

    fn infer_each(&self, Inputs(x): Inputs<Tensor<S, E>>) -> Outputs<Tensor<S, E>> {
        let x = x.stacked(1);
        let (count, shape) = (x.count(), x.shape());
        Outputs(Stack::new(count, shape, map(&Each(Value(*self)), x.into_flat())))
    }
}

#[diagnostic::do_not_recommend]
impl<F: Elementwise, S: Shape, E: Float> Differentiable<Tensor<S, E>, Yes> for F {
    type Residuals = <F::Kept as Keep>::Residuals<S, E>;

    fn forward(&self, x: Tensor<S, E>) -> (Tensor<S, E>, Self::Residuals) {
        let (y, kept) = F::Kept::keep(*self, Now(x));
        (y.compute(), kept)
    }

    fn backward(&self, kept: Self::Residuals, cotangent: Tensor<S, E>) -> Tensor<S, E> {
        kept.pull(*self, Now(cotangent)).compute()
    }

    fn forward_deferred<D: Deferred<Tensor<S, E>>>(
        &self,
        x: D,
    ) -> (impl Deferred<Tensor<S, E>> + use<F, S, E, D>, Self::Residuals) {
        F::Kept::keep(*self, x)
    }

    fn backward_deferred<D: Deferred<Tensor<S, E>>>(
        &self,
        kept: Self::Residuals,
        cotangent: D,
    ) -> impl Deferred<Tensor<S, E>> + use<F, S, E, D> {
        kept.pull(*self, cotangent)
    }

    fn backward_each(
        &self,
        Inputs(x): Inputs<Tensor<S, E>>,
        Outputs(y): Outputs<Tensor<S, E>>,
        Outputs(dy): Outputs<Tensor<S, E>>,
    ) -> Cotangents<Tensor<S, E>, Yes> {
        let (count, shape) = (dy.count(), dy.shape());
        let kept = F::Kept::choose(x.stacked(count).into_flat(), y.into_flat());
        let dx = kept.pull(*self, Now(dy.into_flat())).compute();
        Cotangents(Lane::Each(Stack::new(count, shape, dx)))
    }
}

/// `f` of every element, in place where nobody else holds `x`.
pub(super) fn map<S: Shape, E: Element>(f: &impl Function<E, Out = E>, mut x: Tensor<S, E>) -> Tensor<S, E> {
    if let Some(elements) = x.get_mut() {
        map::map_in_place(f, elements);
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
    if let Some(elements) = a.get_mut() {
        map::zip_in_place(f, elements, b.as_slice());
        return a;
    }
    if let Some(elements) = b.get_mut() {
        map::zip_in_place(&map::Swapped(f), elements, a.as_slice());
        return b;
    }
    Tensor::written(a.shape(), |y| map::zip(f, a.as_slice(), b.as_slice(), y))
}
