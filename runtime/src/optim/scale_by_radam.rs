//! The rescaling of rectified Adam: `optax.scale_by_radam`.

use super::bias_correction::{BiasCorrection, integer_pow};
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// Adam's moments. In step `t`, with `ρ∞ = 2 / (1 - b2) - 1` and `ρ = ρ∞ - 2 t b2ᵗ / (1 - b2ᵗ)`,
/// `u = r mû / (sqrt(nû + eps_root) + eps)` with `r² = (ρ - 4) (ρ - 2) ρ∞ / ((ρ∞ - 4) (ρ∞ - 2) ρ)` where
/// `ρ >= threshold`, and `u = mû` before ([Liu et al., 2019](https://arxiv.org/abs/1908.03265)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByRadam {
    /// The decay of the mean of the gradients.
    pub b1: f64,
    /// The decay of the mean of their squares.
    pub b2: f64,
    /// Added to the denominator, outside of the root.
    pub eps: f64,
    /// Added to the denominator, inside of the root.
    pub eps_root: f64,
    /// The length of the average from which on the denominator is used.
    pub threshold: f64,
    /// Whether to use Nesterov's momentum.
    pub nesterov: bool,
}

/// The rescaling of rectified Adam with Optax's defaults.
pub const fn scale_by_radam() -> ScaleByRadam {
    ScaleByRadam { b1: 0.9, b2: 0.999, eps: 1e-8, eps_root: 0.0, threshold: 5.0, nesterov: false }
}

impl ScaleByRadam {
    /// `r`, in f32 as Optax computes it: `ρ` is a small difference of large numbers, so that the rounding shows.
    fn rectifier(&self, count: i32) -> Option<f64> {
        let infinite = 2.0 / (1.0 - self.b2) - 1.0;
        let power = integer_pow(self.b2 as f32, count);
        let length = infinite as f32 - (2 * i64::from(count)) as f32 * power / (1.0 - power);
        let square = (length - 4.0) * (length - 2.0) * infinite as f32
            / (((infinite - 4.0) * (infinite - 2.0)) as f32 * length);
        (f64::from(length) >= self.threshold).then(|| square.sqrt().into())
    }
}

/// Optax's `ScaleByAdamState`, as rectified Adam uses it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByRadamState<P> {
    /// The number of steps taken.
    pub count: i32,
    /// The mean of the gradients.
    pub mu: P,
    /// The mean of their squares.
    pub nu: P,
}

impl<P: Tree> State<P> for ScaleByRadamState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.mu);
        slots.push(&mut self.nu);
    }
}

impl GradientTransformation for ScaleByRadam {
    type State<P: Tree> = ScaleByRadamState<P>;
    type Kernel = ScaleByRadamStep;

    fn init<P: Tree>(&self, params: &P) -> ScaleByRadamState<P> {
        ScaleByRadamState { count: 0, mu: params.zeros_like(), nu: params.zeros_like() }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleByRadamState<P>, _: &mut P, _: &P) -> ScaleByRadamStep {
        state.count = state.count.saturating_add(1);
        ScaleByRadamStep {
            radam: *self,
            rectifier: self.rectifier(state.count),
            mu: BiasCorrection::new(self.b1, state.count),
            ahead: BiasCorrection::new(self.b1, state.count.saturating_add(1)),
            nu: BiasCorrection::new(self.b2, state.count),
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct ScaleByRadamStep {
    radam: ScaleByRadam,
    /// Nothing in the steps before the threshold.
    rectifier: Option<f64>,
    mu: BiasCorrection,
    /// The next step's, for Nesterov's momentum.
    ahead: BiasCorrection,
    nu: BiasCorrection,
}

impl Kernel for ScaleByRadamStep {
    const SLOTS: usize = 2;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [mu, nu] = slots else { return };
        let ScaleByRadam { b1, b2, eps, eps_root, nesterov, .. } = self.radam;
        let [b1, new1, b2, new2, eps, eps_root] =
            [b1, 1.0 - b1, b2, 1.0 - b2, eps, eps_root].map(E::from_f64);
        let [mu_scale, ahead, nu_scale] =
            [self.mu, self.ahead, self.nu].map(|correction| E::ONE / correction.get());
        let rectifier = self.rectifier.map(E::from_f64);
        for ((update, mu), nu) in updates.iter_mut().zip(mu.iter_mut()).zip(nu.iter_mut()) {
            let gradient = *update;
            *mu = (new1 * gradient + b1 * *mu).flushed();
            *nu = (new2 * (gradient * gradient) + b2 * *nu).flushed();
            let mean = match nesterov {
                true => b1 * (*mu * ahead) + new1 * (gradient * mu_scale),
                false => *mu * mu_scale,
            };
            *update = match rectifier {
                Some(rectifier) => rectifier * mean / ((*nu * nu_scale + eps_root).sqrt() + eps),
                None => mean,
            };
        }
    }
}
