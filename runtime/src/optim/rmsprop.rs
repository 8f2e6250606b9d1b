//! RMSProp: `optax.rmsprop`.

use super::schedule::Schedule;
use super::setters::{nesterov_setter, setters};
use super::{Chain, Identity, ScaleByLearningRate, ScaleByRms, ScaleByStddev, Trace};
use super::{chain, identity, scale_by_learning_rate, scale_by_rms, trace};

/// Gradients divided by the root of the mean of their squares ([Hinton,
/// 2012](https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf)), or where `R` is [`ScaleByStddev`]
/// by their standard deviation; with momentum where `M` is [`Trace`].
pub type Rmsprop<R = ScaleByRms, M = Identity, L = f64> = Chain<(R, ScaleByLearningRate<L>, M)>;

/// RMSProp with a learning rate, a number or a schedule. `decay` is 0.9 and `eps`, inside of the root, 1e-8.
///
/// ```
/// let optimizer = flaxen::optim::rmsprop(0.1).decay(0.99).centered().momentum(0.9);
/// ```
pub const fn rmsprop<L: Schedule>(learning_rate: L) -> Rmsprop<ScaleByRms, Identity, L> {
    chain((scale_by_rms(), scale_by_learning_rate(learning_rate), identity()))
}

/// Declares the setters that both kinds of the first transform have.
macro_rules! rms_setters {
    () => {
        setters! {
            /// With this decay of the mean of the squares.
            decay: f64 => 0;
            /// With this number added to the denominator.
            eps: f64 => 0;
            /// With a mean of the squares that begins at this number instead of 0.
            initial_scale: f64 => 0;
            /// With `eps` inside of the root, or outside of it.
            eps_in_sqrt: bool => 0;
            /// With or without correction of the means for their beginning at zero.
            bias_correction: bool => 0;
        }
    };
}

impl<M, L: Schedule> Rmsprop<ScaleByRms, M, L> {
    rms_setters!();

    /// Divides by the standard deviation of the gradients.
    pub fn centered(self) -> Rmsprop<ScaleByStddev, M, L> {
        let Chain((
            ScaleByRms { decay, eps, initial_scale, eps_in_sqrt, bias_correction },
            descend,
            momentum,
        )) = self;
        chain((ScaleByStddev { decay, eps, initial_scale, eps_in_sqrt, bias_correction }, descend, momentum))
    }
}

impl<M, L: Schedule> Rmsprop<ScaleByStddev, M, L> {
    rms_setters!();
}

impl<R, L: Schedule> Rmsprop<R, Identity, L> {
    /// With momentum: a [`Trace`] of the scaled gradients.
    pub fn momentum(self, decay: f64) -> Rmsprop<R, Trace, L> {
        let Chain((scale, descend, _)) = self;
        chain((scale, descend, trace(decay)))
    }
}

impl<R, L: Schedule> Rmsprop<R, Trace, L> {
    nesterov_setter!(2);
}
