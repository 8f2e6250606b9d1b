//! Transforms that remember nothing.

use super::{EmptyState, GradientTransformation, Kernel};
use crate::tree::Tree;
use std::fmt::Debug;

/// A transform that does the same to every element of every leaf in every step, and so is its own kernel.
pub trait Stateless: Kernel + Copy + Debug + PartialEq + 'static {}

impl<T: Stateless> GradientTransformation for T {
    type State<P: Tree> = EmptyState;
    type Kernel = T;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, _: &mut P, _: &P) -> T {
        *self
    }
}
