//! Transforms one after the other: `optax.chain`.

use super::state::{Slots, State};
use super::{GradientTransformation, sweep};
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// A tuple of transforms, run in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chain<T>(pub T);

/// Transforms one after the other, given as a tuple of up to six. A chain may be part of another.
///
/// `chain((clip_by_global_norm(1.0), adam(1e-3)))` is `optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))`.
pub const fn chain<T>(transforms: T) -> Chain<T> {
    Chain(transforms)
}

macro_rules! chains {
    ($($first:ident $zero:tt $($rest:ident $index:tt)*;)+) => {$(
        impl<P: Tree, $first: State<P>, $($rest: State<P>),*> State<P> for ($first, $($rest,)*) {
            fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
                self.$zero.slots(slots);
                $(self.$index.slots(slots);)*
            }
        }

        impl<$first, $($rest),*> GradientTransformation for Chain<($first, $($rest,)*)>
        where
            $first: GradientTransformation,
            $($rest: GradientTransformation,)*
        {
            type State<P: Tree> = ($first::State<P>, $($rest::State<P>,)*);
            type Kernel = (Option<$first::Kernel>, $(Option<$rest::Kernel>,)*);
            const WHOLE_TREE: bool = $first::WHOLE_TREE $(|| $rest::WHOLE_TREE)*;

            fn init<P: Tree>(&self, params: &P) -> Self::State<P> {
                (self.0.$zero.init(params), $(self.0.$index.init(params),)*)
            }

            #[allow(unused_mut)]
            fn begin<P: Tree>(&self, state: &mut Self::State<P>, updates: &mut P, params: &P) -> Self::Kernel {
                let mut waiting = Self::Kernel::default();
                waiting.$zero = Some(self.0.$zero.begin(&mut state.$zero, updates, params));
                $(
                    if $rest::WHOLE_TREE {
                        sweep::update(&waiting, updates, state, params);
                        waiting = Self::Kernel::default();
                    }
                    waiting.$index = Some(self.0.$index.begin(&mut state.$index, updates, params));
                )*
                waiting
            }
        }
    )+};
}

chains! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 F 4;
    A 0 B 1 C 2 D 3 F 4 G 5;
}
