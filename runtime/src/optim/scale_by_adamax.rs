//! AdaMax's rescaling: `optax.scale_by_adamax`.

use super::bias_correction::BiasCorrection;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `mu = (1 - b1) g + b1 mu`, `nu = max(|g| + eps, b2 nu)`, `u = mû / nu` ([Kingma and Ba,
/// 2014](https://arxiv.org/abs/1412.6980)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByAdamax {
    /// The decay of the mean of the gradients.
    pub b1: f64,
    /// The decay of the largest gradient.
    pub b2: f64,
    /// Added to the size of a gradient.
    pub eps: f64,
}

/// AdaMax's rescaling with Optax's defaults.
pub const fn scale_by_adamax() -> ScaleByAdamax {
    ScaleByAdamax { b1: 0.9, b2: 0.999, eps: 1e-8 }
}

/// Optax's `ScaleByAdamState`, as AdaMax uses it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByAdamaxState<P> {
    /// The number of steps taken.
    pub count: i32,
    /// The mean of the gradients.
    pub mu: P,
    /// The decaying largest gradient.
    pub nu: P,
}

impl<P: Tree> State<P> for ScaleByAdamaxState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.mu);
        slots.push(&mut self.nu);
    }
}

impl GradientTransformation for ScaleByAdamax {
    type State<P: Tree> = ScaleByAdamaxState<P>;
    type Kernel = ScaleByAdamaxStep;

    fn init<P: Tree>(&self, params: &P) -> ScaleByAdamaxState<P> {
        ScaleByAdamaxState { count: 0, mu: params.zeros_like(), nu: params.zeros_like() }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleByAdamaxState<P>, _: &mut P, _: &P) -> ScaleByAdamaxStep {
        state.count = state.count.saturating_add(1);
        ScaleByAdamaxStep { adamax: *self, mu: BiasCorrection::new(self.b1, state.count) }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct ScaleByAdamaxStep {
    adamax: ScaleByAdamax,
    mu: BiasCorrection,
}

impl Kernel for ScaleByAdamaxStep {
    const SLOTS: usize = 2;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [mu, nu] = slots else { return };
        let ScaleByAdamax { b1, b2, eps } = self.adamax;
        let [b1, new1, b2, eps] = [b1, 1.0 - b1, b2, eps].map(E::from_f64);
        let mu_scale = E::ONE / self.mu.get();
        for ((update, mu), nu) in updates.iter_mut().zip(mu.iter_mut()).zip(nu.iter_mut()) {
            *mu = (new1 * *update + b1 * *mu).flushed();
            let (size, decayed) = (update.abs() + eps, b2 * *nu);
            // A NaN stays.
            *nu = if decayed >= size { decayed } else { size };
            *update = *mu * mu_scale / *nu;
        }
    }
}
