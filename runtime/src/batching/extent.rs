//! How many examples there are along an axis: a dimension, or the same one for all.

use super::axes::Join;
use crate::shape::Dim;
use std::fmt::Debug;

/// The number of examples of a value along an axis: a dimension, or [`Shared`] for a value that does not depend on it.
pub trait Extent:
    Copy
    + Debug
    + PartialEq
    + Send
    + Sync
    + 'static
    + Join<Self, Out = Self>
    + Join<<Self as Extent>::Same, Out = Self>
{
    /// The extent of a value beside this one that is the same for every example: [`Shared`].
    type Same: Invariant + Extent<Same = Self::Same> + Default + Join<Self, Out = Self>;
    /// Whether there is one for each index.
    const VARIES: bool;

    /// How many there are; one, if it does not vary.
    fn count(self) -> usize;
}

/// The extent of a value that is the same for every example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shared;

impl<D: Dim> Extent for D {
    type Same = Shared;
    const VARIES: bool = true;

    fn count(self) -> usize {
        self.size()
    }
}

impl Extent for Shared {
    type Same = Shared;
    const VARIES: bool = false;

    fn count(self) -> usize {
        1
    }
}

/// An extent that is a dimension: there is an example for each index.
#[diagnostic::on_unimplemented(
    message = "this result of a `vmap!` is the same for every example",
    label = "it does not depend on the axis: write `out_axes = None` for it"
)]
pub trait Varying: Extent {
    /// The dimension. Asking for it lets rustc say what is wrong with an extent that is none.
    type Size: Dim;
}

#[diagnostic::do_not_recommend]
impl<D: Dim> Varying for D {
    type Size = D;
}

/// An extent that is [`Shared`].
#[diagnostic::on_unimplemented(
    message = "this result of a `vmap!` differs from example to example",
    label = "`out_axes = None` is for a result that does not depend on the axis, such as one that `pmean` gives",
    note = "without `out_axes`, or with `out_axes = 0`, the results of all examples are stacked"
)]
pub trait Invariant: Extent {}

impl Invariant for Shared {}
