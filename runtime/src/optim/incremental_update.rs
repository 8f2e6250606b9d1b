//! A moving average of parameters: `optax.incremental_update`.

use super::{EmptyState, Kernel, sweep};
use crate::tensor::Float;
use crate::tree::Tree;

/// `old = step_size new + (1 - step_size) old`, on every leaf and in place: Polyak's average of parameters, or a target
/// network that follows another.
pub fn incremental_update<P: Tree>(new: &P, old: &mut P, step_size: f64) {
    sweep::update(&Towards { step_size }, old, &mut EmptyState {}, new);
}

/// With the old tree in the place of the updates, and the new one in that of the parameters.
#[derive(Clone, Copy, Debug)]
struct Towards {
    step_size: f64,
}

impl Kernel for Towards {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, old: &mut [E], new: &[E], _: &mut [&mut [E]]) {
        let [step_size, rest] = [self.step_size, 1.0 - self.step_size].map(E::from_f64);
        old.iter_mut().zip(new).for_each(|(old, &new)| *old = step_size * new + rest * *old);
    }
}
