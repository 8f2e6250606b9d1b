//! A schedule that is any function.

use super::{Count, Schedule};
use std::fmt;
use std::sync::Arc;

/// A function of the number of steps taken. Clones are the same function, and equal.
#[derive(Clone)]
pub struct ScheduleFn(Arc<dyn Fn(i32) -> f64 + Send + Sync>);

/// A schedule that is any function of the number of steps taken.
///
/// ```
/// use flaxen::optim::{self, schedule_fn};
/// let optimizer = optim::sgd(schedule_fn(|count| 0.1 / (1.0 + f64::from(count))));
/// ```
pub fn schedule_fn(function: impl Fn(i32) -> f64 + Send + Sync + 'static) -> ScheduleFn {
    ScheduleFn(Arc::new(function))
}

impl Schedule for ScheduleFn {
    type Counter = Count;

    fn value(&self, count: i32) -> f64 {
        (self.0)(count)
    }
}

impl PartialEq for ScheduleFn {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
    }
}

impl fmt::Debug for ScheduleFn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a function of the count")
    }
}
