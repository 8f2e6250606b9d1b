//! Multiplies the updates by a number that a schedule gives: `optax.scale_by_schedule`.

use super::schedule::{Counter, Schedule, ScheduleState};
use super::{GradientTransformation, Scale};
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = step_size(t) g`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleBySchedule<L> {
    /// The factor of each step.
    pub step_size: L,
}

/// Multiplies the updates by the value of a schedule. The sign is the schedule's:
/// [`scale_by_learning_rate`](fn@super::scale_by_learning_rate) flips it.
pub const fn scale_by_schedule<L: Schedule>(step_size: L) -> ScaleBySchedule<L> {
    ScaleBySchedule { step_size }
}

impl<L: Schedule> GradientTransformation for ScaleBySchedule<L> {
    type State<P: Tree> = ScheduleState<L>;
    type Kernel = Scale;

    fn init<P: Tree>(&self, _: &P) -> ScheduleState<L> {
        ScheduleState(L::Counter::default())
    }

    fn begin<P: Tree>(&self, state: &mut ScheduleState<L>, _: &mut P, _: &P) -> Scale {
        Scale { step_size: self.step_size.value(state.0.count()) }
    }
}
