//! A number that may change from step to step, such as a learning rate.
//!
//! ```
//! use flaxen::optim::{self, Schedule};
//!
//! let schedule = optim::warmup_cosine_decay_schedule(0.0, 0.1, 10, 100);
//! assert_eq!(schedule.value(5), f64::from(0.05f32));
//! let optimizer = optim::adam(schedule);
//! ```
//!
//! A schedule is a plain value: what a step's learning rate is can be reported beside its loss, as `schedule.value(step)`.

mod constant;
mod cosine_decay;
mod exponential_decay;
mod function;
mod join;
mod onecycle;
mod piecewise_constant;
mod piecewise_interpolate;
mod polynomial;
mod sgdr;
mod warmup;

pub use constant::{Constant, constant_schedule};
pub use cosine_decay::{CosineDecay, cosine_decay_schedule};
pub use exponential_decay::{ExponentialDecay, exponential_decay};
pub use function::{ScheduleFn, schedule_fn};
pub use join::{Join, JoinedSchedules, join_schedules};
pub use onecycle::{cosine_onecycle_schedule, linear_onecycle_schedule};
pub use piecewise_constant::{PiecewiseConstant, piecewise_constant_schedule};
pub use piecewise_interpolate::{Interpolation, PiecewiseInterpolate, piecewise_interpolate_schedule};
pub use polynomial::{Polynomial, linear_schedule, polynomial_schedule};
pub use sgdr::{Sgdr, sgdr_schedule};
pub use warmup::{
    WarmupCosineDecay, WarmupExponentialDecay, warmup_constant_schedule, warmup_cosine_decay_schedule,
    warmup_exponential_decay_schedule,
};

use super::state::{EmptyState, Slots, State};
use crate::tree::Tree;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// A learning rate: a number, or a function of how many steps have been taken.
pub trait Schedule: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// [`EmptyState`] if the value is the same in every step, and [`Count`] if not.
    type Counter: Counter;

    /// The value of the step after `count` steps, computed in f32 as Optax does.
    fn value(&self, count: i32) -> f64;
}

/// Declares schedules, which count steps. `self.at(count)` is the value in f32.
macro_rules! schedules {
    ($($schedule:ty),+) => {$(
        impl $crate::optim::Schedule for $schedule {
            type Counter = $crate::optim::Count;

            fn value(&self, count: i32) -> f64 {
                self.at(count).into()
            }
        }
    )+};
}
use schedules;

/// A number is the same in every step.
impl Schedule for f64 {
    type Counter = EmptyState;

    fn value(&self, _: i32) -> f64 {
        *self
    }
}

/// Counts steps, where a schedule needs it.
pub trait Counter:
    Copy + Default + Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static
{
    /// Whether it does count.
    const COUNTS: bool;

    /// The number of steps before this one, which is then counted.
    fn count(&mut self) -> i32;
}

impl Counter for EmptyState {
    const COUNTS: bool = false;

    fn count(&mut self) -> i32 {
        0
    }
}

/// The number of steps that have been taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The number.
    pub count: i32,
}

impl Counter for Count {
    const COUNTS: bool = true;

    fn count(&mut self) -> i32 {
        let count = self.count;
        self.count = count.saturating_add(1);
        count
    }
}

/// The state of a transform that reads a schedule `L`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct ScheduleState<L: Schedule>(pub L::Counter);

impl<P: Tree, L: Schedule> State<P> for ScheduleState<L> {
    fn slots<'a>(&'a mut self, _: &mut Slots<'a, P>) {}
}
