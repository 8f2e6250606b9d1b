//! Modules in a `vmap!`.
//!
//! `#[module(vmap)]` makes a module of examples by itself. A module that is written by hand says how it computes many examples:
//!
//! ```
//! # use flaxen::prelude::*;
//! # struct MyLayer;
//! impl flaxen::batching::Vmapped for MyLayer {
//!     type Rule = flaxen::batching::OneByOne;
//! }
//! ```

use super::axes::Axes;
use super::batched::Batched;
use super::example::Stack;
use super::lane::{Gather, Lane, Values};
use crate::module::effect::{NoDraws, NoUpdates};
use crate::module::{Module, Trainable};
use crate::op::Need;
use crate::rng::Scope;
use crate::shape::axis::InsertAxis;
use crate::shape::dim::Dim1;
use crate::shape::{Dyn, MAX_RANK, Shape};
use crate::tensor::{Element, Tensor, shape_of};
use crate::tree::Tree;

/// A module of one tensor, written by hand, that says how it computes many examples.
pub trait Vmapped {
    /// [`OneByOne`] or [`AsLeadingAxis`].
    type Rule;
}

/// The examples are computed one after the other, as if in a loop. The module changes no state and draws no random numbers.
///
/// What forward keeps of one example is not kept of many: the backward pass computes each of them again.
pub struct OneByOne;

/// The examples are one more leading axis: right for a layer to which all leading axes are alike.
pub struct AsLeadingAxis;

/// How the module `M` computes many examples of `[S]`.
pub trait Rule<M, S, E> {
    /// The output for one example.
    type Out: Values;
    /// The parameters, as for one example.
    type Params: Tree;
    /// The state, as for one example.
    type State: Tree;

    /// Draws the variables.
    fn init(module: &M, scope: &Scope) -> (Self::Params, Self::State);

    /// The outputs of all examples.
    fn infer(
        module: &M,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        input: Stack<Tensor<S, E>>,
    ) -> <Self::Out as Values>::Stacks
    where
        S: Shape,
        E: Element;
}

/// A rule that has a backward pass.
pub trait RuleBackward<M, S: Shape, E: Element, N: Need>: Rule<M, S, E> {
    /// What it keeps.
    type Residuals;

    /// The outputs of all examples, and what backward reads.
    fn forward(
        module: &M,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        input: Stack<Tensor<S, E>>,
    ) -> (<Self::Out as Values>::Stacks, Self::Residuals);

    /// The gradient of the parameters, summed over all examples, and the cotangents of the inputs.
    fn backward(
        module: &M,
        params: &Self::Params,
        residuals: Self::Residuals,
        cotangents: <Self::Out as Values>::Stacks,
    ) -> (Self::Params, N::Of<Stack<Tensor<S, E>>>);
}

impl<L, S, E, M> Module<Batched<L, Tensor<S, E>>> for M
where
    L: Axes,
    S: Shape,
    E: Element,
    M: Vmapped,
    M::Rule: Rule<M, S, E>,
{
    type Out = <<M::Rule as Rule<M, S, E>>::Out as Values>::Batched<L>;
    type Params = <M::Rule as Rule<M, S, E>>::Params;
    type State = <M::Rule as Rule<M, S, E>>::State;
    type Updates = ();
    type Draws = ();

    fn init(&self, scope: &Scope) -> (Self::Params, Self::State) {
        M::Rule::init(self, scope)
    }

    fn infer(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        input: Batched<L, Tensor<S, E>>,
    ) -> Self::Out {
        let axes = input.axes();
        let outputs = M::Rule::infer(self, params, state, scope, input.into_stack());
        <<M::Rule as Rule<M, S, E>>::Out as Values>::batched(axes, outputs)
    }
}

impl<L, S, E, M, N> Trainable<Batched<L, Tensor<S, E>>, N> for M
where
    L: Axes,
    S: Shape,
    E: Element,
    M: Vmapped,
    M::Rule: RuleBackward<M, S, E, N>,
    N: Need,
{
    type Residuals = (L, <M::Rule as RuleBackward<M, S, E, N>>::Residuals);

    fn forward(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        input: Batched<L, Tensor<S, E>>,
    ) -> (Self::Out, Self::Residuals) {
        let axes = input.axes();
        let (outputs, kept) = M::Rule::forward(self, params, state, scope, input.into_stack());
        (<<M::Rule as Rule<M, S, E>>::Out as Values>::batched(axes, outputs), (axes, kept))
    }

    fn backward(
        &self,
        params: &Self::Params,
        (axes, kept): Self::Residuals,
        cotangent: Self::Out,
    ) -> (Self::Params, N::Of<Batched<L, Tensor<S, E>>>) {
        let cotangents = <M::Rule as Rule<M, S, E>>::Out::stacks(cotangent);
        let (gradient, cotangents) = M::Rule::backward(self, params, kept, cotangents);
        (gradient, N::map(cotangents, |cotangents| Batched::new(axes, cotangents)))
    }
}

impl<M, S, E> Rule<M, S, E> for OneByOne
where
    S: Shape,
    E: Element,
    M: Module<Tensor<S, E>, Out: Values, Updates: NoUpdates<()>, Draws: NoDraws<()>>,
{
    type Out = M::Out;
    type Params = M::Params;
    type State = M::State;

    fn init(module: &M, scope: &Scope) -> (M::Params, M::State) {
        module.init(scope)
    }

    fn infer(
        module: &M,
        params: &M::Params,
        state: &mut M::State,
        scope: &Scope,
        input: Stack<Tensor<S, E>>,
    ) -> <M::Out as Values>::Stacks {
        let (count, mut outputs) = (input.count(), M::Out::filling());
        for index in 0..count.max(1) {
            let output = module.infer(params, state, scope, input.at(index));
            M::Out::put(&mut outputs, count, index, output);
        }
        M::Out::finish(outputs)
    }
}

