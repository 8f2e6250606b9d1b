//! Collections of variables: `params`, `batch_stats`, the user's own.

/// A collection of variables other than `params`, as a type.
///
/// A leaf of a module's state knows its collection, so that a tree of variables can be written as Flax does: collections
/// first, then modules. [`collection!`](crate::collection) declares the user's own.
pub trait Collection: 'static {
    /// Flax's name for it.
    const NAME: &'static str;
}

/// The running statistics of batch normalisation: `batch_stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchStats {}

/// What is sown by default, and the outputs of submodules: `intermediates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intermediates {}

impl Collection for Intermediates {
    const NAME: &'static str = "intermediates";
}

impl Collection for BatchStats {
    const NAME: &'static str = "batch_stats";
}
