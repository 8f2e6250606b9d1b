//! Momentum: `optax.trace`.

use super::state::{Slots, State};
use super::{GradientTransformation, kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `t = g + decay t`, `u = t`; with Nesterov's momentum `u = g + decay t`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    /// How much of the trace remains after a step.
    pub decay: f64,
    /// Whether to look one step ahead (Nesterov, 1983).
    pub nesterov: bool,
}

/// A trace of past updates with a decay, added to the new ones.
pub const fn trace(decay: f64) -> Trace {
    Trace { decay, nesterov: false }
}

impl Trace {
    /// Looks one step ahead.
    pub const fn nesterov(mut self) -> Self {
        self.nesterov = true;
        self
    }
}

/// Optax's `TraceState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceState<P> {
    /// The decaying sum.
    pub trace: P,
}

impl<P: Tree> State<P> for TraceState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.trace);
    }
}

impl GradientTransformation for Trace {
    type State<P: Tree> = TraceState<P>;
    type Kernel = Trace;

    fn init<P: Tree>(&self, params: &P) -> TraceState<P> {
        TraceState { trace: params.zeros_like() }
    }

    fn begin<P: Tree>(&self, _: &mut TraceState<P>, _: &mut P, _: &P) -> Trace {
        *self
    }
}

impl kernel::Kernel for Trace {
    const SLOTS: usize = 1;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [trace] = slots else { return };
        let decay = E::from_f64(self.decay);
        for (update, trace) in updates.iter_mut().zip(trace.iter_mut()) {
            *trace = (*update + decay * *trace).flushed();
            *update = if self.nesterov { *update + decay * *trace } else { *trace };
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn a_trace_that_decays_ends_at_zero_and_is_never_subnormal() {
        let gradient = |value| Tensor::<(U2,), f32>::of(&[value, 0.0]).unwrap();
        let mut state = TrainState::create(gradient(0.0), sgd(0.1).momentum(0.9));
        state.update(gradient(1.0));
        for _ in 0..900 {
            state.update(gradient(0.0));
            let (trace, _) = &state.opt_state;
            assert!(trace.trace.as_slice().iter().all(|trace| !trace.is_subnormal()));
        }
        assert_eq!(state.opt_state.0.trace.as_slice(), [0.0, 0.0]);
    }
}
