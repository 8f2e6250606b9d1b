//! The transformations of closures: reverse, forward, and one in another.

mod reverse;
