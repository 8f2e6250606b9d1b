//! `vmap!`: a function of one example, computed for many at once, as `jax.vmap`.
//!
//! Enters: the op and module contracts. Leaves: [`Batched`], the type of a value in a `vmap!`, with a rule for every op and
//! for modules; and the ops at the borders of a `vmap!` ([`batch`], [`share`], [`leave`], [`unbatch`], [`unshare`]).
//!
//! What a `vmap!` maps over is an axis with a name, and the name is a type. In it a value is a `Batched<Along<A, N>, T>`:
//! along the axis `A` there are `N` examples of the tensor `T`, or [`Shared`], if it does not depend on the axis. An op
//! computes a tensor from tensors, so it computes examples from examples: one by one, or all at once where it says how
//! ([`Op::infer_each`](crate::op::Op::infer_each)). In a `vmap!` in a `vmap!` there are two axes, `Along<Inner, N, Along<Outer, M>>`.

mod axes;
mod axis;
pub mod batch;
mod batched;
mod example;
mod extent;
mod lane;
pub mod leave;
mod level;
mod module;
mod named;
mod op;
pub mod share;
pub mod share_all;
pub mod unbatch;
pub mod unshare;
pub mod unshare_all;

pub use axes::{AllShared, Along, Axes, Join, JoinAll};
pub use axis::{Axis, Unnamed};
pub use batched::Batched;
pub use example::{Example, Stack};
pub use extent::{Extent, Invariant, Shared, Varying};
pub use lane::{Cotangents, Gather, Inputs, Lane, Outputs, Values};
pub(crate) use lane::{backward_one_by_one, infer_one_by_one};
pub use level::Level;
pub use module::{AsLeadingAxis, OneByOne, Rule, RuleBackward, Vmapped};
pub use named::{Anywhere, Choose, Named, Within};
