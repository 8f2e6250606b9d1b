//! Momentum: `optax.trace`.

use super::accumulator::{Accumulator, AccumulatorDtype, ParamsDtype};
use super::state::{Slots, State};
use super::{GradientTransformation, kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `t = g + decay t`, `u = t`; with Nesterov's momentum `u = g + decay t`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trace<A = ParamsDtype> {
    /// How much of the trace remains after a step.
    pub decay: f64,
    /// Whether to look one step ahead (Nesterov, 1983).
    pub nesterov: bool,
    /// The elements of the trace.
    #[serde(skip)]
    pub accumulator_dtype: A,
}

/// A trace of past updates with a decay, added to the new ones.
pub const fn trace(decay: f64) -> Trace {
    Trace { decay, nesterov: false, accumulator_dtype: ParamsDtype }
}

impl<A: AccumulatorDtype> Trace<A> {
    /// Looks one step ahead.
    pub const fn nesterov(mut self) -> Self {
        self.nesterov = true;
        self
    }

    /// With the trace in these elements: [`Bf16`](super::Bf16).
    pub fn accumulator_dtype<T: AccumulatorDtype>(self, accumulator_dtype: T) -> Trace<T> {
        Trace { decay: self.decay, nesterov: self.nesterov, accumulator_dtype }
    }
}

/// Optax's `TraceState`. The sum is of the parameters' type, or what [`Bf16`](super::Bf16) has in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceState<A> {
    /// The decaying sum.
    pub trace: A,
}

impl<P: Tree, A: Accumulator<P>> State<P> for TraceState<A> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        self.trace.push(slots);
    }
}

impl<A: AccumulatorDtype> GradientTransformation for Trace<A> {
    type State<P: Tree> = TraceState<A::Tree<P>>;
    type Kernel = Trace<A>;

    fn init<P: Tree>(&self, params: &P) -> Self::State<P> {
        TraceState { trace: Accumulator::zeros_like(params) }
    }

    fn begin<P: Tree>(&self, _: &mut Self::State<P>, _: &mut P, _: &P) -> Trace<A> {
        *self
    }
}

impl<A: AccumulatorDtype> kernel::Kernel for Trace<A> {
    const SLOTS: usize = 1;
    const BF16_SLOTS: u32 = A::IS_BF16 as u32;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [trace] = slots else { return };
        let decay = E::from_f64(self.decay);
        for (update, trace) in updates.iter_mut().zip(trace.iter_mut()) {
            *trace = (*update + A::decayed(decay, *trace)).flushed();
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
