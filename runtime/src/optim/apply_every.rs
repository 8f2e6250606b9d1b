//! Sums of several updates: `optax.apply_every`.

use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// The sum of `k` updates in every `k`-th step, and 0 in the others.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplyEvery {
    /// The number of updates that are summed.
    pub k: i32,
}

/// Sums `k` updates before it lets them through. [`multi_steps`](fn@super::multi_steps) does so to the gradients,
/// before an optimiser.
pub const fn apply_every(k: i32) -> ApplyEvery {
    ApplyEvery { k }
}

/// Optax's `ApplyEvery`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplyEveryState<P> {
    /// The number of updates that were summed.
    pub count: i32,
    /// Their sum.
    pub grad_acc: P,
}

impl<P: Tree> State<P> for ApplyEveryState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.grad_acc);
    }
}

impl GradientTransformation for ApplyEvery {
    type State<P: Tree> = ApplyEveryState<P>;
    type Kernel = ApplyEveryStep;

    fn init<P: Tree>(&self, params: &P) -> ApplyEveryState<P> {
        ApplyEveryState { count: 0, grad_acc: params.zeros_like() }
    }

    fn begin<P: Tree>(&self, state: &mut ApplyEveryState<P>, _: &mut P, _: &P) -> ApplyEveryStep {
        let (count, k) = (state.count, self.k.max(1));
        state.count = (count + 1) % k;
        ApplyEveryStep { first: count == 0, emit: count == k - 1 }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct ApplyEveryStep {
    /// Whether a sum begins.
    first: bool,
    /// Whether it is let through.
    emit: bool,
}

impl Kernel for ApplyEveryStep {
    const SLOTS: usize = 1;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [sum] = slots else { return };
        for (update, sum) in updates.iter_mut().zip(sum.iter_mut()) {
            *sum = if self.first { *update } else { *sum + *update };
            *update = if self.emit { *sum } else { E::ZERO };
        }
    }
}
