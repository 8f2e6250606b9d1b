//! Transforms one after the other: `optax.chain`.

use super::{GradientTransformation, sweep};
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// A tuple of transforms, run in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chain<T>(pub T);

/// Transforms one after the other, given as a tuple of up to eight. A chain may be part of another.
///
/// `chain((clip_by_global_norm(1.0), adam(1e-3)))` is `optax.chain(optax.clip_by_global_norm(1.0), optax.adam(1e-3))`.
pub const fn chain<T>(transforms: T) -> Chain<T> {
    Chain(transforms)
}

macro_rules! chains {
    ($($first:ident $zero:tt $($rest:ident $index:tt)*;)+) => {$(
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
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim;
    use crate::prelude::*;

    #[test]
    fn a_chain_is_its_transforms_one_after_the_other() {
        type Params = (Tensor<(Dyn,)>, Tensor<(U2, U3), f64>);
        let leaves = |seed: usize| -> Params {
            let mix = |i: usize| ((i * 7 + seed * 13) % 29) as f64 / 10.0 - 1.4;
            (Tensor::from_fn((Dyn(1500),), |i| mix(i) as f32), Tensor::from_fn(Default::default(), mix))
        };
        let (adam, clip, decay) =
            (optim::scale_by_adam(), optim::clip_by_global_norm(1.0), optim::add_decayed_weights(0.1));
        // The second of them must see what the first made of the whole tree.
        let chain = chain((adam, clip, chain((decay, optim::trace(0.9)))));
        let params = leaves(0);
        let mut state = chain.init(&params);
        let mut adam_state = adam.init(&params);
        let mut trace_state = optim::trace(0.9).init(&params);
        for step in 1..4 {
            let updates = adam.update(leaves(step), &mut adam_state, &params);
            let updates = clip.update(updates, &mut optim::EmptyState {}, &params);
            assert!((optim::global_norm(&updates) - 1.0).abs() < 1e-5);
            let updates = decay.update(updates, &mut decay.init(&params), &params);
            let updates = optim::trace(0.9).update(updates, &mut trace_state, &params);
            assert_eq!(chain.update(leaves(step), &mut state, &params), updates);
        }
        assert_eq!(state.0, adam_state);
        assert_eq!(state.2.1, trace_state);
    }
}
