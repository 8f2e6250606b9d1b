//! Multiplies the updates by minus the learning rate: `optax.scale_by_learning_rate`.

use super::schedule::{Counter, Schedule, ScheduleState};
use super::{GradientTransformation, Scale};
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = -learning_rate g`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByLearningRate<L = f64> {
    /// The learning rate, or its schedule.
    pub learning_rate: L,
    /// Whether the sign is flipped, so that adding the updates descends.
    pub flip_sign: bool,
}

/// Multiplies the updates by minus the learning rate, so that adding them descends.
pub const fn scale_by_learning_rate<L: Schedule>(learning_rate: L) -> ScaleByLearningRate<L> {
    ScaleByLearningRate { learning_rate, flip_sign: true }
}

impl<L: Schedule> ScaleByLearningRate<L> {
    /// Multiplies by the learning rate as it is. The sign is left to another transform.
    pub const fn without_flipping(mut self) -> Self {
        self.flip_sign = false;
        self
    }
}

impl<L: Schedule> GradientTransformation for ScaleByLearningRate<L> {
    type State<P: Tree> = ScheduleState<L>;
    type Kernel = Scale;

    fn init<P: Tree>(&self, _: &P) -> ScheduleState<L> {
        ScheduleState(L::Counter::default())
    }

    fn begin<P: Tree>(&self, state: &mut ScheduleState<L>, _: &mut P, _: &P) -> Scale {
        let rate = self.learning_rate.value(state.0.count());
        Scale { step_size: if self.flip_sign { -rate } else { rate } }
    }
}
