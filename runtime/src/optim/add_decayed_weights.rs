//! Weight decay: `optax.add_decayed_weights`.

use super::state::EmptyState;
use super::{GradientTransformation, kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = g + weight_decay p`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddDecayedWeights {
    /// The share of a parameter that is added to its update.
    pub weight_decay: f64,
}

/// Adds the parameters, multiplied by `weight_decay`, to the updates.
pub const fn add_decayed_weights(weight_decay: f64) -> AddDecayedWeights {
    AddDecayedWeights { weight_decay }
}

impl GradientTransformation for AddDecayedWeights {
    type State<P: Tree> = EmptyState;
    type Kernel = AddDecayedWeights;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, _: &mut P, _: &P) -> AddDecayedWeights {
        *self
    }
}

impl kernel::Kernel for AddDecayedWeights {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], _: &mut [&mut [E]]) {
        let weight_decay = E::from_f64(self.weight_decay);
        for (update, &param) in updates.iter_mut().zip(params) {
            *update += weight_decay * param;
        }
    }
}
