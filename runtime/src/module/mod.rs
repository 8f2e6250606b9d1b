//! The contract of a module: a function of tensors with variables.
//!
//! Enters: the op contract and the rng scope. Leaves: [`Module`] and [`Trainable`], what `#[module]` implements;
//! [`Variables`], what `init` returns and `apply` takes; and what a call does besides computing its output, in types:
//! [`Collection`], [`Phase`], [`effect`].

pub(crate) mod blocks;
mod captured;
pub(crate) mod choose;
mod collection;
pub(crate) mod control;
mod each;
pub mod effect;
pub(crate) mod named;
mod phase;
mod remat;
pub(crate) mod serialization;
mod variables;

pub use captured::{Captured, Sown};
pub use collection::{BatchStats, Collection, Intermediates};
pub use each::Each;
pub use phase::{Eval, Phase, Train};
pub use remat::{Kept, Remat};
pub use variables::{Collections, Stateless, Variables};

use crate::op::{Deferred, Handover, Needs, Now};
use crate::rng::Scope;
use crate::tree::Tree;

/// A function of tensors with variables, as Flax's `nn.Module`. `In` is a tensor, or a tuple of them for several inputs.
///
/// `#[module]` implements it; a layer that no body can express implements it by hand. Beside this trait the
/// type has `fn new() -> Self` and `const fn shape(inputs: [Sizes; N]) -> Rule`, the shape rule in numbers.
#[diagnostic::on_unimplemented(
    message = "the module `{Self}` does not take `{In}`",
    label = "the shapes or elements of these inputs do not fit this module"
)]
pub trait Module<In> {
    /// The output, or a tuple of outputs.
    type Out;
    /// The `params` collection.
    type Params: Tree;
    /// All other collections: a tree whose leaves know the [`Collection`] that they belong to. `()` if there is none.
    type State: Tree;
    /// The collections that this call updates: a [`Collection`], a pair of such lists, or `()`.
    type Updates;
    /// The rng streams that this call draws from: a [`Stream`](crate::rng::Stream), a pair of such lists, or `()`.
    type Draws;

    /// Whether example `i` of the output, along the first axis, depends on example `i` of the input alone; then the most bytes that
    /// an example takes inside of the module, besides its output. Inference may go through such a module a few examples at
    /// a time.
    const EXAMPLE_BYTES: Option<usize> = None;

    /// Whether the output is held in memory, where it goes to the next call alone.
    const HANDOVER: Handover = Handover::Written;

    /// Draws the variables, each with the key that Flax derives from its path.
    fn init(&self, scope: &Scope) -> (Self::Params, Self::State);

    /// Computes the output and keeps nothing. Writes only those collections of the state that [`Updates`](Self::Updates)
    /// names.
    fn infer(&self, params: &Self::Params, state: &mut Self::State, scope: &Scope, input: In) -> Self::Out;

    /// The output, which may be computed later: it goes to the next call alone.
    fn infer_deferred(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        input: In,
    ) -> impl Deferred<Self::Out> + use<Self, In> {
        Now(self.infer(params, state, scope, input))
    }
}

/// A module that has a backward pass, with the cotangents of the inputs that `N` names.
#[diagnostic::on_unimplemented(
    message = "the module `{Self}` has no backward pass for `{In}`",
    label = "a gradient is taken through this call"
)]
pub trait Trainable<In, N: Needs<In>>: Module<In> {
    /// What `backward` reads: a struct, never a tape.
    type Residuals;

    /// Computes the output and updates the state as [`infer`](Module::infer) does, and keeps what `backward` needs.
    fn forward(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        input: In,
    ) -> (Self::Out, Self::Residuals);

    /// [`forward`](Trainable::forward) with an output as that of [`Module::infer_deferred`].
    fn forward_deferred(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        input: In,
    ) -> (impl Deferred<Self::Out> + use<Self, In, N>, Self::Residuals) {
        let (out, residuals) = self.forward(params, state, scope, input);
        (Now(out), residuals)
    }

    /// From the cotangent of the output, the gradient of the parameters and the cotangents of the inputs.
    fn backward(
        &self,
        params: &Self::Params,
        residuals: Self::Residuals,
        cotangent: Self::Out,
    ) -> (Self::Params, N::Cotangents);
}
