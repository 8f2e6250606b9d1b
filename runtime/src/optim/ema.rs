//! A decaying mean: `optax.ema`.

use super::bias_correction::BiasCorrection;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `m = (1 - decay) g + decay m`, `u = m`, or corrected for its beginning at zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ema {
    /// How much of the mean remains after a step.
    pub decay: f64,
    /// Whether the mean is corrected for its beginning at zero.
    pub debias: bool,
}

/// The decaying mean of the updates, corrected for its beginning at zero.
pub const fn ema(decay: f64) -> Ema {
    Ema { decay, debias: true }
}

impl Ema {
    /// With or without the correction.
    pub const fn debias(mut self, debias: bool) -> Self {
        self.debias = debias;
        self
    }
}

/// Optax's `EmaState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmaState<P> {
    /// The number of steps taken.
    pub count: i32,
    /// The mean.
    pub ema: P,
}

impl<P: Tree> State<P> for EmaState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.ema);
    }
}

impl GradientTransformation for Ema {
    type State<P: Tree> = EmaState<P>;
    type Kernel = EmaStep;

    fn init<P: Tree>(&self, params: &P) -> EmaState<P> {
        EmaState { count: 0, ema: params.zeros_like() }
    }

    fn begin<P: Tree>(&self, state: &mut EmaState<P>, _: &mut P, _: &P) -> EmaStep {
        state.count = state.count.saturating_add(1);
        let correction = match self.debias {
            true => BiasCorrection::new(self.decay, state.count),
            false => BiasCorrection::NONE,
        };
        EmaStep { decay: self.decay, correction }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct EmaStep {
    decay: f64,
    correction: BiasCorrection,
}

impl Kernel for EmaStep {
    const SLOTS: usize = 1;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [ema] = slots else { return };
        let [decay, new] = [self.decay, 1.0 - self.decay].map(E::from_f64);
        let scale = E::ONE / self.correction.get();
        for (update, ema) in updates.iter_mut().zip(ema.iter_mut()) {
            *ema = (new * *update + decay * *ema).flushed();
            *update = *ema * scale;
        }
    }
}
