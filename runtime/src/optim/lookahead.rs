//! Lookahead: `optax.lookahead`.

use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// An optimiser whose parameters are drawn back to slow ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lookahead<T> {
    /// The optimiser.
    pub fast_optimizer: T,
    /// The number of steps after which the parameters are drawn back.
    pub sync_period: i32,
    /// How far the slow parameters follow.
    pub slow_step_size: f64,
}

/// Every `sync_period` steps the slow parameters take `slow_step_size` of the way to the fast ones, which go on from
/// there ([Zhang et al., 2019](https://arxiv.org/abs/1907.08610)).
///
/// The parameters that are trained are the fast ones; the slow ones, which one evaluates with, are in the state:
/// [`LookaheadState::slow`]. (Optax has both in a `LookaheadParams` in the place of the parameters.)
pub const fn lookahead<T>(fast_optimizer: T, sync_period: i32, slow_step_size: f64) -> Lookahead<T> {
    Lookahead { fast_optimizer, sync_period, slow_step_size }
}

/// Optax's `LookaheadState`, and the slow parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookaheadState<S, P> {
    /// The optimiser's state.
    pub fast_state: S,
    /// The number of steps since the parameters were drawn back.
    pub steps_since_sync: i32,
    /// The slow parameters.
    pub slow: P,
}

impl<P: Tree, S: State<P>> State<P> for LookaheadState<S, P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.slow);
        self.fast_state.slots(slots);
    }
}

impl<T: GradientTransformation> GradientTransformation for Lookahead<T> {
    type State<P: Tree> = LookaheadState<T::State<P>, P>;
    type Kernel = LookaheadStep<T::Kernel>;
    const WHOLE_TREE: bool = T::WHOLE_TREE;

    fn init<P: Tree>(&self, params: &P) -> Self::State<P> {
        let fast_state = self.fast_optimizer.init(params);
        LookaheadState { fast_state, steps_since_sync: 0, slow: params.clone() }
    }

    fn begin<P: Tree>(&self, state: &mut Self::State<P>, updates: &mut P, params: &P) -> Self::Kernel {
        let period = self.sync_period.max(1);
        let sync = (state.steps_since_sync == period - 1).then_some(self.slow_step_size);
        state.steps_since_sync = (state.steps_since_sync + 1) % period;
        LookaheadStep { fast: self.fast_optimizer.begin(&mut state.fast_state, updates, params), sync }
    }
}

/// A step of the optimiser, and then the way back.
#[derive(Clone, Debug)]
pub struct LookaheadStep<K> {
    fast: K,
    sync: Option<f64>,
}

impl<K: Kernel> Kernel for LookaheadStep<K> {
    const SLOTS: usize = 1 + K::SLOTS;
    const BF16_SLOTS: u32 = K::BF16_SLOTS << 1;

    fn prepare<E: Float>(&self, index: usize, updates: &[E], params: &[E]) -> Self {
        LookaheadStep { fast: self.fast.prepare(index, updates, params), sync: self.sync }
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        let [slow, slots @ ..] = slots else { return };
        self.fast.update(updates, params, slots);
        let Some(step) = self.sync else { return };
        let [step, back] = [step, 1.0 - step].map(E::from_f64);
        for ((update, &param), slow) in updates.iter_mut().zip(params).zip(slow.iter_mut()) {
            let difference = param + *update - *slow;
            *slow += step * difference;
            *update -= back * difference;
        }
    }
}
