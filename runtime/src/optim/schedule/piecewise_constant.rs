//! A value that is scaled at some steps: `optax.piecewise_constant_schedule`.

use super::schedules;
use serde::{Deserialize, Serialize};

/// A value that is multiplied by a scale at each boundary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PiecewiseConstant {
    /// The first value.
    pub init_value: f64,
    /// Steps, in order, and what the value is multiplied by from there on.
    pub boundaries_and_scales: Vec<(i32, f64)>,
}

/// A value that is multiplied by a scale at each boundary.
///
/// ```
/// use flaxen::optim::{Schedule, piecewise_constant_schedule};
/// let schedule = piecewise_constant_schedule(1.0, [(5, 0.5), (20, 0.5)]);
/// assert_eq!([4, 5, 20].map(|count| schedule.value(count)), [1.0, 0.5, 0.25]);
/// ```
pub fn piecewise_constant_schedule(
    init_value: f64,
    boundaries_and_scales: impl Into<Vec<(i32, f64)>>,
) -> PiecewiseConstant {
    PiecewiseConstant { init_value, boundaries_and_scales: sorted(boundaries_and_scales.into()) }
}

pub(super) fn sorted(mut boundaries_and_scales: Vec<(i32, f64)>) -> Vec<(i32, f64)> {
    boundaries_and_scales.sort_by_key(|&(boundary, _)| boundary);
    boundaries_and_scales
}

impl PiecewiseConstant {
    fn at(&self, count: i32) -> f32 {
        let passed = self.boundaries_and_scales.iter().take_while(|&&(boundary, _)| boundary <= count);
        passed.fold(self.init_value as f32, |value, &(_, scale)| value * scale as f32)
    }
}

schedules!(PiecewiseConstant);
