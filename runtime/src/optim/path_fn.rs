//! A function of a leaf's path, such as a mask or a label.

use crate::tree::Path;
use std::fmt;
use std::sync::Arc;

/// A function of the path of a leaf, as in Flax's `path_aware_map`. Clones are the same function, and equal.
pub struct PathFn<T>(Arc<dyn Fn(&Path) -> T + Send + Sync>);

impl<T> PathFn<T> {
    /// The function.
    pub fn new(function: impl Fn(&Path) -> T + Send + Sync + 'static) -> Self {
        PathFn(Arc::new(function))
    }

    /// Its value.
    pub fn at(&self, path: &Path) -> T {
        (self.0)(path)
    }
}

impl<T> Clone for PathFn<T> {
    fn clone(&self) -> Self {
        PathFn(self.0.clone())
    }
}

impl<T> PartialEq for PathFn<T> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
    }
}

impl<T> fmt::Debug for PathFn<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a function of the path")
    }
}
