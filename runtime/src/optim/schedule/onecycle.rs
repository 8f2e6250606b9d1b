//! One cycle up and down: `optax.linear_onecycle_schedule`, `optax.cosine_onecycle_schedule`.

use super::piecewise_interpolate::{Interpolation, PiecewiseInterpolate, piecewise_interpolate_schedule};

/// Up from `peak_value / 25` in 30 % of the steps, down to it in 55 %, and then down to a ten thousandth of it, all
/// along lines ([Smith and Topin, 2018](https://arxiv.org/abs/1708.07120)).
pub fn linear_onecycle_schedule(transition_steps: i32, peak_value: f64) -> PiecewiseInterpolate {
    let at = |share: f64| (share * f64::from(transition_steps)) as i32;
    let path = [(at(0.3), 25.0), (at(0.85), 1.0 / 25.0), (transition_steps, 1.0 / 1e4)];
    piecewise_interpolate_schedule(Interpolation::Linear, peak_value / 25.0, path)
}

/// Up from `peak_value / 25` in 30 % of the steps, and down to a ten thousandth of that, along half cosines.
pub fn cosine_onecycle_schedule(transition_steps: i32, peak_value: f64) -> PiecewiseInterpolate {
    let path = [((0.3 * f64::from(transition_steps)) as i32, 25.0), (transition_steps, 1.0 / (25.0 * 1e4))];
    piecewise_interpolate_schedule(Interpolation::Cosine, peak_value / 25.0, path)
}
