//! The axes along which a value may vary: a list, the innermost first.

use super::extent::{Extent, Invariant, Shared};
use crate::shape::Dim;
use std::fmt::{self, Debug};
use std::marker::PhantomData;

/// The largest number of axes, that is of `vmap!`s in each other.
pub const MAX_AXES: usize = 6;

/// A list of axes: `()`, or [`Along`] an axis and further ones around it.
pub trait Axes:
    Copy
    + Debug
    + PartialEq
    + Send
    + Sync
    + 'static
    + Join<Self, Out = Self>
    + Join<<Self as Axes>::Shared, Out = Self>
{
    /// The axes of a value that depends on none of them.
    type Shared: AllShared<Shared = Self::Shared> + Join<Self, Out = Self>;
    /// How many axes there are.
    const DEPTH: usize;
    /// Whether a value with these extents depends on one of them.
    const VARIES: bool;

    /// The axes of a value that depends on none of them.
    fn shared() -> Self::Shared;

    /// The extents as numbers, the innermost first; what does not vary is one.
    fn counts(self, place: &mut [usize]);

    /// The extents as numbers, as many as there can be.
    fn counts_of_all(self) -> [usize; MAX_AXES] {
        let mut counts = [1; MAX_AXES];
        self.counts(&mut counts);
        counts
    }

    /// How many examples there are in all.
    fn count(self) -> usize {
        self.counts_of_all().iter().product()
    }
}

impl Axes for () {
    type Shared = ();
    const DEPTH: usize = 0;
    const VARIES: bool = false;

    fn shared() {}

    fn counts(self, _: &mut [usize]) {}
}

/// The axis `A`, along which there are `N` examples, in the axes `Outer`.
pub struct Along<A, N, Outer = ()> {
    /// How many examples there are.
    pub extent: N,
    /// The axes around it.
    pub outer: Outer,
    axis: PhantomData<fn() -> A>,
}

impl<A, N, Outer> Along<A, N, Outer> {
    /// An axis in others.
    pub const fn new(extent: N, outer: Outer) -> Self {
        Along { extent, outer, axis: PhantomData }
    }
}

impl<A, N: Copy, Outer: Copy> Copy for Along<A, N, Outer> {}

impl<A, N: Copy, Outer: Copy> Clone for Along<A, N, Outer> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A, N: PartialEq, Outer: PartialEq> PartialEq for Along<A, N, Outer> {
    fn eq(&self, other: &Self) -> bool {
        self.extent == other.extent && self.outer == other.outer
    }
}

impl<A, N: Debug, Outer: Debug> Debug for Along<A, N, Outer> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Along").field(&self.extent).field(&self.outer).finish()
    }
}

impl<A: 'static, N: Extent, Outer: Axes> Axes for Along<A, N, Outer> {
    type Shared = Along<A, N::Same, Outer::Shared>;
    const DEPTH: usize = {
        assert!(Outer::DEPTH < MAX_AXES, "at most six `vmap!`s stand in each other");
        Outer::DEPTH + 1
    };
    const VARIES: bool = N::VARIES || Outer::VARIES;

    fn shared() -> Self::Shared {
        Along::new(N::Same::default(), Outer::shared())
    }

    fn counts(self, place: &mut [usize]) {
        place[0] = self.extent.count();
        self.outer.counts(&mut place[1..]);
    }
}

/// Axes on none of which a value depends.
#[diagnostic::on_unimplemented(
    message = "this value differs from example to example",
    label = "a variable is written that all examples share: take the mean over the axis first, with `pmean`"
)]
pub trait AllShared: Axes {}

impl AllShared for () {}

impl<A: 'static, N: Invariant + Extent, Outer: AllShared> AllShared for Along<A, N, Outer> {}

/// The axes of what is computed from two values: it varies along an axis if one of the two does.
#[diagnostic::on_unimplemented(
    message = "these values do not vary along the same axes: `{Self}` and `{Other}`",
    label = "the arguments of a `vmap!` have equal sizes along the axes that are mapped over"
)]
pub trait Join<Other> {
    /// The extent or the axes of both.
    type Out;

    /// The extent or the axes of both.
    fn join(self, other: Other) -> Self::Out;
}

impl<D: Dim> Join<D> for D {
    type Out = D;

    #[track_caller]
    fn join(self, other: D) -> D {
        let (one, two) = (self.size(), other.size());
        assert!(one == two, "vmap: {one} examples of one input and {two} of another");
        self
    }
}

impl<D: Dim> Join<Shared> for D {
    type Out = D;

    fn join(self, _: Shared) -> D {
        self
    }
}

impl<D: Dim> Join<D> for Shared {
    type Out = D;

    fn join(self, other: D) -> D {
        other
    }
}

impl Join<Shared> for Shared {
    type Out = Shared;

    fn join(self, _: Shared) -> Shared {
        Shared
    }
}

impl Join<()> for () {
    type Out = ();

    fn join(self, (): ()) {}
}

impl<A, N: Join<M>, M, O: Join<P>, P> Join<Along<A, M, P>> for Along<A, N, O> {
    type Out = Along<A, N::Out, O::Out>;

    #[track_caller]
    fn join(self, other: Along<A, M, P>) -> Self::Out {
        Along::new(self.extent.join(other.extent), self.outer.join(other.outer))
    }
}

/// The axes of what is computed from several values: a tuple of lists.
pub trait JoinAll: Copy {
    /// It varies along an axis if one of them does.
    type Out: Axes;

    /// The axes of all.
    fn join_all(self) -> Self::Out;
}

impl<A: Copy + Join<B, Out: Axes>, B: Copy> JoinAll for (A, B) {
    type Out = A::Out;

    #[track_caller]
    fn join_all(self) -> A::Out {
        self.0.join(self.1)
    }
}

impl<A, B, C> JoinAll for (A, B, C)
where
    A: Copy + Join<B>,
    B: Copy,
    C: Copy,
    A::Out: Join<C, Out: Axes>,
{
    type Out = <A::Out as Join<C>>::Out;

    #[track_caller]
    fn join_all(self) -> Self::Out {
        self.0.join(self.1).join(self.2)
    }
}

impl<A, B, C, D> JoinAll for (A, B, C, D)
where
    A: Copy + Join<B>,
    B: Copy,
    C: Copy + Join<D>,
    D: Copy,
    A::Out: Join<C::Out, Out: Axes>,
{
    type Out = <A::Out as Join<C::Out>>::Out;

    #[track_caller]
    fn join_all(self) -> Self::Out {
        self.0.join(self.1).join(self.2.join(self.3))
    }
}
