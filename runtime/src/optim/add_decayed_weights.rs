//! Weight decay: `optax.add_decayed_weights`.

use super::kernel::Effect;
use super::path_fn::PathFn;
use super::schedule::{Counter, Schedule, ScheduleState};
use super::{GradientTransformation, Kernel, Masked};
use crate::tensor::Float;
use crate::tree::{Path, Tree};
use serde::{Deserialize, Serialize};

/// `u = g + weight_decay p`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddDecayedWeights<L = f64> {
    /// The share of a parameter that is added to its update, or its schedule.
    pub weight_decay: L,
}

/// Adds the parameters, multiplied by `weight_decay`, to the updates.
pub const fn add_decayed_weights<L: Schedule>(weight_decay: L) -> AddDecayedWeights<L> {
    AddDecayedWeights { weight_decay }
}

impl<L: Schedule> AddDecayedWeights<L> {
    /// Only for the leaves where `mask` is true, such as those called `kernel`.
    pub fn mask(self, mask: impl Fn(&Path) -> bool + Send + Sync + 'static) -> Masked<Self> {
        Masked { inner: self, mask: PathFn::new(mask) }
    }
}

impl<L: Schedule> GradientTransformation for AddDecayedWeights<L> {
    type State<P: Tree> = ScheduleState<L>;
    type Kernel = Decay;

    fn init<P: Tree>(&self, _: &P) -> ScheduleState<L> {
        ScheduleState(L::Counter::default())
    }

    fn begin<P: Tree>(&self, state: &mut ScheduleState<L>, _: &mut P, _: &P) -> Decay {
        Decay { weight_decay: self.weight_decay.value(state.0.count()) }
    }
}

/// The weight decay of one step.
#[derive(Clone, Copy, Debug)]
pub struct Decay {
    weight_decay: f64,
}

impl Kernel for Decay {
    const SLOTS: usize = 0;

    fn effect(&self) -> Effect {
        if self.weight_decay == 0.0 { Effect::Nothing } else { Effect::Changes }
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], _: &mut [&mut [E]]) {
        if self.weight_decay == 0.0 {
            return;
        }
        let weight_decay = E::from_f64(self.weight_decay);
        for (update, &param) in updates.iter_mut().zip(params) {
            *update += weight_decay * param;
        }
    }
}
