//! Signs: `optax.scale_by_sign`.

use super::{Kernel, Stateless};
use crate::tensor::Float;
use serde::{Deserialize, Serialize};

/// `u = sign(g)`
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScaleBySign {}

/// The sign of every update: -1, 0 or 1. A NaN stays.
pub const fn scale_by_sign() -> ScaleBySign {
    ScaleBySign {}
}

impl Stateless for ScaleBySign {}

impl Kernel for ScaleBySign {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], _: &mut [&mut [E]]) {
        updates.iter_mut().for_each(|update| *update = sign(*update));
    }
}

/// -1, 0 or 1. A NaN stays.
#[inline(always)]
pub(super) fn sign<E: Float>(x: E) -> E {
    if x > E::ZERO {
        E::ONE
    } else if x < E::ZERO {
        -E::ONE
    } else {
        x
    }
}
