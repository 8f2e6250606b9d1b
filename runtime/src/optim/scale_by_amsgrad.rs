//! AMSGrad's rescaling: `optax.scale_by_amsgrad`.

use super::bias_correction::BiasCorrection;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// Adam's moments, and `u = mû / (sqrt(max nû + eps_root) + eps)` with the largest `nû` so far ([Reddi et al.,
/// 2018](https://openreview.net/forum?id=ryQu7f-RZ)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByAmsgrad {
    /// The decay of the mean of the gradients.
    pub b1: f64,
    /// The decay of the mean of their squares.
    pub b2: f64,
    /// Added to the denominator, outside of the root.
    pub eps: f64,
    /// Added to the denominator, inside of the root.
    pub eps_root: f64,
    /// Whether the mean is corrected for its beginning at zero.
    pub bias_correction_mu: bool,
    /// Whether the mean of squares is.
    pub bias_correction_nu: bool,
}

/// AMSGrad's rescaling with Optax's defaults.
pub const fn scale_by_amsgrad() -> ScaleByAmsgrad {
    ScaleByAmsgrad {
        b1: 0.9,
        b2: 0.999,
        eps: 1e-8,
        eps_root: 0.0,
        bias_correction_mu: true,
        bias_correction_nu: true,
    }
}

/// Optax's `ScaleByAmsgradState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByAmsgradState<P> {
    /// The number of steps taken.
    pub count: i32,
    /// The mean of the gradients.
    pub mu: P,
    /// The mean of their squares.
    pub nu: P,
    /// The largest of these so far.
    pub nu_max: P,
}

impl<P: Tree> State<P> for ScaleByAmsgradState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.mu);
        slots.push(&mut self.nu);
        slots.push(&mut self.nu_max);
    }
}

impl GradientTransformation for ScaleByAmsgrad {
    type State<P: Tree> = ScaleByAmsgradState<P>;
    type Kernel = ScaleByAmsgradStep;

    fn init<P: Tree>(&self, params: &P) -> ScaleByAmsgradState<P> {
        let zeros = || params.zeros_like();
        ScaleByAmsgradState { count: 0, mu: zeros(), nu: zeros(), nu_max: zeros() }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleByAmsgradState<P>, _: &mut P, _: &P) -> ScaleByAmsgradStep {
        state.count = state.count.saturating_add(1);
        let correction =
            |decay, on: bool| if on { BiasCorrection::new(decay, state.count) } else { BiasCorrection::NONE };
        ScaleByAmsgradStep {
            amsgrad: *self,
            mu: correction(self.b1, self.bias_correction_mu),
            nu: correction(self.b2, self.bias_correction_nu),
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct ScaleByAmsgradStep {
    amsgrad: ScaleByAmsgrad,
    mu: BiasCorrection,
    nu: BiasCorrection,
}

impl Kernel for ScaleByAmsgradStep {
    const SLOTS: usize = 3;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [mu, nu, nu_max] = slots else { return };
        let ScaleByAmsgrad { b1, b2, eps, eps_root, .. } = self.amsgrad;
        let [b1, new1, b2, new2, eps, eps_root] =
            [b1, 1.0 - b1, b2, 1.0 - b2, eps, eps_root].map(E::from_f64);
        let [mu_scale, nu_scale] = [self.mu, self.nu].map(|correction| E::ONE / correction.get());
        let moments = mu.iter_mut().zip(nu.iter_mut()).zip(nu_max.iter_mut());
        for (update, ((mu, nu), nu_max)) in updates.iter_mut().zip(moments) {
            let gradient = *update;
            *mu = (new1 * gradient + b1 * *mu).flushed();
            *nu = (new2 * (gradient * gradient) + b2 * *nu).flushed();
            let corrected = *nu * nu_scale;
            // A NaN stays.
            *nu_max = if *nu_max >= corrected { *nu_max } else { corrected };
            *update = *mu * mu_scale / ((*nu_max + eps_root).sqrt() + eps);
        }
    }
}
