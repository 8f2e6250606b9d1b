//! Rprop's step sizes: `optax.scale_by_rprop`.

use super::clip::clamped;
use super::scale_by_sign::sign;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// With `s = g d` of the gradient and the step `d` before: the size grows by `eta_plus` where `s > 0` and shrinks by
/// `eta_minus` where `s < 0`; then the step is `size sign(g)`, and 0 where `s < 0` ([Riedmiller and Braun,
/// 1993](https://ieeexplore.ieee.org/document/298623)).
///
/// The update is the step before, `u = d`, and 0 where `s < 0`: Optax lets one step pass before it takes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByRprop {
    /// The first size of the steps.
    pub learning_rate: f64,
    /// The factor after a change of sign.
    pub eta_minus: f64,
    /// The factor while the sign stays.
    pub eta_plus: f64,
    /// The smallest size.
    pub min_step_size: f64,
    /// The largest size.
    pub max_step_size: f64,
}

/// Rprop's step sizes with Optax's defaults, and the first of them.
pub const fn scale_by_rprop(learning_rate: f64) -> ScaleByRprop {
    ScaleByRprop { learning_rate, eta_minus: 0.5, eta_plus: 1.2, min_step_size: 1e-6, max_step_size: 50.0 }
}

/// Optax's `ScaleByRpropState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByRpropState<P> {
    /// The sizes of the steps.
    pub step_sizes: P,
    /// The steps before.
    pub prev_updates: P,
}

impl<P: Tree> State<P> for ScaleByRpropState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.step_sizes);
        slots.push(&mut self.prev_updates);
    }
}

impl GradientTransformation for ScaleByRprop {
    type State<P: Tree> = ScaleByRpropState<P>;
    type Kernel = ScaleByRprop;

    fn init<P: Tree>(&self, params: &P) -> ScaleByRpropState<P> {
        ScaleByRpropState {
            step_sizes: params.full_like(self.learning_rate),
            prev_updates: params.zeros_like(),
        }
    }

    fn begin<P: Tree>(&self, _: &mut ScaleByRpropState<P>, _: &mut P, _: &P) -> ScaleByRprop {
        *self
    }
}

impl Kernel for ScaleByRprop {
    const SLOTS: usize = 2;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [sizes, previous] = slots else { return };
        let [minus, plus, smallest, largest] =
            [self.eta_minus, self.eta_plus, self.min_step_size, self.max_step_size].map(E::from_f64);
        for ((update, size), previous) in updates.iter_mut().zip(sizes.iter_mut()).zip(previous.iter_mut()) {
            let agreement = *update * *previous;
            if agreement != E::ZERO {
                let scaled = *size * if agreement > E::ZERO { plus } else { minus };
                *size = clamped(scaled, smallest, largest);
            }
            let step = if agreement < E::ZERO { E::ZERO } else { *size * sign(*update) };
            let before = std::mem::replace(previous, step);
            *update = if agreement < E::ZERO { E::ZERO } else { before };
        }
    }
}
