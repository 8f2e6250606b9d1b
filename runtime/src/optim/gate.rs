//! A kernel that runs in some steps only.

use super::kernel::{Effect, Kernel};
use crate::tensor::Float;

/// The kernel of a step in which there is something to do, or nothing: then every update is zero.
#[derive(Clone, Debug)]
pub struct Gate<K>(pub(super) Option<K>);

impl<K: Kernel> Kernel for Gate<K> {
    const SLOTS: usize = K::SLOTS;
    const BF16_SLOTS: u32 = K::BF16_SLOTS;

    fn prepare<E: Float>(&self, index: usize, updates: &[E], params: &[E]) -> Self {
        Gate(self.0.prepare(index, updates, params))
    }

    fn effect(&self) -> Effect {
        self.0.as_ref().map_or(Effect::Zeros, K::effect)
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        match &self.0 {
            Some(kernel) => kernel.update(updates, params, slots),
            None => updates.fill(E::ZERO),
        }
    }
}
