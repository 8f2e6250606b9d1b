//! What an optimiser remembers between steps.

use super::bf16_array::Bf16Array;
use super::per_leaf::PerLeaf;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// The most trees that the kernels of a chain may work on. Adam has two.
pub const MAX_SLOTS: usize = 8;

/// The most of them that may be in bfloat16.
pub const MAX_BF16_SLOTS: usize = 4;

/// The state of a transform for parameters `P`: counts, and trees of the parameters' shapes.
///
/// Its fields have Optax's names, so that a saved state is Optax's.
pub trait State<P: Tree>: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// Hands out its trees in the order in which the kernel takes them: as many as its `SLOTS`.
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>);
}

/// The trees of a state, gathered for a sweep.
#[derive(Debug)]
pub struct Slots<'a, P> {
    trees: [Option<&'a mut P>; MAX_SLOTS],
    len: usize,
    bf16: [Option<&'a mut PerLeaf<Bf16Array>>; MAX_BF16_SLOTS],
    bf16_len: usize,
}

impl<'a, P> Slots<'a, P> {
    pub(super) fn new() -> Self {
        Slots {
            trees: [const { None }; MAX_SLOTS],
            len: 0,
            bf16: [const { None }; MAX_BF16_SLOTS],
            bf16_len: 0,
        }
    }

    /// Adds a tree.
    ///
    /// # Panics
    /// If there are [`MAX_SLOTS`] already.
    pub fn push(&mut self, tree: &'a mut P) {
        self.trees[self.len] = Some(tree);
        self.len += 1;
    }

    /// Adds what is a tree of the parameters' shapes in bfloat16: one of the kernel's
    /// [`BF16_SLOTS`](super::Kernel::BF16_SLOTS).
    ///
    /// # Panics
    /// If there are [`MAX_BF16_SLOTS`] already.
    pub fn push_bf16(&mut self, tree: &'a mut PerLeaf<Bf16Array>) {
        self.bf16[self.bf16_len] = Some(tree);
        self.bf16_len += 1;
    }

    /// Takes out those in bfloat16.
    pub(super) fn take_bf16<const H: usize>(&mut self) -> [&'a mut PerLeaf<Bf16Array>; H] {
        assert_eq!(self.bf16_len, H, "a state hands out as many trees in bfloat16 as its kernel has slots");
        let mut all = self.bf16.iter_mut().filter_map(Option::take);
        std::array::from_fn(|_| match all.next() {
            Some(tree) => tree,
            None => unreachable!("counted above"),
        })
    }

    /// `first`, then the trees.
    pub(super) fn after<const N: usize>(self, first: &'a mut P) -> [&'a mut P; N] {
        assert_eq!(self.len + 1, N, "a state hands out as many trees as its kernel has slots");
        let mut all = std::iter::once(first).chain(self.trees.into_iter().flatten());
        std::array::from_fn(|_| match all.next() {
            Some(tree) => tree,
            None => unreachable!("counted above"),
        })
    }
}

macro_rules! tuples {
    ($($($state:ident $index:tt)+;)+) => {$(
        /// The states of a chain.
        impl<Params: Tree, $($state: State<Params>),+> State<Params> for ($($state,)+) {
            fn slots<'a>(&'a mut self, slots: &mut Slots<'a, Params>) {
                $(self.$index.slots(slots);)+
            }
        }
    )+};
}

tuples! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
}

/// The state of a transform that remembers nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptyState {}

impl<P: Tree> State<P> for EmptyState {
    fn slots<'a>(&'a mut self, _: &mut Slots<'a, P>) {}
}