impl<M, S, E, N> RuleBackward<M, S, E, N> for OneByOne
where
    S: Shape,
    E: Element,
    N: Need,
    M: Trainable<Tensor<S, E>, N>
        + Module<Tensor<S, E>, Out: Values, Updates: NoUpdates<()>, Draws: NoDraws<()>>,
{
    type Residuals = (Stack<Tensor<S, E>>, M::State);

    fn forward(
        module: &M,
        params: &M::Params,
        state: &mut M::State,
        scope: &Scope,
        input: Stack<Tensor<S, E>>,
    ) -> (<M::Out as Values>::Stacks, Self::Residuals) {
        let outputs = <Self as Rule<M, S, E>>::infer(module, params, state, scope, input.clone());
        (outputs, (input, state.clone()))
    }

    fn backward(
        module: &M,
        params: &M::Params,
        (input, mut state): Self::Residuals,
        cotangents: <M::Out as Values>::Stacks,
    ) -> (M::Params, N::Of<Stack<Tensor<S, E>>>) {
        let (scope, mut gradient) = (Scope::without_streams(), Tree::zeros_like(params));
        let lane = Lane::Each(input);
        let cotangents = <N as Gather<Tensor<S, E>>>::gather(&lane, |index| {
            let (_, residuals) = module.forward(params, &mut state, &scope, lane.at(index));
            let (term, cotangent) = module.backward(params, residuals, M::Out::output_at(&cotangents, index));
            if lane.count() != Some(0) {
                Tree::accumulate(&mut gradient, term);
            }
            cotangent
        });
        let count = lane.count().unwrap_or_default();
        (gradient, N::map(cotangents, |cotangents| cotangents.stacked(count)))
    }
}

/// `[n, …]` for examples `[…]`.
type Led<S> = <S as InsertAxis<Dim1<0>>>::Inserted<Dyn>;

/// The examples as one tensor.
fn led<S: InsertAxis<Dim1<0>>, E: Element>(stack: Stack<Tensor<S, E>>) -> Tensor<Led<S>, E> {
    join(stack)
}

/// The examples of shape `S` as one tensor of shape `R`, which is `[n, …]`.
fn join<S: Shape, R: Shape, E: Element>(stack: Stack<Tensor<S, E>>) -> Tensor<R, E> {
    let mut sizes = [stack.count(); MAX_RANK];
    sizes[1..=S::RANK].copy_from_slice(stack.shape().sizes().as_ref());
    stack.into_tensor(&sizes[..=S::RANK])
}

/// A tensor `[n, …]` as examples.
fn parted<S: Shape, R: Shape, E: Element>(tensor: Tensor<R, E>) -> Stack<Tensor<S, E>> {
    let sizes = tensor.sizes();
    let (count, shape) = (sizes.as_ref()[0], shape_of(&sizes.as_ref()[1..]));
    Stack::of(count, shape, tensor)
}

impl<M, S, E, T, R, F> Rule<M, S, E> for AsLeadingAxis
where
    S: InsertAxis<Dim1<0>>,
    E: Element,
    M: Module<Tensor<S, E>, Out = Tensor<T, F>>
        + Module<
            Tensor<Led<S>, E>,
            Out = Tensor<R, F>,
            Params = <M as Module<Tensor<S, E>>>::Params,
            State = <M as Module<Tensor<S, E>>>::State,
        >,
    T: Shape,
    R: Shape,
    F: Element,
{
    type Out = Tensor<T, F>;
    type Params = <M as Module<Tensor<S, E>>>::Params;
    type State = <M as Module<Tensor<S, E>>>::State;

    fn init(module: &M, scope: &Scope) -> (Self::Params, Self::State) {
        Module::<Tensor<S, E>>::init(module, scope)
    }

    fn infer(
        module: &M,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        input: Stack<Tensor<S, E>>,
    ) -> Stack<Tensor<T, F>> {
        parted(Module::<Tensor<Led<S>, E>>::infer(module, params, state, scope, led(input)))
    }
}

impl<M, S, E, T, R, F, N> RuleBackward<M, S, E, N> for AsLeadingAxis
where
    S: InsertAxis<Dim1<0>>,
    E: Element,
    M: Module<Tensor<S, E>, Out = Tensor<T, F>>
        + Module<
            Tensor<Led<S>, E>,
            Out = Tensor<R, F>,
            Params = <M as Module<Tensor<S, E>>>::Params,
            State = <M as Module<Tensor<S, E>>>::State,
        > + Trainable<Tensor<Led<S>, E>, N>,
    T: Shape,
    R: Shape,
    F: Element,
    N: Need,
{
    type Residuals = <M as Trainable<Tensor<Led<S>, E>, N>>::Residuals;

    fn forward(
        module: &M,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        input: Stack<Tensor<S, E>>,
    ) -> (Stack<Tensor<T, F>>, Self::Residuals) {
        let (output, kept) =
            Trainable::<Tensor<Led<S>, E>, N>::forward(module, params, state, scope, led(input));
        (parted(output), kept)
    }

    fn backward(
        module: &M,
        params: &Self::Params,
        kept: Self::Residuals,
        cotangents: Stack<Tensor<T, F>>,
    ) -> (Self::Params, N::Of<Stack<Tensor<S, E>>>) {
        let (gradient, cotangents) =
            Trainable::<Tensor<Led<S>, E>, N>::backward(module, params, kept, join(cotangents));
        (gradient, N::map(cotangents, parted))
    }
}
