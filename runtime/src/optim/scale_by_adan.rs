//! Adan's rescaling: `optax.scale_by_adan`.

use super::bias_correction::BiasCorrection;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// With `d` the difference to the gradient before: `m = (1 - b1) g + b1 m`, `v = (1 - b2) d + b2 v`,
/// `n = (1 - b3) (g + (1 - b2) d)² + b3 n`, `u = (m̂ + (1 - b2) v̂) / (sqrt(n̂ + eps_root) + eps)` ([Xie et al.,
/// 2022](https://arxiv.org/abs/2208.06677)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByAdan {
    /// The decay of the mean of the gradients.
    pub b1: f64,
    /// The decay of the mean of their differences.
    pub b2: f64,
    /// The decay of the mean of the squares.
    pub b3: f64,
    /// Added to the denominator, outside of the root.
    pub eps: f64,
    /// Added to the denominator, inside of the root.
    pub eps_root: f64,
}

/// Adan's rescaling with Optax's defaults.
pub const fn scale_by_adan() -> ScaleByAdan {
    ScaleByAdan { b1: 0.98, b2: 0.92, b3: 0.99, eps: 1e-8, eps_root: 0.0 }
}

/// Optax's `ScaleByAdanState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByAdanState<P> {
    /// The mean of the gradients.
    pub m: P,
    /// The mean of their differences.
    pub v: P,
    /// The mean of the squares.
    pub n: P,
    /// The gradients of the step before.
    pub g: P,
    /// The number of steps taken.
    pub t: i32,
}

impl<P: Tree> State<P> for ScaleByAdanState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.m);
        slots.push(&mut self.v);
        slots.push(&mut self.n);
        slots.push(&mut self.g);
    }
}

impl GradientTransformation for ScaleByAdan {
    type State<P: Tree> = ScaleByAdanState<P>;
    type Kernel = ScaleByAdanStep;

    fn init<P: Tree>(&self, params: &P) -> ScaleByAdanState<P> {
        let zeros = || params.zeros_like();
        ScaleByAdanState { m: zeros(), v: zeros(), n: zeros(), g: zeros(), t: 0 }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleByAdanState<P>, _: &mut P, _: &P) -> ScaleByAdanStep {
        let first = state.t == 0;
        state.t = state.t.saturating_add(1);
        let correction = |decay| BiasCorrection::new(decay, state.t);
        ScaleByAdanStep {
            adan: *self,
            first,
            m: correction(self.b1),
            v: correction(self.b2),
            n: correction(self.b3),
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct ScaleByAdanStep {
    adan: ScaleByAdan,
    /// Whether there is no gradient before.
    first: bool,
    m: BiasCorrection,
    v: BiasCorrection,
    n: BiasCorrection,
}

impl Kernel for ScaleByAdanStep {
    const SLOTS: usize = 4;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [m, v, n, g] = slots else { return };
        let ScaleByAdan { b1, b2, b3, eps, eps_root } = self.adan;
        let [new1, new2, new3] = [1.0 - b1, 1.0 - b2, 1.0 - b3].map(E::from_f64);
        let [b1, b2, b3, eps, eps_root] = [b1, b2, b3, eps, eps_root].map(E::from_f64);
        let [m_scale, v_scale, n_scale] =
            [self.m, self.v, self.n].map(|correction| E::ONE / correction.get());
        let means = m.iter_mut().zip(v.iter_mut()).zip(n.iter_mut()).zip(g.iter_mut());
        for (update, (((m, v), n), previous)) in updates.iter_mut().zip(means) {
            let gradient = *update;
            let difference = if self.first { E::ZERO } else { gradient - *previous };
            *previous = gradient;
            *m = (new1 * gradient + b1 * *m).flushed();
            *v = (new2 * difference + b2 * *v).flushed();
            let ahead = gradient + new2 * difference;
            *n = (new3 * (ahead * ahead) + b3 * *n).flushed();
            *update = (*m * m_scale + new2 * (*v * v_scale)) / ((*n * n_scale + eps_root).sqrt() + eps);
        }
    }
}
