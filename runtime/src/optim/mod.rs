//! Optimisers, as Optax builds them: gradient transformations that are chained.
//!
//! ```
//! use flaxen::optim::{self, GradientTransformation};
//! use flaxen::prelude::*;
//!
//! let optimizer = optim::chain((optim::clip_by_global_norm(1.0), optim::adam(1e-3)));
//! let mut params = Tensor::<(U2,)>::of(&[1.0, -1.0])?;
//! let mut state = optimizer.init(&params);
//! let gradients = Tensor::<(U2,)>::of(&[0.3, -0.4])?;
//! optimizer.apply_gradients(&mut params, gradients, &mut state);
//! assert!(params.as_slice()[0] < 1.0);
//! # Ok::<(), flaxen::Error>(())
//! ```
//!
//! # How a step runs
//!
//! A step is bound by memory, so a chain goes over memory once. A transform is a configuration, which cannot do
//! anything to an array itself; at the beginning of a step it makes a [`Kernel`] ([`GradientTransformation::begin`]),
//! which holds the few numbers of this step, such as Adam's bias corrections. A kernel changes one chunk of a leaf: a
//! few KiB of updates, the parameters and the transform's own state, one slice for each of its trees, its *slots*. The kernel of a chain
//! is the tuple of its transforms' kernels, run one after the other on a chunk while that is in the
//! first cache. The sweep then adds the updates to the parameters before it goes on to the next chunk. Chunks are
//! independent of each other, so threads share them and the numbers do not depend on how many threads there are.
//!
//! A transform that must see all updates before it changes any ([`clip_by_global_norm`](fn@clip_by_global_norm)) says so with
//! [`GradientTransformation::WHOLE_TREE`]: the chain finishes the transforms before it in a sweep of their own, which writes
//! the gradients' buffer, and `begin` reads the result. At the front of a chain it costs no such sweep.
//!
//! State is made by `init` and then only written in place: a step allocates nothing, unless parameters, gradients
//! or state are shared with another holder, which are copied first.
//!
//! # A new transform
//!
//! is one file: a configuration, its state ([`State`], which lists the trees), its [`Kernel`], and the two functions
//! of [`GradientTransformation`]. [`trace`](mod@trace) is a short example. A recipe such as [`adam`](mod@adam) is a type alias of a
//! chain, with its setters.

pub mod adam;
pub mod adamw;
pub mod add_decayed_weights;
mod bias_correction;
pub mod chain;
pub mod clip_by_global_norm;
pub mod identity;
mod kernel;
pub mod scale;
pub mod scale_by_adam;
pub mod scale_by_learning_rate;
mod schedule;
pub mod sgd;
mod state;
mod sweep;
pub mod trace;

pub use adam::{Adam, adam};
pub use adamw::{AdamW, adamw};
pub use add_decayed_weights::{AddDecayedWeights, add_decayed_weights};
pub use chain::{Chain, chain};
pub use clip_by_global_norm::{ClipByGlobalNorm, clip_by_global_norm, global_norm};
pub use identity::{Identity, identity};
pub use kernel::Kernel;
pub use scale::{Scale, scale};
pub use scale_by_adam::{ScaleByAdam, scale_by_adam};
pub use scale_by_learning_rate::{ScaleByLearningRate, scale_by_learning_rate};
pub use schedule::{Count, Counter, Schedule, ScheduleState};
pub use sgd::{Sgd, sgd};
pub use state::{EmptyState, MAX_SLOTS, Slots, State};
pub use trace::{Trace, trace};

use crate::tree::Tree;
use std::fmt::Debug;

/// A gradient transformation: Optax's `init` and `update`.
pub trait GradientTransformation: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The state for parameters `P`.
    type State<P: Tree>: State<P>;
    /// What it does to the updates in one step.
    type Kernel: Kernel;
    /// Whether `begin` reads the updates, so that the transforms before it must have finished.
    const WHOLE_TREE: bool = false;

    /// The state before the first step.
    fn init<P: Tree>(&self, params: &P) -> Self::State<P>;

    /// Begins a step: counts it, and computes what is the same for all elements. `updates` are what the transforms
    /// before this one made of the gradients if `WHOLE_TREE` is set, and otherwise anything between the two.
    fn begin<P: Tree>(&self, state: &mut Self::State<P>, updates: &mut P, params: &P) -> Self::Kernel;

    /// Transforms gradients into what is to be added to the parameters: see [`apply_updates`].
    fn update<P: Tree>(&self, mut gradients: P, state: &mut Self::State<P>, params: &P) -> P {
        let kernel = self.begin(state, &mut gradients, params);
        sweep::update(&kernel, &mut gradients, state, params);
        gradients
    }

    /// One step of training: [`update`](Self::update) and [`apply_updates`] in one pass over memory.
    fn apply_gradients<P: Tree>(&self, params: &mut P, mut gradients: P, state: &mut Self::State<P>) {
        let kernel = self.begin(state, &mut gradients, params);
        sweep::apply(&kernel, params, &mut gradients, state);
    }
}

/// Adds updates to parameters, as `optax.apply_updates`.
pub fn apply_updates<P: Tree>(params: &mut P, mut updates: P) {
    sweep::apply(&identity::Kernel, params, &mut updates, &mut EmptyState {});
}
