//! Collections of variables: `params`, `batch_stats`, the user's own.

/// A collection of variables other than `params`, as a type.
///
/// A leaf of a module's state knows its collection, so that a tree of variables can be written as Flax does: collections
/// first, then modules.
pub trait Collection: 'static {
    /// Flax's name for it.
    const NAME: &'static str;
}

/// The running statistics of batch normalisation: `batch_stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchStats {}

impl Collection for BatchStats {
    const NAME: &'static str = "batch_stats";
}
