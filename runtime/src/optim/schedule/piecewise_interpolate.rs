//! A path through several values: `optax.piecewise_interpolate_schedule`.

use super::piecewise_constant::sorted;
use super::schedules;
use serde::{Deserialize, Serialize};
use std::f32::consts::PI;

/// How to go from one value to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Along a line.
    Linear,
    /// Along half a cosine.
    Cosine,
}

/// A path through values, of which each is the one before multiplied by a scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PiecewiseInterpolate {
    /// How to go from one value to the next.
    pub interpolation: Interpolation,
    /// The first value.
    pub init_value: f64,
    /// Steps, in order, and what the value there is of the one before.
    pub boundaries_and_scales: Vec<(i32, f64)>,
}

/// A path from a value through others: at each boundary the value is the one before multiplied by the scale.
///
/// ```
/// use flaxen::optim::{Interpolation, Schedule, piecewise_interpolate_schedule};
/// let schedule = piecewise_interpolate_schedule(Interpolation::Linear, 1.0, [(4, 0.5), (8, 0.5)]);
/// assert_eq!([0, 2, 4, 6, 8].map(|count| schedule.value(count)), [1.0, 0.75, 0.5, 0.375, 0.25]);
/// ```
pub fn piecewise_interpolate_schedule(
    interpolation: Interpolation,
    init_value: f64,
    boundaries_and_scales: impl Into<Vec<(i32, f64)>>,
) -> PiecewiseInterpolate {
    let boundaries_and_scales = sorted(boundaries_and_scales.into());
    PiecewiseInterpolate { interpolation, init_value, boundaries_and_scales }
}

impl PiecewiseInterpolate {
    fn at(&self, count: i32) -> f32 {
        let (mut start, mut value) = (0, self.init_value as f32);
        for &(boundary, scale) in &self.boundaries_and_scales {
            let next = value * scale as f32;
            if count < boundary {
                let share = (count - start) as f32 / (boundary - start).max(1) as f32;
                return match self.interpolation {
                    Interpolation::Linear => (next - value) * share + value,
                    Interpolation::Cosine => next + (value - next) / 2.0 * ((PI * share).cos() + 1.0),
                };
            }
            (start, value) = (boundary, next);
        }
        value
    }
}

schedules!(PiecewiseInterpolate);
