//! An axis by its name, among those that a value varies along.

use super::axes::{Along, Axes};
use super::axis::Axis;
use super::extent::{Extent, Shared};
use typenum::{B0, B1, IsEqual};

/// A list of axes that has one called `A`.
#[diagnostic::on_unimplemented(
    message = "no `vmap!` around this call binds the axis `{A}`",
    label = "this needs a `vmap!` with `axis = {A}` around it"
)]
pub trait Named<A>: Axes {
    /// How many axes there are inside of it.
    const POSITION: usize;
    /// The number of examples along it.
    type Extent: Extent;
    /// The axes of a value that does not depend on it.
    type Reduced: Axes;

    /// The number of examples along it.
    fn extent(self) -> Self::Extent;

    /// The axes of a value that does not depend on it.
    fn reduced(self) -> Self::Reduced;
}

impl<A, B, N, L> Named<A> for Along<B, N, L>
where
    A: Axis,
    B: Axis<Id: IsEqual<A::Id>>,
    N: Extent,
    L: Axes,
    <B::Id as IsEqual<A::Id>>::Output: Choose<A, B, N, L>,
{
    const POSITION: usize = <<B::Id as IsEqual<A::Id>>::Output as Choose<A, B, N, L>>::POSITION;
    type Extent = <<B::Id as IsEqual<A::Id>>::Output as Choose<A, B, N, L>>::Extent;
    type Reduced = <<B::Id as IsEqual<A::Id>>::Output as Choose<A, B, N, L>>::Reduced;

    fn extent(self) -> Self::Extent {
        <<B::Id as IsEqual<A::Id>>::Output as Choose<A, B, N, L>>::extent(self)
    }

    fn reduced(self) -> Self::Reduced {
        <<B::Id as IsEqual<A::Id>>::Output as Choose<A, B, N, L>>::reduced(self)
    }
}

/// Whether the innermost axis, `B`, is the one that is looked for.
pub trait Choose<A, B, N, L> {
    /// As [`Named::POSITION`].
    const POSITION: usize;
    /// As [`Named::Extent`].
    type Extent: Extent;
    /// As [`Named::Reduced`].
    type Reduced: Axes;

    /// As [`Named::extent`].
    fn extent(axes: Along<B, N, L>) -> Self::Extent;

    /// As [`Named::reduced`].
    fn reduced(axes: Along<B, N, L>) -> Self::Reduced;
}

impl<A, B: 'static, N: Extent, L: Axes> Choose<A, B, N, L> for B1 {
    const POSITION: usize = 0;
    type Extent = N;
    type Reduced = Along<B, Shared, L>;

    fn extent(axes: Along<B, N, L>) -> N {
        axes.extent
    }

    fn reduced(axes: Along<B, N, L>) -> Along<B, Shared, L> {
        Along::new(Shared, axes.outer)
    }
}

impl<A, B: 'static, N: Extent, L: Named<A>> Choose<A, B, N, L> for B0 {
    const POSITION: usize = L::POSITION + 1;
    type Extent = L::Extent;
    type Reduced = Along<B, N, L::Reduced>;

    fn extent(axes: Along<B, N, L>) -> L::Extent {
        axes.outer.extent()
    }

    fn reduced(axes: Along<B, N, L>) -> Along<B, N, L::Reduced> {
        Along::new(axes.extent, axes.outer.reduced())
    }
}
