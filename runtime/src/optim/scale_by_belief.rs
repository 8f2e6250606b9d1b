//! AdaBelief's rescaling: `optax.scale_by_belief`.

use super::bias_correction::BiasCorrection;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `mu = (1 - b1) g + b1 mu`, `nu = (1 - b2) (g - mu)² + b2 nu + eps_root`, `u = mû / (sqrt(nû) + eps)` ([Zhuang et al.,
/// 2020](https://arxiv.org/abs/2010.07468)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByBelief {
    /// The decay of the mean of the gradients.
    pub b1: f64,
    /// The decay of the mean of the squared distances.
    pub b2: f64,
    /// Added to the denominator, outside of the root.
    pub eps: f64,
    /// Added to the mean of the squared distances in every step.
    pub eps_root: f64,
    /// Whether to use Nesterov's momentum.
    pub nesterov: bool,
}

/// AdaBelief's rescaling with Optax's defaults.
pub const fn scale_by_belief() -> ScaleByBelief {
    ScaleByBelief { b1: 0.9, b2: 0.999, eps: 1e-16, eps_root: 1e-16, nesterov: false }
}

/// Optax's `ScaleByBeliefState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByBeliefState<P> {
    /// The number of steps taken.
    pub count: i32,
    /// The mean of the gradients.
    pub mu: P,
    /// The mean of the squared distances of the gradients from it.
    pub nu: P,
}

impl<P: Tree> State<P> for ScaleByBeliefState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.mu);
        slots.push(&mut self.nu);
    }
}

impl GradientTransformation for ScaleByBelief {
    type State<P: Tree> = ScaleByBeliefState<P>;
    type Kernel = ScaleByBeliefStep;

    fn init<P: Tree>(&self, params: &P) -> ScaleByBeliefState<P> {
        ScaleByBeliefState { count: 0, mu: params.zeros_like(), nu: params.zeros_like() }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleByBeliefState<P>, _: &mut P, _: &P) -> ScaleByBeliefStep {
        state.count = state.count.saturating_add(1);
        ScaleByBeliefStep {
            belief: *self,
            mu: BiasCorrection::new(self.b1, state.count),
            ahead: BiasCorrection::new(self.b1, state.count.saturating_add(1)),
            nu: BiasCorrection::new(self.b2, state.count),
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct ScaleByBeliefStep {
    belief: ScaleByBelief,
    mu: BiasCorrection,
    /// The next step's, for Nesterov's momentum.
    ahead: BiasCorrection,
    nu: BiasCorrection,
}

impl Kernel for ScaleByBeliefStep {
    const SLOTS: usize = 2;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [mu, nu] = slots else { return };
        let ScaleByBelief { b1, b2, eps, eps_root, nesterov } = self.belief;
        let [b1, new1, b2, new2, eps, eps_root] =
            [b1, 1.0 - b1, b2, 1.0 - b2, eps, eps_root].map(E::from_f64);
        let [mu_scale, ahead, nu_scale] =
            [self.mu, self.ahead, self.nu].map(|correction| E::ONE / correction.get());
        for ((update, mu), nu) in updates.iter_mut().zip(mu.iter_mut()).zip(nu.iter_mut()) {
            let gradient = *update;
            *mu = (new1 * gradient + b1 * *mu).flushed();
            let error = gradient - *mu;
            *nu = (new2 * (error * error) + b2 * *nu + eps_root).flushed();
            let mean = match nesterov {
                true => b1 * (*mu * ahead) + new1 * (gradient * mu_scale),
                false => *mu * mu_scale,
            };
            *update = mean / ((*nu * nu_scale).sqrt() + eps);
        }
    }
}
