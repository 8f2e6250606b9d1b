//! Keeps parameters from getting negative: `optax.keep_params_nonnegative`.

use super::{Kernel, Stateless};
use crate::tensor::Float;
use serde::{Deserialize, Serialize};

/// `u = -p` where `p + g < 0`, and `g` elsewhere
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KeepParamsNonnegative {}

/// Changes updates so that no parameter gets negative. It comes last in a chain.
pub const fn keep_params_nonnegative() -> KeepParamsNonnegative {
    KeepParamsNonnegative {}
}

impl Stateless for KeepParamsNonnegative {}

impl Kernel for KeepParamsNonnegative {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], _: &mut [&mut [E]]) {
        for (update, &param) in updates.iter_mut().zip(params) {
            if param + *update < E::ZERO {
                *update = -param;
            }
        }
    }
}
