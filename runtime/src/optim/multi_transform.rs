//! Other transforms for other leaves: `optax.multi_transform`.

use super::GradientTransformation;
use super::group::{Group, GroupKernel, MaskedState};
use super::labels::Labels;
use super::named::Named;
use super::named_chain::NamedTransforms;
use super::path_fn::PathFn;
use super::state::{Slots, State};
use crate::tree::{Path, Tree};
use serde::{Deserialize, Serialize};

/// Transforms with names, and the name for each leaf.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiTransform<T, const N: usize> {
    names: [&'static str; N],
    transforms: T,
    labels: PathFn<&'static str>,
}

/// Applies to each leaf the transform whose name its label is. The state of a transform holds no memory for other leaves.
///
/// What is to stay as it is gets [`set_to_zero`](fn@super::set_to_zero): neither these parameters nor their gradients
/// are then read in a step.
///
/// ```
/// use flaxen::optim::{self, multi_transform};
///
/// let optimizer = multi_transform(
///     (("trainable", optim::adam(5e-3)), ("frozen", optim::set_to_zero())),
///     |path| if path.contains("backbone") { "frozen" } else { "trainable" },
/// );
/// ```
///
/// The labels are asked once for every leaf, when the state is made.
///
/// # Panics
/// When the state is made, if a label is not among the names.
pub fn multi_transform<T, const N: usize>(
    transforms: impl NamedTransforms<N, Transforms = T>,
    labels: impl Fn(&Path) -> &'static str + Send + Sync + 'static,
) -> MultiTransform<T, N> {
    let (names, transforms) = transforms.split();
    MultiTransform { names, transforms, labels: PathFn::new(labels) }
}

impl<T, const N: usize> MultiTransform<T, N> {
    fn label(&self, path: &Path) -> u32 {
        let label = self.labels.at(path);
        let names = self.names;
        match names.iter().position(|&name| name == label) {
            Some(index) => index as u32,
            None => {
                panic!("multi_transform: `{path}` has the label `{label}`, and the transforms are {names:?}")
            }
        }
    }
}

/// Optax's `PartitionState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound(serialize = "Named<S, N>: Serialize", deserialize = "Named<S, N>: Deserialize<'de>"))]
pub struct MultiTransformState<S, const N: usize> {
    /// The state of each transform.
    pub inner_states: Named<S, N>,
    #[serde(skip)]
    labels: Labels,
}

impl<P: Tree, S: State<P>, const N: usize> State<P> for MultiTransformState<S, N> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        self.inner_states.slots(slots);
    }
}

macro_rules! tuples {
    ($($count:literal: $($transform:ident $index:tt)+;)+) => {$(
        impl<$($transform: GradientTransformation),+> GradientTransformation
            for MultiTransform<($($transform,)+), $count>
        {
            type State<P: Tree> = MultiTransformState<($(MaskedState<$transform::State<P>>,)+), $count>;
            type Kernel = ($(GroupKernel<$transform::Kernel>,)+);
            const WHOLE_TREE: bool = false $(|| $transform::WHOLE_TREE)+;

            fn init<P: Tree>(&self, params: &P) -> Self::State<P> {
                let labels = Labels::of(params, |path| self.label(path));
                let group = |label| Group { labels: labels.clone(), label };
                let states = ($(group($index).init(&self.transforms.$index, params),)+);
                MultiTransformState { inner_states: Named::new(self.names, states), labels }
            }

            fn begin<P: Tree>(
                &self,
                state: &mut Self::State<P>,
                updates: &mut P,
                params: &P,
            ) -> Self::Kernel {
                let labels = state.labels.or_of(params, |path| self.label(path));
                let group = |label| Group { labels: labels.clone(), label };
                let states = &mut state.inner_states.states;
                ($(group($index).begin(&self.transforms.$index, &mut states.$index, updates, params),)+)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim;
    use crate::prelude::*;

    type Params = (Tensor<(U2,)>, Tensor<(U3,)>);

    fn params() -> Params {
        (Tensor::full(Default::default(), 1.0), Tensor::full(Default::default(), -2.0))
    }

    #[test]
    fn frozen_parameters_are_not_touched() {
        let tx = multi_transform((("train", optim::adam(0.1)), ("frozen", optim::set_to_zero())), |path| {
            if path.is("0") { "train" } else { "frozen" }
        });
        let mut state = TrainState::create(params(), tx);
        let kept = state.params.1.clone();
        let nan = Tensor::full(Default::default(), f32::NAN);
        state.update((Tensor::full(Default::default(), 1.0), nan));
        assert!(state.params.0.as_slice()[0] < 1.0);
        // A write would have copied what `kept` holds too.
        assert_eq!(state.params.1.as_slice().as_ptr(), kept.as_slice().as_ptr());
        let (train, _) = &state.opt_state.inner_states.states;
        assert_eq!(train.inner_state.0.mu.elements(), 2);
        let names: Vec<_> = state.opt_state.inner_states.names().collect();
        assert_eq!(names, ["train", "frozen"]);
    }

    #[test]
    fn groups_that_look_at_their_whole_trees() {
        let clip = |norm| optim::chain((optim::scale(2.0), optim::clip_by_global_norm(norm)));
        let tx = multi_transform(
            (("a", clip(1.0)), ("b", clip(3.0))),
            |path| if path.is("0") { "a" } else { "b" },
        );
        let updates = tx.update(params(), &mut tx.init(&params()), &params());
        assert!((optim::global_norm(&updates.0) - 1.0).abs() < 1e-6);
        assert!((optim::global_norm(&updates.1) - 3.0).abs() < 1e-6);
    }

    #[test]
    #[should_panic = "`1` has the label `other`, and the transforms are [\"train\"]"]
    fn an_unknown_label() {
        let tx =
            multi_transform(
                (("train", optim::adam(0.1)),),
                |path| if path.is("0") { "train" } else { "other" },
            );
        tx.init(&params());
    }
}
