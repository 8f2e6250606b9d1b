//! The transformations of closures: reverse, forward, and one in another.

mod forward;
mod kinks;
mod matrices;
mod nesting;
mod reverse;
mod trees;
