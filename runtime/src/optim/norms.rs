//! Norms of one array, with a smallest value.

use crate::backend::sum_of_squares;
use crate::tensor::Float;

/// `‖x‖`, but at least `min_norm`: `optax.safe_norm`.
///
/// ```
/// assert_eq!(flaxen::optim::safe_norm(&[3.0_f32, 4.0], 1e-3), 5.0);
/// assert_eq!(flaxen::optim::safe_norm(&[0.0_f32, 0.0], 1e-3), 1e-3);
/// ```
pub fn safe_norm<E: Float>(x: &[E], min_norm: f64) -> f64 {
    at_least(sum_of_squares(x).sqrt(), min_norm)
}

/// The root of the mean of the squares, but at least `min_rms`: `optax.safe_root_mean_squares`.
pub fn safe_root_mean_squares<E: Float>(x: &[E], min_rms: f64) -> f64 {
    at_least((sum_of_squares(x) / x.len() as f64).sqrt(), min_rms)
}

/// A NaN stays, as it does in Optax.
pub(super) fn at_least(norm: f64, smallest: f64) -> f64 {
    if norm <= smallest { smallest } else { norm }
}
