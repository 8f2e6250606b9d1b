//! Skips steps with gradients that are not finite: `optax.apply_if_finite`.

use super::GradientTransformation;
use super::gate::Gate;
use super::state::{Slots, State};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit};
use serde::{Deserialize, Serialize};

/// An optimiser that skips steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplyIfFinite<T> {
    /// The optimiser.
    pub inner: T,
    /// The number of such steps in a row that are skipped.
    pub max_consecutive_errors: i32,
}

/// An optimiser that skips a step, its state untouched, where a gradient is infinite or NaN. After
/// `max_consecutive_errors` such steps in a row it takes them, so that the mistake shows.
pub const fn apply_if_finite<T>(inner: T, max_consecutive_errors: i32) -> ApplyIfFinite<T> {
    ApplyIfFinite { inner, max_consecutive_errors }
}

/// Optax's `ApplyIfFiniteState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplyIfFiniteState<S> {
    /// The number of steps in a row whose gradients were not finite.
    pub notfinite_count: i32,
    /// Whether those of the last step were.
    pub last_finite: bool,
    /// The number of all steps whose gradients were not finite.
    pub total_notfinite: i32,
    /// The optimiser's state.
    pub inner_state: S,
}

impl<P: Tree, S: State<P>> State<P> for ApplyIfFiniteState<S> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        self.inner_state.slots(slots);
    }
}

impl<T: GradientTransformation> GradientTransformation for ApplyIfFinite<T> {
    type State<P: Tree> = ApplyIfFiniteState<T::State<P>>;
    type Kernel = Gate<T::Kernel>;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, params: &P) -> Self::State<P> {
        let inner_state = self.inner.init(params);
        ApplyIfFiniteState { notfinite_count: 0, last_finite: true, total_notfinite: 0, inner_state }
    }

    fn begin<P: Tree>(&self, state: &mut Self::State<P>, updates: &mut P, params: &P) -> Gate<T::Kernel> {
        state.last_finite = all_finite(updates);
        if state.last_finite {
            state.notfinite_count = 0;
        } else {
            state.notfinite_count = state.notfinite_count.saturating_add(1);
            state.total_notfinite = state.total_notfinite.saturating_add(1);
        }
        let take = state.last_finite || state.notfinite_count > self.max_consecutive_errors;
        Gate(take.then(|| self.inner.begin(&mut state.inner_state, updates, params)))
    }
}

fn all_finite<P: Tree>(tree: &P) -> bool {
    struct Finite(bool);
    impl Visit for Finite {
        fn leaf<S: Shape, E: Float>(&mut self, _: &Path, leaf: &Tensor<S, E>) {
            self.0 = self.0 && leaf.as_slice().iter().all(|element| element.is_finite());
        }
    }
    let mut finite = Finite(true);
    tree.visit(&Path::ROOT, &mut finite);
    finite.0
}
