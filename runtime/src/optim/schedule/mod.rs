//! A number that may change from step to step, such as a learning rate.

use super::state::{EmptyState, Slots, State};
use crate::tree::Tree;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// A learning rate: a number, or a function of how many steps have been taken.
pub trait Schedule: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// [`EmptyState`] if the value is the same in every step, and [`Count`] if not.
    type Counter: Counter;

    /// The value of the step after `count` steps.
    fn value(&self, count: i32) -> f64;
}

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
    /// The number of steps before this one, which is then counted.
    fn count(&mut self) -> i32;
}

impl Counter for EmptyState {
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
