//! Yogi's rescaling: `optax.scale_by_yogi`.

use super::bias_correction::BiasCorrection;
use super::scale_by_sign::sign;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `mu = (1 - b1) g + b1 mu`, `nu = nu - (1 - b2) sign(nu - g²) g²`, `u = mû / (sqrt(nû + eps_root) + eps)` ([Zaheer et al.,
/// 2018](https://proceedings.neurips.cc/paper/2018/hash/90365351ccc7437a1309dc64e4db32a3-Abstract.html)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByYogi {
    /// The decay of the mean of the gradients.
    pub b1: f64,
    /// How fast the second moment follows the squares.
    pub b2: f64,
    /// Added to the denominator, outside of the root.
    pub eps: f64,
    /// Added to the denominator, inside of the root.
    pub eps_root: f64,
    /// What both moments begin at.
    pub initial_accumulator_value: f64,
}

/// Yogi's rescaling with Optax's defaults.
pub const fn scale_by_yogi() -> ScaleByYogi {
    ScaleByYogi { b1: 0.9, b2: 0.999, eps: 1e-3, eps_root: 0.0, initial_accumulator_value: 1e-6 }
}

/// Optax's `ScaleByAdamState`, as Yogi uses it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByYogiState<P> {
    /// The number of steps taken.
    pub count: i32,
    /// The mean of the gradients.
    pub mu: P,
    /// The second moment.
    pub nu: P,
}

impl<P: Tree> State<P> for ScaleByYogiState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.mu);
        slots.push(&mut self.nu);
    }
}

impl GradientTransformation for ScaleByYogi {
    type State<P: Tree> = ScaleByYogiState<P>;
    type Kernel = ScaleByYogiStep;

    fn init<P: Tree>(&self, params: &P) -> ScaleByYogiState<P> {
        let moment = || params.full_like(self.initial_accumulator_value);
        ScaleByYogiState { count: 0, mu: moment(), nu: moment() }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleByYogiState<P>, _: &mut P, _: &P) -> ScaleByYogiStep {
        state.count = state.count.saturating_add(1);
        ScaleByYogiStep {
            yogi: *self,
            mu: BiasCorrection::new(self.b1, state.count),
            nu: BiasCorrection::new(self.b2, state.count),
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct ScaleByYogiStep {
    yogi: ScaleByYogi,
    mu: BiasCorrection,
    nu: BiasCorrection,
}

impl Kernel for ScaleByYogiStep {
    const SLOTS: usize = 2;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [mu, nu] = slots else { return };
        let ScaleByYogi { b1, b2, eps, eps_root, .. } = self.yogi;
        let [b1, new1, new2, eps, eps_root] = [b1, 1.0 - b1, 1.0 - b2, eps, eps_root].map(E::from_f64);
        let [mu_scale, nu_scale] = [self.mu, self.nu].map(|correction| E::ONE / correction.get());
        for ((update, mu), nu) in updates.iter_mut().zip(mu.iter_mut()).zip(nu.iter_mut()) {
            let (gradient, square) = (*update, *update * *update);
            *mu = (new1 * gradient + b1 * *mu).flushed();
            *nu = (*nu - new2 * sign(*nu - square) * square).flushed();
            *update = *mu * mu_scale / ((*nu * nu_scale + eps_root).sqrt() + eps);
        }
    }
}
