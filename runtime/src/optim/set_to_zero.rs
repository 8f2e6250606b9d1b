//! Freezes parameters: `optax.set_to_zero`.

use super::kernel::Effect;
use super::{Kernel, Stateless};
use crate::tensor::Float;
use serde::{Deserialize, Serialize};

/// `u = 0`
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SetToZero {}

/// Makes every update zero, so that parameters stay as they are. What it is given is not looked at.
pub const fn set_to_zero() -> SetToZero {
    SetToZero {}
}

impl Stateless for SetToZero {}

impl Kernel for SetToZero {
    const SLOTS: usize = 0;

    fn effect(&self) -> Effect {
        Effect::Zeros
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], _: &mut [&mut [E]]) {
        updates.fill(E::ZERO);
    }
}
