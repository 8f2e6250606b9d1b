//! An axis by its name, among those that a value varies along.

use super::axes::{Along, Axes};
use super::axis::Axis;
use super::batched::Batched;
use super::example::Example;
use super::extent::{Extent, Shared};
use typenum::{B0, B1, IsEqual};

/// A list of axes that has one called `A`.
#[diagnostic::on_unimplemented(
    message = "no `vmap!` around this call binds the axis `{A}`",
    label = "this needs a `vmap!` with `axis = {A}` around it",
    note = "a `vmap!` binds an axis by a keyword: `vmap!(|x| …, xs, axis = {A})`"
)]
pub trait Named<A>: Axes {
    /// How many axes there are inside of it.
    const POSITION: usize;
    /// The number of examples along it.
    type Extent: Extent;
    /// The axes of a value that does not depend on it.
    type Reduced: Axes;
    /// `O`, once it is known that there is such an axis.
    type Known<O>;

    /// The number of examples along it.
    fn extent(self) -> Self::Extent;

    /// The axes of a value that does not depend on it.
    fn reduced(self) -> Self::Reduced;

    /// The same value.
    fn known<O>(value: O) -> Self::Known<O>;
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
    type Known<O> = <<B::Id as IsEqual<A::Id>>::Output as Choose<A, B, N, L>>::Known<O>;

    fn extent(self) -> Self::Extent {
        <<B::Id as IsEqual<A::Id>>::Output as Choose<A, B, N, L>>::extent(self)
    }

    fn reduced(self) -> Self::Reduced {
        <<B::Id as IsEqual<A::Id>>::Output as Choose<A, B, N, L>>::reduced(self)
    }

    fn known<O>(value: O) -> Self::Known<O> {
        <<B::Id as IsEqual<A::Id>>::Output as Choose<A, B, N, L>>::known(value)
    }
}

/// A value in a `vmap!` that binds the axis `A`. Closures ask for it before they look for an op along `A`, so that rustc says that
/// there is no such `vmap!`, and not that the op does not take the value.
#[diagnostic::on_unimplemented(
    message = "no `vmap!` around this call binds the axis `{A}`",
    label = "this needs a `vmap!` with `axis = {A}` around it",
    note = "a `vmap!` binds an axis by a keyword: `vmap!(|x| …, xs, axis = {A})`"
)]
pub trait Within<A> {
    /// `O`, and not known without such a `vmap!`.
    type Op<O>;

    /// The op itself.
    fn op<O>(op: O) -> Self::Op<O>;
}

impl<A, L: Named<A>, T: Example> Within<A> for Batched<L, T> {
    type Op<O> = L::Known<O>;

    fn op<O>(op: O) -> L::Known<O> {
        L::known(op)
    }
}

/// Ops that name no axis: those that do have a method of their own with this name, which asks for [`Within`].
pub trait Anywhere: Sized {
    /// The op itself.
    fn within<In>(self, _: &In) -> Self {
        self
    }
}

impl<O> Anywhere for O {}

/// Whether the innermost axis, `B`, is the one that is looked for.
pub trait Choose<A, B, N, L> {
    /// As [`Named::POSITION`].
    const POSITION: usize;
    /// As [`Named::Extent`].
    type Extent: Extent;
    /// As [`Named::Reduced`].
    type Reduced: Axes;
    /// As [`Named::Known`].
    type Known<O>;

    /// As [`Named::extent`].
    fn extent(axes: Along<B, N, L>) -> Self::Extent;

    /// As [`Named::reduced`].
    fn reduced(axes: Along<B, N, L>) -> Self::Reduced;

    /// As [`Named::known`].
    fn known<O>(value: O) -> Self::Known<O>;
}

impl<A, B: 'static, N: Extent, L: Axes> Choose<A, B, N, L> for B1 {
    const POSITION: usize = 0;
    type Extent = N;
    type Reduced = Along<B, Shared, L>;
    type Known<O> = O;

    fn extent(axes: Along<B, N, L>) -> N {
        axes.extent
    }

    fn reduced(axes: Along<B, N, L>) -> Along<B, Shared, L> {
        Along::new(Shared, axes.outer)
    }

    fn known<O>(value: O) -> O {
        value
    }
}

impl<A, B: 'static, N: Extent, L: Named<A>> Choose<A, B, N, L> for B0 {
    const POSITION: usize = L::POSITION + 1;
    type Extent = L::Extent;
    type Reduced = Along<B, N, L::Reduced>;
    type Known<O> = L::Known<O>;

    fn extent(axes: Along<B, N, L>) -> L::Extent {
        axes.outer.extent()
    }

    fn reduced(axes: Along<B, N, L>) -> Along<B, N, L::Reduced> {
        Along::new(axes.extent, axes.outer.reduced())
    }

    fn known<O>(value: O) -> L::Known<O> {
        L::known(value)
    }
}
