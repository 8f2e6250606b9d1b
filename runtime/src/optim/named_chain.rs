//! Transforms one after the other, with names: `optax.named_chain`.

use super::named::Named;
use super::{Chain, GradientTransformation};
use crate::tree::Tree;

/// A chain whose states have names.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedChain<T, const N: usize> {
    names: [&'static str; N],
    chain: Chain<T>,
}

/// Transforms one after the other, as [`chain`](fn@super::chain), given as a tuple of names and transforms.
///
/// ```
/// use flaxen::optim::{self, named_chain};
///
/// let optimizer = named_chain((("clip", optim::clip(1.0)), ("adam", optim::adam(0.1))));
/// ```
pub fn named_chain<T, const N: usize>(
    transforms: impl NamedTransforms<N, Transforms = T>,
) -> NamedChain<T, N> {
    let (names, transforms) = transforms.split();
    NamedChain { names, chain: Chain(transforms) }
}

impl<T, const N: usize> GradientTransformation for NamedChain<T, N>
where
    Chain<T>: GradientTransformation,
    T: Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static,
{
    type State<P: Tree> = Named<<Chain<T> as GradientTransformation>::State<P>, N>;
    type Kernel = <Chain<T> as GradientTransformation>::Kernel;
    const WHOLE_TREE: bool = Chain::<T>::WHOLE_TREE;

    fn init<P: Tree>(&self, params: &P) -> Self::State<P> {
        Named::new(self.names, self.chain.init(params))
    }

    fn begin<P: Tree>(&self, state: &mut Self::State<P>, updates: &mut P, params: &P) -> Self::Kernel {
        self.chain.begin(&mut state.states, updates, params)
    }
}

/// A tuple of names and transforms: `(("clip", clip(1.0)), ("adam", adam(0.1)))`.
pub trait NamedTransforms<const N: usize> {
    /// The tuple of the transforms.
    type Transforms;

    /// The names, and the transforms.
    fn split(self) -> ([&'static str; N], Self::Transforms);
}

macro_rules! tuples {
    ($($count:literal: $($transform:ident $index:tt)+;)+) => {$(
        impl<$($transform: GradientTransformation),+> NamedTransforms<$count>
            for ($((&'static str, $transform),)+)
        {
            type Transforms = ($($transform,)+);

            fn split(self) -> ([&'static str; $count], Self::Transforms) {
                ([$(self.$index.0),+], ($(self.$index.1,)+))
            }
        }
    )+};
}

tuples! {
    1: A 0;
    2: A 0 B 1;
    3: A 0 B 1 C 2;
    4: A 0 B 1 C 2 D 3;
    5: A 0 B 1 C 2 D 3 E 4;
    6: A 0 B 1 C 2 D 3 E 4 F 5;
    7: A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
}
