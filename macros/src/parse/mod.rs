//! Tokens to IR, one syntax a file.
//!
//! Enters: what the user wrote. Leaves: the IR, or mistakes at the user's tokens. `syn` trees are taken apart here
//! and nowhere else.

pub mod apply;
pub mod arguments;
pub mod axis;
pub mod body;
pub mod closure;
pub mod compact;
pub mod control;
pub mod custom_vjp;
pub mod declare;
pub mod dims;
pub mod expression;
pub mod fields;
pub mod fold;
pub mod length;
pub mod marker;
pub mod methods;
pub mod pattern;
pub mod rngs;
pub mod scope;
pub mod signature;
pub mod structure;
pub mod variable;
pub mod vmap;
pub mod vmapped;
