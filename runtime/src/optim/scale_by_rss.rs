//! AdaGrad's rescaling: `optax.scale_by_rss`.

use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `s = g² + s`, `u = g / sqrt(s + eps)`, and 0 where `s` is 0 ([Duchi et al.,
/// 2011](https://jmlr.org/papers/v12/duchi11a.html)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByRss {
    /// What the sum of squares begins at.
    pub initial_accumulator_value: f64,
    /// Added inside of the root.
    pub eps: f64,
}

/// AdaGrad's rescaling with Optax's defaults.
pub const fn scale_by_rss() -> ScaleByRss {
    ScaleByRss { initial_accumulator_value: 0.1, eps: 1e-7 }
}

/// Optax's `ScaleByRssState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByRssState<P> {
    /// The sum of the squares of the gradients.
    pub sum_of_squares: P,
}

impl<P: Tree> State<P> for ScaleByRssState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.sum_of_squares);
    }
}

impl GradientTransformation for ScaleByRss {
    type State<P: Tree> = ScaleByRssState<P>;
    type Kernel = ScaleByRss;

    fn init<P: Tree>(&self, params: &P) -> ScaleByRssState<P> {
        ScaleByRssState { sum_of_squares: params.full_like(self.initial_accumulator_value) }
    }

    fn begin<P: Tree>(&self, _: &mut ScaleByRssState<P>, _: &mut P, _: &P) -> ScaleByRss {
        *self
    }
}

impl Kernel for ScaleByRss {
    const SLOTS: usize = 1;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [sum] = slots else { return };
        let eps = E::from_f64(self.eps);
        for (update, sum) in updates.iter_mut().zip(sum.iter_mut()) {
            *sum += *update * *update;
            *update = if *sum > E::ZERO { *update / (*sum + eps).sqrt() } else { E::ZERO };
        }
    }
}
