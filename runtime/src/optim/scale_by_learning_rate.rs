//! Multiplies the updates by minus the learning rate: `optax.scale_by_learning_rate`.

use super::schedule::{Counter, Schedule, ScheduleState};
use super::{GradientTransformation, scale};
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = -learning_rate g`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByLearningRate<L = f64> {
    /// The learning rate, or its schedule.
    pub learning_rate: L,
}

/// Multiplies the updates by minus the learning rate, so that adding them descends.
pub const fn scale_by_learning_rate<L: Schedule>(learning_rate: L) -> ScaleByLearningRate<L> {
    ScaleByLearningRate { learning_rate }
}

impl<L: Schedule> GradientTransformation for ScaleByLearningRate<L> {
    type State<P: Tree> = ScheduleState<L>;
    type Kernel = scale::Kernel;

    fn init<P: Tree>(&self, _: &P) -> ScheduleState<L> {
        ScheduleState(L::Counter::default())
    }

    fn begin<P: Tree>(&self, state: &mut ScheduleState<L>, _: &mut P, _: &P) -> scale::Kernel {
        scale::Kernel { factor: -self.learning_rate.value(state.0.count()) }
    }
}
