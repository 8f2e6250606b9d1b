//! All that generated code may call, besides the contracts. Not for users.

use crate::module::effect::{NoDraws, NoUpdates};
use crate::module::{Collections, Module, Trainable};
use crate::op::{Differentiable, Need, Needs, Op};
use crate::rng::Scope;
use crate::shape::Shape;
use crate::tensor::{Element, Float, Tensor};
use std::marker::PhantomData;

use crate::transform::{Lift, Primal, Split};
pub use crate::transform::{jacobian_by_columns, jacobian_by_rows};
pub use serde;

/// What a closure reads from outside, with one tangent more, of zero.
pub fn constant<T: Lift>(value: &T) -> T::Lifted {
    value.lifted()
}

/// What a closure is differentiated by, with its tangent.
pub fn dual<P: Primal>(value: &P, tangent: &impl Primal<Owned = P::Owned>) -> P::Lifted {
    value.with_tangent(tangent.owned())
}

/// Serialises the variables of submodules that share a field so that a state dict can give each its own name.
pub fn elements<T: serde::Serialize, S: serde::Serializer>(
    elements: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(crate::serialization::ELEMENTS, elements)
}

/// What names the types of a module's values: the generated trait of its steps is implemented for `Steps<(generics)>`.
pub struct Steps<G>(PhantomData<G>);

/// A type whose shape was checked in numbers. While the constant `OK` fails to evaluate, rustc knows nothing of the type,
/// so that of a wrong shape the numbers speak and the types are silent.
pub struct Checked<T, const OK: bool>(PhantomData<T>);

/// The type that was checked.
pub trait Passed {
    /// The type itself.
    type Type;
}

impl<T> Passed for Checked<T, true> {
    type Type = T;
}

/// The forward pass of an op that is differentiated only if `M` says so.
pub fn forward_if<M: Need, In, N: Needs<In>, O: Differentiable<In, N>>(
    op: &O,
    input: In,
) -> (O::Out, M::Of<O::Residuals>) {
    M::choose(input, |input| op.forward(input), |input| op.infer(input))
}

/// The backward pass of an op that is differentiated only if `M` says so.
pub fn backward_if<M: Need, In, N: Needs<In>, O: Differentiable<In, N>>(
    op: &O,
    residuals: M::Of<O::Residuals>,
    cotangent: M::Of<O::Out>,
) -> M::Of<N::Cotangents> {
    M::zip(residuals, cotangent, |residuals, cotangent| op.backward(residuals, cotangent))
}

/// No cotangent, for an input that nobody asks about.
///
/// # Panics
/// If it is needed. Generated code calls it only where nothing of an equation is needed.
pub fn nothing<N: Need, T>() -> N::Of<T> {
    N::when(|| unreachable!("a cotangent that is needed comes out of a backward pass"))
}

/// A result that was computed forward, and its tangent.
pub fn split<T: Split>(dual: T) -> (T::Primal, T::Primal) {
    dual.split()
}

/// The input of a call in a closure.
///
/// Its methods fix the type of the input before rustc looks for the op or the model, so that what is said of a wrong
/// one is said of that input.
pub struct Input<In>(pub In);

impl<In> Input<In> {
    /// Computes an op.
    pub fn infer<O: Op<In>>(self, op: O) -> O::Out {
        op.infer(self.0)
    }

    /// Computes an op, and keeps what goes backward through it.
    #[allow(clippy::type_complexity)]
    pub fn vjp<N: Needs<In>, O: Differentiable<In, N>>(
        self,
        op: O,
        _: N,
    ) -> (O::Out, Pullback<(O, O::Residuals), O::Out, N::Cotangents>) {
        let (out, residuals) = op.forward(self.0);
        (
            out,
            Pullback {
                kept: (op, residuals),
                pull: |(op, residuals), cotangent| op.backward(residuals, cotangent),
            },
        )
    }

    /// Applies a model to variables that were lifted for this call, and keeps what goes backward through it.
    #[allow(clippy::type_complexity)]
    pub fn lifted_model_vjp<
        'a,
        N: Needs<In>,
        M: Pure<In> + Trainable<In, N>,
        V: Collections<M::Params, M::State>,
    >(
        self,
        model: &'a M,
        variables: V,
        _: N,
    ) -> (M::Out, Pullback<(&'a M, V, M::Residuals), M::Out, (M::Params, N::Cotangents)>) {
        let scope = Scope::without_streams();
        let (out, residuals) = model.forward(variables.params(), &mut variables.state(), &scope, self.0);
        let pull = |(model, variables, residuals): (&'a M, V, M::Residuals), cotangent| {
            model.backward(variables.params(), residuals, cotangent)
        };
        (out, Pullback { kept: (model, variables, residuals), pull })
    }

    /// Applies a model, and keeps what goes backward through it.
    #[allow(clippy::type_complexity)]
    pub fn model_vjp<'a, N: Needs<In>, M: Pure<In> + Trainable<In, N>>(
        self,
        model: &'a M,
        variables: &'a impl Collections<M::Params, M::State>,
        _: N,
    ) -> (M::Out, Pullback<(&'a M, &'a M::Params, M::Residuals), M::Out, (M::Params, N::Cotangents)>) {
        let params = variables.params();
        let scope = Scope::without_streams();
        let (out, residuals) = model.forward(params, &mut variables.state(), &scope, self.0);
        let pull = |(model, params, residuals): (&'a M, &'a M::Params, M::Residuals), cotangent| {
            model.backward(params, residuals, cotangent)
        };
        (out, Pullback { kept: (model, params, residuals), pull })
    }
}

