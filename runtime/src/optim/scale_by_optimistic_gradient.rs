//! Extrapolated gradients: `optax.scale_by_optimistic_gradient`.

use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = (alpha + beta) g - beta d` with the gradient `d` of the step before ([Mokhtari et al.,
/// 2019](https://arxiv.org/abs/1901.08511)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByOptimisticGradient {
    /// The coefficient of the gradient.
    pub alpha: f64,
    /// The coefficient of its change.
    pub beta: f64,
}

/// Extrapolated gradients with Optax's coefficients, which are 1.
pub const fn scale_by_optimistic_gradient() -> ScaleByOptimisticGradient {
    ScaleByOptimisticGradient { alpha: 1.0, beta: 1.0 }
}

/// Optax's `ScaleByOptimisticGradientState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByOptimisticGradientState<P> {
    /// Whether no step was taken yet.
    pub is_initial_step: bool,
    /// The gradients of the step before.
    pub previous_gradient: P,
}

impl<P: Tree> State<P> for ScaleByOptimisticGradientState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.previous_gradient);
    }
}

impl GradientTransformation for ScaleByOptimisticGradient {
    type State<P: Tree> = ScaleByOptimisticGradientState<P>;
    type Kernel = ScaleByOptimisticGradientStep;

    fn init<P: Tree>(&self, params: &P) -> ScaleByOptimisticGradientState<P> {
        ScaleByOptimisticGradientState { is_initial_step: true, previous_gradient: params.zeros_like() }
    }

    fn begin<P: Tree>(
        &self,
        state: &mut ScaleByOptimisticGradientState<P>,
        _: &mut P,
        _: &P,
    ) -> ScaleByOptimisticGradientStep {
        let first = std::mem::replace(&mut state.is_initial_step, false);
        ScaleByOptimisticGradientStep { transform: *self, first }
    }
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct ScaleByOptimisticGradientStep {
    transform: ScaleByOptimisticGradient,
    /// Whether there is no gradient before.
    first: bool,
}

impl Kernel for ScaleByOptimisticGradientStep {
    const SLOTS: usize = 1;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [previous] = slots else { return };
        let ScaleByOptimisticGradient { alpha, beta } = self.transform;
        let [both, beta] = [alpha + beta, beta].map(E::from_f64);
        for (update, previous) in updates.iter_mut().zip(previous.iter_mut()) {
            let before = std::mem::replace(previous, *update);
            let before = if self.first { *update } else { before };
            *update = both * *update - beta * before;
        }
    }
}
