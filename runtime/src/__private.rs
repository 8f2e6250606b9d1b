//! All that generated code may call, besides the contracts. Not for users.

use crate::init::Initializer;
use crate::module::effect::{DrawsFrom, NoDraws, NoUpdates};
use crate::module::{Captured, Collections, Eval, Module, Sown, Train, Trainable, Variables};
use crate::op::{Cotangent, Differentiable, Need, Needs, Op};
use crate::rng::{Key, Rngs, Scope};
use crate::shape::{Rule, Shape, Sizes, StaticShape};
use crate::tensor::{Element, Float, Tensor};
use std::cell::RefCell;
use std::marker::PhantomData;

pub use crate::module::blocks::{ExampleBytes, example_bytes, if_by_example, in_blocks};
pub use crate::module::choose::Choose;
pub use crate::module::control::{
    Either, Slots, StandIn, Unzip, accumulate, called, constant, each, each_of, first_of, fold, narrowed,
    other_arm, scan, scan_back, summed, taken, taken_mut,
};
pub use crate::module::named::Names;
use crate::transform::{Lift, Primal, Split};
pub use crate::transform::{jacobian_by_columns, jacobian_by_rows};
pub use serde;
pub use typenum;

/// What a closure reads from outside, with one tangent more, of zero.
pub fn constant<T: Lift>(value: &T) -> T::Lifted {
    value.lifted()
}

/// What a closure is differentiated by, with its tangent.
pub fn dual<P: Primal>(value: &P, tangent: &impl Primal<Owned = P::Owned>) -> P::Lifted {
    value.with_tangent(tangent.owned())
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
    pub fn lifted_model_vjp<'a, N: Needs<In>, M: Pure<In> + Trainable<In, N>, V>(
        self,
        model: &'a M,
        variables: V,
        _: N,
    ) -> (M::Out, Pullback<(&'a M, V, M::Residuals), M::Out, (M::Params, N::Cotangents)>)
    where
        for<'v> &'v V: Collections<'v, M::Params, M::State>,
    {
        let (params, mut state) = variables.split();
        let (out, residuals) = model.forward(params, &mut state, &Scope::without_streams(), self.0);
        let pull = |(model, variables, residuals): (&'a M, V, M::Residuals), cotangent| {
            model.backward(variables.split().0, residuals, cotangent)
        };
        (out, Pullback { kept: (model, variables, residuals), pull })
    }

    /// Applies a model, and keeps what goes backward through it.
    #[allow(clippy::type_complexity)]
    pub fn model_vjp<'a, N: Needs<In>, M: Pure<In> + Trainable<In, N>>(
        self,
        model: &'a M,
        variables: impl Collections<'a, M::Params, M::State>,
        _: N,
    ) -> (M::Out, Pullback<(&'a M, &'a M::Params, M::Residuals), M::Out, (M::Params, N::Cotangents)>) {
        let (params, mut state) = variables.split();
        self.pulled(model, params, &mut state, &Scope::without_streams())
    }

    /// Applies a model that updates its state or draws, and keeps what goes backward through it.
    #[allow(clippy::type_complexity)]
    pub fn model_vjp_mut<'a, N, M, R>(
        self,
        model: &'a M,
        variables: impl Collections<'a, M::Params, M::State>,
        rngs: R,
        _: N,
    ) -> (
        (M::Out, M::State),
        Pullback<(&'a M, &'a M::Params, M::Residuals), M::Out, (M::Params, N::Cotangents)>,
    )
    where
        N: Needs<In>,
        M: Trainable<In, N, Draws: DrawsFrom<R>>,
        R: Rngs,
    {
        const { M::Draws::STREAMS.use_all_of::<R>() }
        let (params, mut state) = variables.split();
        let (out, pullback) = self.pulled(model, params, &mut state, &rngs.scope());
        ((out, state), pullback)
    }

    #[allow(clippy::type_complexity)]
    fn pulled<'a, N: Needs<In>, M: Trainable<In, N>>(
        self,
        model: &'a M,
        params: &'a M::Params,
        state: &mut M::State,
        scope: &Scope,
    ) -> (M::Out, Pullback<(&'a M, &'a M::Params, M::Residuals), M::Out, (M::Params, N::Cotangents)>) {
        let (out, residuals) = model.forward(params, state, scope, self.0);
        let pull = |(model, params, residuals): (&'a M, &'a M::Params, M::Residuals), cotangent| {
            model.backward(params, residuals, cotangent)
        };
        (out, Pullback { kept: (model, params, residuals), pull })
    }
}

