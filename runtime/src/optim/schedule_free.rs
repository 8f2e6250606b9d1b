//! Averages in place of a schedule: `optax.contrib.schedule_free`.

use super::schedule::Schedule;
use super::state::{Slots, State};
use super::{EmptyState, Sgd, sgd};
use super::{GradientTransformation, Kernel, sweep};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// An optimiser whose iterates are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleFree<T, L = f64> {
    /// The optimiser.
    pub base_optimizer: T,
    /// Its learning rate, by which the iterates are weighted.
    pub learning_rate: L,
    /// How near to the average the gradients are taken.
    pub b1: f64,
    /// The power of the learning rate by which iterates are weighted.
    pub weight_lr_power: f64,
}

/// Averages the iterates of an optimiser instead of letting its learning rate decay ([Defazio et al.,
/// 2024](https://arxiv.org/abs/2405.15682)). The optimiser has no momentum of its own. `b1` is 0.9, `weight_lr_power` 2.
///
/// Evaluate with [`schedule_free_eval_params`], not with the parameters that are trained.
pub const fn schedule_free<T, L: Schedule>(base_optimizer: T, learning_rate: L) -> ScheduleFree<T, L> {
    ScheduleFree { base_optimizer, learning_rate, b1: 0.9, weight_lr_power: 2.0 }
}

/// Gradient descent whose iterates are averaged: `optax.contrib.schedule_free_sgd`.
pub fn schedule_free_sgd<L: Schedule>(learning_rate: L) -> ScheduleFree<Sgd<super::Identity, L>, L> {
    schedule_free(sgd(learning_rate.clone()), learning_rate)
}

impl<T, L> ScheduleFree<T, L> {
    /// With gradients so near to the average.
    pub fn b1(mut self, b1: f64) -> Self {
        self.b1 = b1;
        self
    }

    /// With iterates weighted by this power of the learning rate.
    pub fn weight_lr_power(mut self, weight_lr_power: f64) -> Self {
        self.weight_lr_power = weight_lr_power;
        self
    }
}

/// Optax's `ScheduleFreeState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScheduleFreeState<S, P> {
    /// How near to the average the gradients are taken.
    pub b1: f32,
    /// The sum of the weights.
    pub weight_sum: f32,
    /// The number of the step.
    pub step_count: i32,
    /// The largest learning rate so far.
    pub max_lr: f32,
    /// The optimiser's state.
    pub base_optimizer_state: S,
    /// The iterates of the optimiser.
    pub z: P,
}

impl<P: Tree, S: State<P>> State<P> for ScheduleFreeState<S, P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.z);
        self.base_optimizer_state.slots(slots);
    }
}

/// The average, with which to evaluate: `(p - (1 - b1) z) / b1`.
pub fn schedule_free_eval_params<S, P: Tree>(state: &ScheduleFreeState<S, P>, params: &P) -> P {
    let mut average = params.clone();
    sweep::update(&Average { b1: state.b1.into() }, &mut average, &mut EmptyState {}, &state.z);
    average
}

impl<T: GradientTransformation, L: Schedule> GradientTransformation for ScheduleFree<T, L> {
    type State<P: Tree> = ScheduleFreeState<T::State<P>, P>;
    type Kernel = ScheduleFreeStep<T::Kernel>;
    const WHOLE_TREE: bool = T::WHOLE_TREE;

    fn init<P: Tree>(&self, params: &P) -> Self::State<P> {
        ScheduleFreeState {
            b1: self.b1 as f32,
            weight_sum: 0.0,
            step_count: 1,
            max_lr: 0.0,
            base_optimizer_state: self.base_optimizer.init(params),
            z: params.clone(),
        }
    }

    fn begin<P: Tree>(&self, state: &mut Self::State<P>, updates: &mut P, params: &P) -> Self::Kernel {
        state.max_lr = state.max_lr.max(self.learning_rate.value(state.step_count) as f32);
        state.step_count = state.step_count.saturating_add(1);
        let weight = state.max_lr.powf(self.weight_lr_power as f32);
        state.weight_sum += weight;
        // While the learning rate is 0 there is nothing to average.
        let share = if state.weight_sum == 0.0 { 0.0 } else { weight / state.weight_sum };
        let base = self.base_optimizer.begin(&mut state.base_optimizer_state, updates, params);
        ScheduleFreeStep { base, b1: self.b1, share: share.into() }
    }
}

/// A step of the optimiser, and of the average.
#[derive(Clone, Debug)]
pub struct ScheduleFreeStep<K> {
    base: K,
    b1: f64,
    /// Of the new iterate in the average.
    share: f64,
}

impl<K: Kernel> Kernel for ScheduleFreeStep<K> {
    const SLOTS: usize = 1 + K::SLOTS;
    const BF16_SLOTS: u32 = K::BF16_SLOTS << 1;

    fn prepare<E: Float>(&self, index: usize, updates: &[E], params: &[E]) -> Self {
        ScheduleFreeStep { base: self.base.prepare(index, updates, params), ..*self }
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        let [z, slots @ ..] = slots else { return };
        self.base.update(updates, params, slots);
        let [b1, rest, share, left] = [self.b1, 1.0 - self.b1, self.share, 1.0 - self.share].map(E::from_f64);
        for ((update, &param), z) in updates.iter_mut().zip(params).zip(z.iter_mut()) {
            let average = (param - rest * *z) / b1;
            *z += *update;
            let average = left * average + share * *z;
            *update = b1 * average + rest * *z - param;
        }
    }
}

/// The average, from the parameters in the place of the updates and the iterates in that of the parameters.
#[derive(Clone, Copy, Debug)]
struct Average {
    b1: f64,
}

impl Kernel for Average {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, average: &mut [E], z: &[E], _: &mut [&mut [E]]) {
        let [b1, rest] = [self.b1, 1.0 - self.b1].map(E::from_f64);
        average.iter_mut().zip(z).for_each(|(y, &z)| *y = (*y - rest * z) / b1);
    }
}
