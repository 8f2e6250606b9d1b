//! Division by the standard deviation: `optax.scale_by_stddev`.

use super::bias_correction::BiasCorrection;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `mu = (1 - decay) g + decay mu`, `nu = (1 - decay) g² + decay nu`, `u = g / sqrt(nu - mu² + eps)`, or with `eps`
/// outside of the root.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByStddev {
    /// The decay of the mean of the squares.
    pub decay: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// What the mean of the squares begins at.
    pub initial_scale: f64,
    /// Whether `eps` is added inside of the root.
    pub eps_in_sqrt: bool,
    /// Whether means are corrected for their beginning at zero.
    pub bias_correction: bool,
}

/// Division by the standard deviation with Optax's defaults.
pub const fn scale_by_stddev() -> ScaleByStddev {
    ScaleByStddev { decay: 0.9, eps: 1e-8, initial_scale: 0.0, eps_in_sqrt: true, bias_correction: false }
}

/// Optax's `ScaleByRStdDevState`, or its `ScaleByRStdDevWithCountState` where there is a count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByStddevState<P> {
    /// The number of steps taken, where means are corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<i32>,
    /// The mean of the gradients.
    pub mu: P,
    /// The mean of their squares.
    pub nu: P,
}

impl<P: Tree> State<P> for ScaleByStddevState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.mu);
        slots.push(&mut self.nu);
    }
}

impl GradientTransformation for ScaleByStddev {
    type State<P: Tree> = ScaleByStddevState<P>;
    type Kernel = ScaleByStddevStep;

    fn init<P: Tree>(&self, params: &P) -> ScaleByStddevState<P> {
        let nu = params.full_like(self.initial_scale);
        ScaleByStddevState { count: self.bias_correction.then_some(0), mu: params.zeros_like(), nu }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleByStddevState<P>, _: &mut P, _: &P) -> ScaleByStddevStep {
        let correction = match &mut state.count {
            Some(count) => {
                *count = count.saturating_add(1);
                BiasCorrection::new(self.decay, *count)
            }
            None => BiasCorrection::NONE,
        };
        ScaleByStddevStep { stddev: *self, correction }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct ScaleByStddevStep {
    stddev: ScaleByStddev,
    correction: BiasCorrection,
}

impl Kernel for ScaleByStddevStep {
    const SLOTS: usize = 2;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [mu, nu] = slots else { return };
        let ScaleByStddev { decay, eps, eps_in_sqrt, .. } = self.stddev;
        let [decay, new, eps] = [decay, 1.0 - decay, eps].map(E::from_f64);
        let scale = E::ONE / self.correction.get();
        for ((update, mu), nu) in updates.iter_mut().zip(mu.iter_mut()).zip(nu.iter_mut()) {
            let gradient = *update;
            *mu = (new * gradient + decay * *mu).flushed();
            *nu = (new * (gradient * gradient) + decay * *nu).flushed();
            let mean = *mu * scale;
            let variance = *nu * scale - mean * mean;
            *update = gradient / if eps_in_sqrt { (variance + eps).sqrt() } else { variance.sqrt() + eps };
        }
    }
}
