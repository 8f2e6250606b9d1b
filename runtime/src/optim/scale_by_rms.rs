//! RMSProp's rescaling: `optax.scale_by_rms`.

use super::bias_correction::BiasCorrection;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `nu = (1 - decay) g² + decay nu`, `u = g / sqrt(nu + eps)`, or `g / (sqrt(nu) + eps)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByRms {
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

/// RMSProp's rescaling with Optax's defaults.
pub const fn scale_by_rms() -> ScaleByRms {
    ScaleByRms { decay: 0.9, eps: 1e-8, initial_scale: 0.0, eps_in_sqrt: true, bias_correction: false }
}

/// Optax's `ScaleByRmsState`, or its `ScaleByRmsWithCountState` where there is a count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByRmsState<P> {
    /// The number of steps taken, where means are corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<i32>,
    /// The mean of the squares of the gradients.
    pub nu: P,
}

impl<P: Tree> State<P> for ScaleByRmsState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.nu);
    }
}

impl GradientTransformation for ScaleByRms {
    type State<P: Tree> = ScaleByRmsState<P>;
    type Kernel = ScaleByRmsStep;

    fn init<P: Tree>(&self, params: &P) -> ScaleByRmsState<P> {
        ScaleByRmsState { count: self.bias_correction.then_some(0), nu: params.full_like(self.initial_scale) }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleByRmsState<P>, _: &mut P, _: &P) -> ScaleByRmsStep {
        let correction = match &mut state.count {
            Some(count) => {
                *count = count.saturating_add(1);
                BiasCorrection::new(self.decay, *count)
            }
            None => BiasCorrection::NONE,
        };
        ScaleByRmsStep { rms: *self, correction }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct ScaleByRmsStep {
    rms: ScaleByRms,
    correction: BiasCorrection,
}

impl Kernel for ScaleByRmsStep {
    const SLOTS: usize = 1;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [nu] = slots else { return };
        let ScaleByRms { decay, eps, eps_in_sqrt, .. } = self.rms;
        let [decay, new, eps] = [decay, 1.0 - decay, eps].map(E::from_f64);
        let scale = E::ONE / self.correction.get();
        for (update, nu) in updates.iter_mut().zip(nu.iter_mut()) {
            let gradient = *update;
            *nu = (new * (gradient * gradient) + decay * *nu).flushed();
            let corrected = *nu * scale;
            *update = gradient / if eps_in_sqrt { (corrected + eps).sqrt() } else { corrected.sqrt() + eps };
        }
    }
}