/// What stands around a closure and is an input of a call in it: a tensor, a reference to one, or a number.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an input of an op",
    label = "expected a tensor, a reference to one, or a number of f32 or f64"
)]
pub trait IntoTensor {
    /// The tensor's type.
    type Tensor;
    /// The tensor; a number is one without dimensions, which broadcasts.
    fn into_tensor(self) -> Self::Tensor;
}

impl<S: Shape, E: Element> IntoTensor for Tensor<S, E> {
    type Tensor = Self;
    fn into_tensor(self) -> Self {
        self
    }
}

impl<T: IntoTensor + Clone> IntoTensor for &T {
    type Tensor = T::Tensor;
    fn into_tensor(self) -> T::Tensor {
        self.clone().into_tensor()
    }
}

macro_rules! numbers {
    ($($number:ident)+) => {$(
        impl IntoTensor for $number {
            type Tensor = Tensor<(), $number>;
            fn into_tensor(self) -> Tensor<(), $number> {
                Tensor::scalar(self)
            }
        }
    )+};
}
numbers! { f32 f64 }

/// What goes backward through a call: what was kept, and the function that reads it.
pub struct Pullback<Kept, Out, Cotangents> {
    kept: Kept,
    pull: fn(Kept, Out) -> Cotangents,
}

impl<Kept, Out, Cotangents> Pullback<Kept, Out, Cotangents> {
    /// From the cotangent of the output, those of the inputs.
    pub fn pull(self, cotangent: Out) -> Cotangents {
        (self.pull)(self.kept, cotangent)
    }
}

/// Applies a model that no gradient goes through.
pub fn model_infer<In, M: Pure<In>>(
    model: &M,
    variables: &impl Collections<M::Params, M::State>,
    input: In,
) -> M::Out {
    apply(model, variables, input)
}

/// Applies a model whose call its own method has found to be pure.
pub fn apply<In, M: Module<In>>(
    model: &M,
    variables: &impl Collections<M::Params, M::State>,
    input: In,
) -> M::Out {
    model.infer(variables.params(), &mut variables.state(), &Scope::without_streams(), input)
}

/// A module whose call `apply` may make.
pub trait Pure<In>: Module<In, Updates: NoUpdates<()>, Draws: NoDraws<()>> {}

impl<In, M: Module<In, Updates: NoUpdates<()>, Draws: NoDraws<()>>> Pure<In> for M {}

/// One of several outputs.
pub trait Part<const INDEX: usize> {
    /// Its type.
    type Out;
}

macro_rules! parts {
    ($(($($all:ident),+) $index:literal $part:ident;)+) => {$(
        impl<$($all),+> Part<$index> for ($($all,)+) {
            type Out = $part;
        }
    )+};
}
parts! {
    (A, B) 0 A; (A, B) 1 B;
    (A, B, C) 0 A; (A, B, C) 1 B; (A, B, C) 2 C;
    (A, B, C, D) 0 A; (A, B, C, D) 1 B; (A, B, C, D) 2 C; (A, B, C, D) 3 D;
}

/// The loss of `value_and_grad!`: a scalar.
#[diagnostic::on_unimplemented(
    message = "the loss must be a scalar, and this is `{Self}`",
    label = "not a scalar: end with `.mean()` or `.sum()`"
)]
pub trait Loss {
    /// The cotangent that the backward pass begins with: 1.
    fn seed(&self) -> Self;
}

impl<E: Float> Loss for Tensor<(), E> {
    fn seed(&self) -> Self {
        Tensor::scalar(E::ONE)
    }
}

/// The cotangent of what nothing depends on.
pub fn zeros<S: Shape, E: Float>(like: Tensor<S, E>) -> Tensor<S, E> {
    Tensor::zeros(like.shape())
}

/// Prints the shape of a leaf as Flax does: `(10, 5)`, `(5,)`.
pub struct LeafShape<'a, S: Shape, E: Float>(pub &'a Tensor<S, E>);

impl<S: Shape, E: Float> std::fmt::Debug for LeafShape<'_, S, E> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.sizes().as_ref() {
            [size] => write!(formatter, "({size},)"),
            sizes => {
                formatter.write_str("(")?;
                for (axis, size) in sizes.iter().enumerate() {
                    write!(formatter, "{}{size}", if axis > 0 { ", " } else { "" })?;
                }
                formatter.write_str(")")
            }
        }
    }
}

/// Declares types that stand for generic dimensions while a module's shapes are checked in numbers.
#[macro_export]
#[doc(hidden)]
macro_rules! __stand_in {
    ($name:ident) => {
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        struct $name;

        impl $crate::shape::Dim for $name {
            const SIZE: $crate::shape::Size = $crate::shape::Size::Named(stringify!($name));

            fn size(self) -> usize {
                0
            }
            fn from_size(_: usize) -> Option<Self> {
                None
            }
        }

        impl $crate::shape::Static for $name {
            const N: usize = 0;
        }
    };
}
