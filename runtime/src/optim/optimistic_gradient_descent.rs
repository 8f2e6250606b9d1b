//! Optimistic gradient descent: `optax.optimistic_gradient_descent`.

use super::schedule::Schedule;
use super::setters::setters;
use super::{
    Chain, ScaleByLearningRate, ScaleByOptimisticGradient, chain, scale_by_learning_rate,
    scale_by_optimistic_gradient,
};

/// Descent by gradients that are extrapolated one step ([Mokhtari et al., 2019](https://arxiv.org/abs/1901.08511)).
pub type OptimisticGradientDescent<L = f64> = Chain<(ScaleByOptimisticGradient, ScaleByLearningRate<L>)>;

/// Optimistic gradient descent with a learning rate, a number or a schedule. `alpha` and `beta` are 1.
pub const fn optimistic_gradient_descent<L: Schedule>(learning_rate: L) -> OptimisticGradientDescent<L> {
    chain((scale_by_optimistic_gradient(), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> OptimisticGradientDescent<L> {
    setters! {
        /// With this coefficient of the gradient.
        alpha: f64 => 0;
        /// With this coefficient of its change.
        beta: f64 => 0;
    }
}
