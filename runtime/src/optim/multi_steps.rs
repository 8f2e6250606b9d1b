//! Gradients of several steps for one step of an optimiser: `optax.MultiSteps`.

use super::gate::Gate;
use super::state::{Slots, State};
use super::{EmptyState, GradientTransformation, Kernel, sweep};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Zip};
use serde::{Deserialize, Serialize};

/// An optimiser that takes a step with the gradients of every `every_k` steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MultiSteps<T> {
    /// The optimiser.
    pub inner: T,
    /// The number of steps whose gradients it gets together.
    pub every_k: i32,
    /// Whether it gets their mean, or their sum.
    pub use_grad_mean: bool,
}

/// An optimiser that takes a step with the mean of the gradients of `every_k` steps. In between, parameters stay as they are.
/// So it trains with batches that are `every_k` times as large as what fits into memory.
pub const fn multi_steps<T>(inner: T, every_k: i32) -> MultiSteps<T> {
    MultiSteps { inner, every_k, use_grad_mean: true }
}

impl<T> MultiSteps<T> {
    /// With the sum of the gradients instead of their mean.
    pub fn sum(mut self) -> Self {
        self.use_grad_mean = false;
        self
    }
}

/// Optax's `MultiStepsState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MultiStepsState<S, P> {
    /// The number of gradients that were gathered.
    pub mini_step: i32,
    /// The number of steps that the optimiser has taken.
    pub gradient_step: i32,
    /// The optimiser's state.
    pub inner_opt_state: S,
    /// The mean or sum so far.
    pub acc_grads: P,
    /// Nothing: no step is skipped.
    pub skip_state: EmptyState,
}

impl<S, P> MultiStepsState<S, P> {
    /// Whether the last step was one of the optimiser.
    pub fn has_updated(&self) -> bool {
        self.mini_step == 0 && self.gradient_step > 0
    }
}

impl<P: Tree, S: State<P>> State<P> for MultiStepsState<S, P> {
    /// The gradients that were gathered are the optimiser's updates, and no slot of its.
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        self.inner_opt_state.slots(slots);
    }
}

impl<T: GradientTransformation> GradientTransformation for MultiSteps<T> {
    type State<P: Tree> = MultiStepsState<T::State<P>, P>;
    type Kernel = Gate<T::Kernel>;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, params: &P) -> Self::State<P> {
        MultiStepsState {
            mini_step: 0,
            gradient_step: 0,
            inner_opt_state: self.inner.init(params),
            acc_grads: params.zeros_like(),
            skip_state: EmptyState {},
        }
    }

    fn begin<P: Tree>(&self, state: &mut Self::State<P>, updates: &mut P, params: &P) -> Gate<T::Kernel> {
        let (gathered, every_k) = (state.mini_step, self.every_k.max(1));
        if every_k > 1 {
            let weight = if self.use_grad_mean { Some(f64::from(gathered) + 1.0) } else { None };
            sweep::update(&Gather { weight }, &mut state.acc_grads, &mut EmptyState {}, updates);
        }
        if gathered < every_k - 1 {
            state.mini_step = gathered + 1;
            return Gate(None);
        }
        state.mini_step = 0;
        state.gradient_step = state.gradient_step.saturating_add(1);
        if every_k > 1 {
            std::mem::swap(updates, &mut state.acc_grads);
            state.acc_grads.zip([], &Path::ROOT, &mut Clear);
        }
        Gate(Some(self.inner.begin(&mut state.inner_opt_state, updates, params)))
    }
}

/// Adds the gradients, which are in the place of the parameters.
#[derive(Clone, Copy, Debug)]
struct Gather {
    /// The number of gradients, this one included, of which the mean is taken.
    weight: Option<f64>,
}

impl Kernel for Gather {
    const SLOTS: usize = 0;

    #[inline(always)]
    fn update<E: Float>(&self, gathered: &mut [E], gradients: &[E], _: &mut [&mut [E]]) {
        let pairs = gathered.iter_mut().zip(gradients);
        match self.weight.map(E::from_f64) {
            Some(weight) => pairs.for_each(|(sum, &gradient)| *sum += (gradient - *sum) / weight),
            None => pairs.for_each(|(sum, &gradient)| *sum += gradient),
        }
    }
}

struct Clear;

impl Zip<0> for Clear {
    fn leaf<S: Shape, E: Float>(&mut self, _: &Path, leaf: &mut Tensor<S, E>, []: [&mut Tensor<S, E>; 0]) {
        leaf.as_mut_slice().fill(E::ZERO);
    }
}
