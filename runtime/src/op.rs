//! The contract of an op: a function of tensors without variables, and its derivative.
//!
//! An op lives in a room of its own: a module with a type `Op` in it. `relu(x)` in the body of a module becomes calls
//! of `relu::Op`: its shape rule in numbers while compiling, [`Op::infer`] or [`Differentiable::forward`] and
//! [`Differentiable::backward`] when the program runs. The macro knows no op, so a user's op works like flaxen's:
//!
//! ```
//! use flaxen::prelude::*;
//!
//! /// `y = 3 x`
//! mod triple {
//!     use flaxen::op::{Differentiable, Yes};
//!     use flaxen::prelude::*;
//!     use flaxen::shape::{Rule, Sizes};
//!
//!     #[derive(Default)]
//!     pub struct Op;
//!
//!     impl Op {
//!         pub const fn new() -> Self {
//!             Op
//!         }
//!         /// The rule in numbers: the output has the input's sizes.
//!         pub const fn shape(inputs: [Sizes; 1]) -> Rule {
//!             Rule::Out(inputs[0])
//!         }
//!     }
//!
//!     impl<S: Shape> flaxen::op::Op<Tensor<S>> for Op {
//!         type Out = Tensor<S>;
//!         fn infer(&self, mut x: Tensor<S>) -> Tensor<S> {
//!             x.as_mut_slice().iter_mut().for_each(|x| *x *= 3.0);
//!             x
//!         }
//!     }
//!
//!     impl<S: Shape> Differentiable<Tensor<S>, Yes> for Op {
//!         type Residuals = ();
//!         fn forward(&self, x: Tensor<S>) -> (Tensor<S>, ()) {
//!             (flaxen::op::Op::infer(self, x), ())
//!         }
//!         fn backward(&self, (): (), cotangent: Tensor<S>) -> Tensor<S> {
//!             flaxen::op::Op::infer(self, cotangent)
//!         }
//!     }
//! }
//!
//! let (y, dx) = value_and_grad!(|x| triple(x).sum(), Tensor::<(U2,)>::of(&[1.0, 2.0])?);
//! assert_eq!(y.item(), 9.0);
//! assert_eq!(dx.as_slice(), [3.0, 3.0]);
//! # Ok::<(), flaxen::Error>(())
//! ```

mod deferred;

pub(crate) use deferred::Perhaps;
pub use deferred::{Binary, Deferred, Elements, Handover, Now, Pooled, Pooling, ShapeOf, Unary};

use crate::batching::{Cotangents, Gather, Inputs, Outputs, Values};
use crate::batching::{backward_one_by_one, infer_one_by_one};
use crate::tree::Tree;

/// A function of tensors. `In` is a tensor, or a tuple of them for several inputs.
///
/// Beside this trait the type has `const fn new(..) -> Self`, which takes the values of the call that are not
/// tensors, and `const fn shape(inputs: [Sizes; N]) -> Rule`, the shape rule in numbers.
#[diagnostic::on_unimplemented(
    message = "the op `{Self}` does not take `{In}`",
    label = "the shapes or elements of these inputs do not fit this op"
)]
pub trait Op<In> {
    /// The output, or a tuple of outputs.
    type Out;

    /// Whether example `i` of the output, along the first axis, depends on example `i` of the input alone. Only an op of one
    /// input is asked.
    const BY_EXAMPLE: bool = false;

    /// Whether the output is held in memory, where it goes to the next call alone.
    const HANDOVER: Handover = Handover::Written;

    /// Computes the output. An input that nobody else holds may be overwritten.
    fn infer(&self, input: In) -> Self::Out;

    /// The output of an input that is about to be computed; it may be computed later itself. In a `#[module]` this is called
    /// where the input comes from the call before, or the output goes to the next one, alone.
    fn infer_deferred<D: Deferred<In>>(&self, input: D) -> impl Deferred<Self::Out> + use<Self, In, D> {
        Now(self.infer(input.compute()))
    }

    /// Computes the outputs of many examples, in a `vmap!`.
    ///
    /// One example after the other, unless an op knows better: one that works element by element takes all elements at once.
    /// The [`Lane`](crate::batching::Lane)s of the inputs say which of them vary.
    fn infer_each(&self, Inputs(inputs): Inputs<In>) -> Outputs<Self::Out>
    where
        In: Values,
        Self::Out: Values,
    {
        infer_one_by_one(self, &inputs)
    }
}

/// An op that has a derivative with respect to the inputs that `N` names.
///
/// `N` is [`Yes`] for an op of one input, and a tuple of [`Yes`] and [`No`] for an op of several: what nobody needs is
/// neither kept nor computed.
#[diagnostic::on_unimplemented(
    message = "the op `{Self}` has no derivative",
    label = "a gradient is taken through this call",
    note = "compute it from values that do not depend on the parameters, or outside of `value_and_grad!`"
)]
pub trait Differentiable<In, N: Needs<In>>: Op<In> {
    /// What `backward` reads.
    type Residuals;

    /// Computes the output, and keeps what `backward` needs.
    fn forward(&self, input: In) -> (Self::Out, Self::Residuals);

    /// From the cotangent of the output, the cotangents of the inputs.
    fn backward(&self, residuals: Self::Residuals, cotangent: Self::Out) -> N::Cotangents;

    /// [`forward`](Differentiable::forward) for an input and an output as in [`Op::infer_deferred`].
    fn forward_deferred<D: Deferred<In>>(
        &self,
        input: D,
    ) -> (impl Deferred<Self::Out> + use<Self, In, N, D>, Self::Residuals) {
        let (out, residuals) = self.forward(input.compute());
        (Now(out), residuals)
    }

