//! Leaves the updates as they are: `optax.identity`.

use super::state::EmptyState;
use super::{GradientTransformation, kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `u = g`
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {}

/// Leaves the updates as they are.
pub const fn identity() -> Identity {
    Identity {}
}

impl GradientTransformation for Identity {
    type State<P: Tree> = EmptyState;
    type Kernel = Kernel;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, _: &mut P, _: &P) -> Kernel {
        Kernel
    }
}

/// Does nothing.
#[derive(Clone, Copy, Debug)]
pub struct Kernel;

impl kernel::Kernel for Kernel {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, _: &mut [E], _: &[E], _: &mut [&mut [E]]) {}
}
