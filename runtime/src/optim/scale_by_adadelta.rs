//! AdaDelta's rescaling: `optax.scale_by_adadelta`.

use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `e_g = (1 - rho) g² + rho e_g`, `u = g sqrt(e_x + eps) / sqrt(e_g + eps)`, `e_x = (1 - rho) u² + rho e_x` ([Zeiler,
/// 2012](https://arxiv.org/abs/1212.5701)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByAdadelta {
    /// The decay of the means.
    pub rho: f64,
    /// Added inside of the roots.
    pub eps: f64,
}

/// AdaDelta's rescaling with Optax's defaults.
pub const fn scale_by_adadelta() -> ScaleByAdadelta {
    ScaleByAdadelta { rho: 0.9, eps: 1e-6 }
}

/// Optax's `ScaleByAdaDeltaState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByAdadeltaState<P> {
    /// The mean of the squares of the gradients.
    pub e_g: P,
    /// The mean of the squares of the updates.
    pub e_x: P,
}

impl<P: Tree> State<P> for ScaleByAdadeltaState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.e_g);
        slots.push(&mut self.e_x);
    }
}

impl GradientTransformation for ScaleByAdadelta {
    type State<P: Tree> = ScaleByAdadeltaState<P>;
    type Kernel = ScaleByAdadelta;

    fn init<P: Tree>(&self, params: &P) -> ScaleByAdadeltaState<P> {
        ScaleByAdadeltaState { e_g: params.zeros_like(), e_x: params.zeros_like() }
    }

    fn begin<P: Tree>(&self, _: &mut ScaleByAdadeltaState<P>, _: &mut P, _: &P) -> ScaleByAdadelta {
        *self
    }
}

impl Kernel for ScaleByAdadelta {
    const SLOTS: usize = 2;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [e_g, e_x] = slots else { return };
        let [rho, new, eps] = [self.rho, 1.0 - self.rho, self.eps].map(E::from_f64);
        for ((update, e_g), e_x) in updates.iter_mut().zip(e_g.iter_mut()).zip(e_x.iter_mut()) {
            let gradient = *update;
            *e_g = (new * (gradient * gradient) + rho * *e_g).flushed();
            *update = (*e_x + eps).sqrt() / (*e_g + eps).sqrt() * gradient;
            *e_x = (new * (*update * *update) + rho * *e_x).flushed();
        }
    }
}
