//! Schedules one after the other: `optax.join_schedules`.

use super::{Count, Schedule};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// Schedules one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Join<T> {
    schedules: T,
    boundaries: Vec<i32>,
}

/// Schedules one after the other, given as a tuple of two to six. From each boundary on the next one is read, counting
/// from there.
///
/// ```
/// use flaxen::optim::{Schedule, constant_schedule, join_schedules, linear_schedule};
/// let schedule = join_schedules((linear_schedule(0.0, 1.0, 10), constant_schedule(1.0)), [10]);
/// assert_eq!([0, 5, 99].map(|count| schedule.value(count)), [0.0, 0.5, 1.0]);
/// ```
pub fn join_schedules<T: JoinedSchedules<N>, const N: usize>(schedules: T, boundaries: [i32; N]) -> Join<T> {
    Join { schedules, boundaries: boundaries.into() }
}

/// A tuple of schedules that are joined at `N` boundaries.
pub trait JoinedSchedules<const N: usize> {}

/// The value of a schedule that begins after another.
pub(super) fn joined(value: f64, boundary: i32, schedule: &impl Schedule, count: i32) -> f64 {
    if count < boundary { value } else { schedule.value(count - boundary) }
}

macro_rules! tuples {
    ($($count:literal: $first:ident $($schedule:ident $index:tt $boundary:tt)+;)+) => {$(
        impl<$first: Schedule, $($schedule: Schedule),+> JoinedSchedules<$count> for ($first, $($schedule),+) {}

        impl<$first: Schedule, $($schedule: Schedule),+> Schedule for Join<($first, $($schedule),+)> {
            type Counter = Count;

            fn value(&self, count: i32) -> f64 {
                let value = self.schedules.0.value(count);
                $(let value = match self.boundaries.get($boundary) {
                    Some(&boundary) => joined(value, boundary, &self.schedules.$index, count),
                    None => value,
                };)+
                value
            }
        }
    )+};
}

tuples! {
    1: A B 1 0;
    2: A B 1 0 C 2 1;
    3: A B 1 0 C 2 1 D 3 2;
    4: A B 1 0 C 2 1 D 3 2 E 4 3;
    5: A B 1 0 C 2 1 D 3 2 E 4 3 F 5 4;
}
