//! Multiplies the updates by a number: `optax.scale`.

use super::state::EmptyState;
use super::{GradientTransformation, kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = step_size g`
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// The factor.
    pub step_size: f64,
}

/// Multiplies the updates by `step_size`.
pub const fn scale(step_size: f64) -> Scale {
    Scale { step_size }
}

impl GradientTransformation for Scale {
    type State<P: Tree> = EmptyState;
    type Kernel = Kernel;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, _: &mut P, _: &P) -> Kernel {
        Kernel { factor: self.step_size }
    }
}

/// Multiplies by `factor`.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// The factor.
    pub factor: f64,
}

impl kernel::Kernel for Kernel {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], _: &mut [&mut [E]]) {
        let factor = E::from_f64(self.factor);
        updates.iter_mut().for_each(|update| *update *= factor);
    }
}
