//! The transformations of closures: reverse, forward, and one in another.

mod custom_vjp;
mod forward;
mod kinks;
mod matrices;
mod nesting;
mod parity;
mod reverse;
mod trees;