/// What stands around a closure and is an input of a call in it: a tensor, a reference to one, a number, a phase or a key.
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

macro_rules! as_they_are {
    ($($input:ident)+) => {$(
        impl IntoTensor for $input {
            type Tensor = $input;
            fn into_tensor(self) -> $input {
                self
            }
        }
    )+};
}
as_they_are! { Train Eval Key }

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
pub fn model_infer<'a, In, M: Pure<In, Params: 'a>>(
    model: &M,
    variables: impl Collections<'a, M::Params, M::State>,
    input: In,
) -> M::Out {
    apply(model, variables, input)
}

/// Applies a model that updates its state or draws, in a closure, and that no gradient goes through.
pub fn model_infer_mut<'a, In, M: Module<In, Draws: DrawsFrom<R>, Params: 'a>, R: Rngs>(
    model: &M,
    variables: impl Collections<'a, M::Params, M::State>,
    input: In,
    rngs: R,
) -> (M::Out, M::State) {
    const { M::Draws::STREAMS.use_all_of::<R>() }
    apply_mut(model, variables, input, &rngs.scope())
}

/// Applies a model whose call its own method has found to be pure.
pub fn apply<'a, In, M: Module<In, Params: 'a>>(
    model: &M,
    variables: impl Collections<'a, M::Params, M::State>,
    input: In,
) -> M::Out {
    apply_mut(model, variables, input, &Scope::without_streams()).0
}

/// Applies a model, and returns the state that it leaves.
pub fn apply_mut<'a, In, M: Module<In, Params: 'a>>(
    model: &M,
    variables: impl Collections<'a, M::Params, M::State>,
    input: In,
    scope: &Scope,
) -> (M::Out, M::State) {
    let (params, mut state) = variables.split();
    let out = model.infer(params, &mut state, scope, input);
    (out, state)
}

/// Draws the variables of a model, and applies it with them.
pub fn init_with_output<In, M: Module<In>>(
    model: &M,
    scope: &Scope,
    input: In,
) -> (M::Out, Variables<M::Params, M::State>) {
    let (params, state) = model.init(scope);
    let out = model.infer(&params, &mut state.clone(), scope, input);
    (out, Variables { params, state })
}

/// Applies a model, and captures what it sows and the outputs of its submodules.
pub fn apply_and_capture<'a, In, M: Module<In, Params: 'a, Out: Sown + Clone>>(
    model: &M,
    variables: impl Collections<'a, M::Params, M::State>,
    input: In,
) -> (M::Out, Captured) {
    let captured = RefCell::default();
    let scope = Scope::capturing(&captured);
    let (out, _) = apply_mut(model, variables, input, &scope);
    scope.capture(|| out.clone());
    drop(scope);
    (out, captured.into_inner())
}

/// The first value of a variable of another collection than `params`. Only what is drawn takes a key.
pub fn variable<S: StaticShape, E: Float>(initializer: &Initializer, scope: &Scope) -> Tensor<S, E> {
    let key = match initializer {
        Initializer::Constant(_) => Key::new(0),
        _ => scope.param(),
    };
    initializer.init(key, S::default())
}

/// A module whose call `apply` may make.
pub trait Pure<In>: Module<In, Updates: NoUpdates<()>, Draws: NoDraws<()>> {}

impl<In, M: Module<In, Updates: NoUpdates<()>, Draws: NoDraws<()>>> Pure<In> for M {}

