//! Leaves the updates as they are: `optax.identity`.

use super::kernel::Effect;
use super::{Kernel, Stateless};
use crate::tensor::Float;
use serde::{Deserialize, Serialize};

/// `u = g`
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {}

/// Leaves the updates as they are.
pub const fn identity() -> Identity {
    Identity {}
}

impl Stateless for Identity {}

impl Kernel for Identity {
    const SLOTS: usize = 0;

    fn effect(&self) -> Effect {
        Effect::Nothing
    }

    #[inline(always)]
    fn update<E: Float>(&self, _: &mut [E], _: &[E], _: &mut [&mut [E]]) {}
}
