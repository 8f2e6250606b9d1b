//! Lion's rescaling: `optax.scale_by_lion`.

use super::scale_by_sign::sign;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = sign((1 - b1) g + b1 mu)`, `mu = (1 - b2) g + b2 mu` ([Chen et al., 2023](https://arxiv.org/abs/2302.06675)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByLion {
    /// The share of the momentum in what is signed.
    pub b1: f64,
    /// The decay of the momentum.
    pub b2: f64,
}

/// Lion's rescaling with Optax's defaults.
pub const fn scale_by_lion() -> ScaleByLion {
    ScaleByLion { b1: 0.9, b2: 0.99 }
}

/// Optax's `ScaleByLionState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByLionState<P> {
    /// The number of steps taken.
    pub count: i32,
    /// The momentum.
    pub mu: P,
}

impl<P: Tree> State<P> for ScaleByLionState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.mu);
    }
}

impl GradientTransformation for ScaleByLion {
    type State<P: Tree> = ScaleByLionState<P>;
    type Kernel = ScaleByLion;

    fn init<P: Tree>(&self, params: &P) -> ScaleByLionState<P> {
        ScaleByLionState { count: 0, mu: params.zeros_like() }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleByLionState<P>, _: &mut P, _: &P) -> ScaleByLion {
        state.count = state.count.saturating_add(1);
        *self
    }
}

impl Kernel for ScaleByLion {
    const SLOTS: usize = 1;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [mu] = slots else { return };
        let [b1, new1, b2, new2] = [self.b1, 1.0 - self.b1, self.b2, 1.0 - self.b2].map(E::from_f64);
        for (update, mu) in updates.iter_mut().zip(mu.iter_mut()) {
            let gradient = *update;
            *update = sign(new1 * gradient + b1 * *mu);
            *mu = (new2 * gradient + b2 * *mu).flushed();
        }
    }
}
