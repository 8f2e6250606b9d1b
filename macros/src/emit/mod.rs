//! Lowered bodies to Rust. `quote!` begins here.
//!
//! Enters: a lowered body with its signature. Leaves: one generated thing a file; above each emitter stands what it
//! makes for a small model, as a comment.

pub mod apply;
pub mod apply_mut;
pub mod axis;
mod blocks;
mod bounds;
pub mod checks;
pub mod closure;
pub mod control;
pub mod custom_vjp;
pub mod effects;
pub mod function;
pub mod generics;
mod handed;
pub mod init;
pub mod layout;
pub mod lift;
pub mod marker;
pub mod methods;
pub mod module;
pub mod names;
pub mod passes;
pub mod place;
pub mod residuals;
pub mod rngs;
pub mod serialized;
pub mod setup;
pub mod stateful;
pub mod steps;
pub mod structure;
pub mod summary;
pub mod variables;
pub mod vmap;