    /// [`backward`](Differentiable::backward) for a cotangent that is about to be computed; that of the input may be computed
    /// later itself.
    fn backward_deferred<D: Deferred<Self::Out>>(
        &self,
        residuals: Self::Residuals,
        cotangent: D,
    ) -> impl Deferred<N::Cotangents> + use<Self, In, N, D> {
        Now(self.backward(residuals, cotangent.compute()))
    }

    /// From the cotangents of the outputs of many examples, those of the inputs; of an input that is the same for every
    /// example, their sum.
    ///
    /// What a single [`forward`](Differentiable::forward) keeps is not kept of many examples, but the inputs and the outputs
    /// are. One example after the other goes forward and backward again, unless an op knows better.
    fn backward_each(
        &self,
        Inputs(inputs): Inputs<In>,
        outputs: Outputs<Self::Out>,
        Outputs(cotangents): Outputs<Self::Out>,
    ) -> Cotangents<In, N>
    where
        In: Values,
        Self::Out: Values,
        N: Gather<In>,
    {
        drop(outputs);
        backward_one_by_one::<In, N, Self>(self, &inputs, &cotangents)
    }
}

/// Whether the cotangent of one input is needed: [`Yes`] or [`No`].
pub trait Need: 'static {
    /// `T` if it is needed, `()` if not.
    type Of<T>;
    /// Needed if this or the other is.
    type Or<Other: Need>: Need;
    /// Whether it is needed.
    const NEEDED: bool;

    /// The value if it is needed; otherwise `value` is not called.
    fn when<T>(value: impl FnOnce() -> T) -> Self::Of<T>;
    /// Something made of two values, if there are any.
    fn zip<T, U, V>(a: Self::Of<T>, b: Self::Of<U>, combine: impl FnOnce(T, U) -> V) -> Self::Of<V>;
    /// The value, or another one where it is not needed.
    fn or<T>(value: Self::Of<T>, other: impl FnOnce() -> T) -> T;

    /// Calls one of two functions with the same argument, and keeps the second part of what `needed` returns.
    fn choose<A, T, U>(
        argument: A,
        needed: impl FnOnce(A) -> (T, U),
        otherwise: impl FnOnce(A) -> T,
    ) -> (T, Self::Of<U>);

    /// Another value made of this one, if there is one.
    fn map<T, U>(value: Self::Of<T>, change: impl FnOnce(T) -> U) -> Self::Of<U> {
        Self::zip(value, Self::when(|| ()), |value, ()| change(value))
    }

    /// The sum of two values, if there are any.
    fn add<T: Cotangent>(sum: Self::Of<T>, term: Self::Of<T>) -> Self::Of<T> {
        Self::zip(sum, term, |mut sum, term| {
            Cotangent::accumulate(&mut sum, term);
            sum
        })
    }
}

/// What is added up on the way back: a tree of tensors, or a value in a `vmap!`.
pub trait Cotangent {
    /// Adds another contribution.
    fn accumulate(&mut self, other: Self);

    /// The cotangent of what nothing depends on, in the shape of this value.
    fn zeros_like(&self) -> Self;
}

impl<T: Tree> Cotangent for T {
    fn accumulate(&mut self, other: Self) {
        Tree::accumulate(self, other);
    }

    fn zeros_like(&self) -> Self {
        Tree::zeros_like(self)
    }
}

/// The cotangent is needed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Yes;

/// The cotangent is not needed.
#[derive(Clone, Copy, Debug, Default)]
pub struct No;

impl Need for Yes {
    type Of<T> = T;
    type Or<Other: Need> = Yes;
    const NEEDED: bool = true;

    fn when<T>(value: impl FnOnce() -> T) -> T {
        value()
    }
    fn zip<T, U, V>(a: T, b: U, combine: impl FnOnce(T, U) -> V) -> V {
        combine(a, b)
    }
    fn or<T>(value: T, _: impl FnOnce() -> T) -> T {
        value
    }
    fn choose<A, T, U>(argument: A, needed: impl FnOnce(A) -> (T, U), _: impl FnOnce(A) -> T) -> (T, U) {
        needed(argument)
    }
}

impl Need for No {
    type Of<T> = ();
    type Or<Other: Need> = Other;
    const NEEDED: bool = false;

    fn when<T>(_: impl FnOnce() -> T) {}
    fn zip<T, U, V>((): (), (): (), _: impl FnOnce(T, U) -> V) {}
    fn or<T>((): (), other: impl FnOnce() -> T) -> T {
        other()
    }
    fn choose<A, T, U>(argument: A, _: impl FnOnce(A) -> (T, U), otherwise: impl FnOnce(A) -> T) -> (T, ()) {
        (otherwise(argument), ())
    }
}

/// Which cotangents of the inputs `In` are needed.
pub trait Needs<In> {
    /// The cotangents of the inputs, `()` where one is not needed.
    type Cotangents;
}

impl<N: Need, In> Needs<In> for N {
    type Cotangents = N::Of<In>;
}

macro_rules! needs {
    ($($($n:ident $input:ident)+;)+) => {$(
        impl<$($n: Need, $input),+> Needs<($($input,)+)> for ($($n,)+) {
            type Cotangents = ($($n::Of<$input>,)+);
        }
    )+};
}

needs! {
    NA A NB B;
    NA A NB B NC C;
    NA A NB B NC C ND D;
    NA A NB B NC C ND D NE E;
    NA A NB B NC C ND D NE E NF F;
}
