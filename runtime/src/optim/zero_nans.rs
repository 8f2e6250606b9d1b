//! Zeros in place of NaN: `optax.zero_nans`.

use super::per_leaf::{PerLeaf, Same};
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit};
use serde::{Deserialize, Serialize};

/// `u = 0` where `g` is NaN, and `g` elsewhere
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ZeroNans {}

/// Puts zeros in the place of NaN, and remembers which leaves had some.
pub const fn zero_nans() -> ZeroNans {
    ZeroNans {}
}

/// Optax's `ZeroNansState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ZeroNansState {
    /// Which leaves had a NaN in the last step.
    pub found_nan: PerLeaf<bool>,
}

impl<P: Tree> State<P> for ZeroNansState {
    fn slots<'a>(&'a mut self, _: &mut Slots<'a, P>) {}
}

impl GradientTransformation for ZeroNans {
    type State<P: Tree> = ZeroNansState;
    type Kernel = Zeros;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, params: &P) -> ZeroNansState {
        ZeroNansState { found_nan: PerLeaf::of(params, Same(false)) }
    }

    fn begin<P: Tree>(&self, state: &mut ZeroNansState, updates: &mut P, _: &P) -> Zeros {
        struct Find<'a>(&'a mut PerLeaf<bool>, usize);
        impl Visit for Find<'_> {
            fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
                if let Some(found) = self.0.get_mut(self.1, path) {
                    *found = leaf.as_slice().iter().any(|element| element.is_nan());
                }
                self.1 += 1;
            }
        }
        updates.visit(&Path::ROOT, &mut Find(&mut state.found_nan, 0));
        Zeros
    }
}

/// Zeros in place of NaN.
#[derive(Clone, Copy, Debug)]
pub struct Zeros;

impl Kernel for Zeros {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], _: &mut [&mut [E]]) {
        for update in updates {
            *update = if update.is_nan() { E::ZERO } else { *update };
        }
    }
}
