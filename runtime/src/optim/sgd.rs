//! Stochastic gradient descent: `optax.sgd`.

use super::schedule::Schedule;
use super::setters::nesterov_setter;
use super::{AccumulatorDtype, Chain, Identity, ScaleByLearningRate, Trace};
use super::{chain, identity, scale_by_learning_rate, trace};

/// Stochastic gradient descent, with momentum where `M` is [`Trace`].
pub type Sgd<M = Identity, L = f64> = Chain<(M, ScaleByLearningRate<L>)>;

/// Stochastic gradient descent with a learning rate, a number or a schedule.
///
/// ```
/// let optimizer = flaxen::optim::sgd(0.1).momentum(0.9).nesterov();
/// ```
pub const fn sgd<L: Schedule>(learning_rate: L) -> Sgd<Identity, L> {
    chain((identity(), scale_by_learning_rate(learning_rate)))
}

impl<L: Schedule> Sgd<Identity, L> {
    /// With momentum: a [`Trace`] of the gradients.
    pub fn momentum(self, decay: f64) -> Sgd<Trace, L> {
        let Chain((_, descend)) = self;
        chain((trace(decay), descend))
    }
}

impl<L: Schedule, A: AccumulatorDtype> Sgd<Trace<A>, L> {
    nesterov_setter!(0);

    /// With the trace in these elements: [`Bf16`](super::Bf16).
    pub fn accumulator_dtype<T: AccumulatorDtype>(self, accumulator_dtype: T) -> Sgd<Trace<T>, L> {
        let Chain((trace, descend)) = self;
        chain((trace.accumulator_dtype(accumulator_dtype), descend))
    }
}