/// What is called in the body of a module. Nothing has it: a module's own `shape` comes before [`NotCalled::shape`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module, so it cannot be called",
    label = "this has no `call`",
    note = "a hyper-parameter is read without parentheses: `x * self.scale`"
)]
pub trait Called {}

/// Makes rustc say that what is called is no module, where it would say that there is no function `shape`.
pub trait NotCalled {
    /// Never found.
    fn shape<const N: usize>(_: [Sizes; N]) -> Rule;
}

impl<T: Called> NotCalled for T {
    fn shape<const N: usize>(_: [Sizes; N]) -> Rule {
        Rule::Poisoned
    }
}

/// One of several: of the outputs of a call, or of the submodules in a field.
#[diagnostic::on_unimplemented(
    message = "several values are bound here, but this is one: `{Self}`",
    label = "this has one value"
)]
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
    (A) 0 A;
    (A, B) 0 A; (A, B) 1 B;
    (A, B, C) 0 A; (A, B, C) 1 B; (A, B, C) 2 C;
    (A, B, C, D) 0 A; (A, B, C, D) 1 B; (A, B, C, D) 2 C; (A, B, C, D) 3 D;
    (A, B, C, D, F) 0 A; (A, B, C, D, F) 1 B; (A, B, C, D, F) 2 C; (A, B, C, D, F) 3 D; (A, B, C, D, F) 4 F;
    (A, B, C, D, F, G) 0 A; (A, B, C, D, F, G) 1 B; (A, B, C, D, F, G) 2 C; (A, B, C, D, F, G) 3 D;
    (A, B, C, D, F, G) 4 F; (A, B, C, D, F, G) 5 G;
    (A, B, C, D, F, G, H) 0 A; (A, B, C, D, F, G, H) 1 B; (A, B, C, D, F, G, H) 2 C; (A, B, C, D, F, G, H) 3 D;
    (A, B, C, D, F, G, H) 4 F; (A, B, C, D, F, G, H) 5 G; (A, B, C, D, F, G, H) 6 H;
    (A, B, C, D, F, G, H, I) 0 A; (A, B, C, D, F, G, H, I) 1 B; (A, B, C, D, F, G, H, I) 2 C;
    (A, B, C, D, F, G, H, I) 3 D; (A, B, C, D, F, G, H, I) 4 F; (A, B, C, D, F, G, H, I) 5 G;
    (A, B, C, D, F, G, H, I) 6 H; (A, B, C, D, F, G, H, I) 7 I;
}

impl<T> Part<0> for Option<T> {
    type Out = T;
}

/// A submodule in an arm that is taken only if it is there.
pub fn there<T>(optional: &Option<T>) -> &T {
    match optional {
        Some(there) => there,
        None => unreachable!("the pattern of this arm has found it"),
    }
}

impl<T, const COUNT: usize, const INDEX: usize> Part<INDEX> for [T; COUNT] {
    type Out = T;
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
pub fn zeros<T: Cotangent>(like: T) -> T {
    like.zeros_like()
}

/// Prints the shapes of a tree by name. A module without variables is left out, as Flax has no key for it.
pub struct Shapes<'a, 'f>(std::fmt::DebugMap<'a, 'f>);

impl<'a, 'f> Shapes<'a, 'f> {
    /// Begins to print.
    pub fn of(formatter: &'a mut std::fmt::Formatter<'f>) -> Self {
        Shapes(formatter.debug_map())
    }

    /// Prints an entry.
    pub fn entry<T: std::fmt::Debug>(&mut self, name: &dyn std::fmt::Debug, value: &T) -> &mut Self {
        if size_of::<T>() > 0 {
            self.0.entry(name, value);
        }
        self
    }

    /// Ends.
    pub fn finish(&mut self) -> std::fmt::Result {
        self.0.finish()
    }
}

/// Prints the shape of a leaf as Flax does: `(10, 5)`, `(5,)`.
pub struct LeafShape<'a, S: Shape, E: Element>(pub &'a Tensor<S, E>);

impl<S: Shape, E: Element> std::fmt::Debug for LeafShape<'_, S, E> {
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
