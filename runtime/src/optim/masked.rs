//! A transform of some leaves: `optax.masked`.

use super::GradientTransformation;
use super::group::{Group, GroupKernel};
use super::labels::Labels;
use super::path_fn::PathFn;
use crate::tree::{Path, Tree};

pub use super::group::MaskedState;

/// A transform that leaves some leaves out.
#[derive(Clone, Debug, PartialEq)]
pub struct Masked<T> {
    /// The transform.
    pub inner: T,
    /// Which leaves it transforms.
    pub mask: PathFn<bool>,
}

/// Applies a transform to the leaves where `mask` is true. The updates of the others stay as they are, and the state holds no
/// memory for them.
///
/// The mask is asked once for every leaf, when the state is made.
///
/// ```
/// use flaxen::optim::{self, masked};
///
/// // Weight decay for kernels, not for biases.
/// let decay = masked(optim::add_decayed_weights(1e-4), |path| path.name() == "kernel");
/// let optimizer = optim::chain((decay, optim::sgd(0.1)));
/// ```
pub fn masked<T>(inner: T, mask: impl Fn(&Path) -> bool + Send + Sync + 'static) -> Masked<T> {
    Masked { inner, mask: PathFn::new(mask) }
}

impl<T: GradientTransformation> GradientTransformation for Masked<T> {
    type State<P: Tree> = MaskedState<T::State<P>>;
    type Kernel = GroupKernel<T::Kernel>;
    const WHOLE_TREE: bool = T::WHOLE_TREE;

    fn init<P: Tree>(&self, params: &P) -> MaskedState<T::State<P>> {
        let labels = Labels::of(params, |path| self.mask.at(path).into());
        Group { labels, label: 1 }.init(&self.inner, params)
    }

    fn begin<P: Tree>(
        &self,
        state: &mut MaskedState<T::State<P>>,
        updates: &mut P,
        params: &P,
    ) -> GroupKernel<T::Kernel> {
        let labels = state.labels.or_of(params, |path| self.mask.at(path).into());
        Group { labels, label: 1 }.begin(&self.inner, state, updates, params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{self, EmptyState};
    use crate::prelude::*;

    type Params = (Tensor<(U2,)>, Tensor<(Dyn,), f64>);

    fn params() -> Params {
        (Tensor::of(&[3.0, 4.0]).unwrap(), Tensor::from_slice((Dyn(1),), &[1e9]).unwrap())
    }

    #[test]
    fn a_norm_counts_the_leaves_that_are_not_masked() {
        let clip = masked(optim::clip_by_global_norm(1.0), |path| path.name() == "0");
        let mut state = clip.init(&params());
        let (clipped, left) = clip.update(params(), &mut state, &params());
        assert_eq!(clipped.as_slice(), [0.6, 0.8]);
        assert_eq!(left, params().1);
        assert_eq!(state.inner_state, EmptyState {});
    }
}
