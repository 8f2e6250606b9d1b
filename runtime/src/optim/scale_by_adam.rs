//! Adam's rescaling: `optax.scale_by_adam`.

use super::accumulator::{Accumulator, AccumulatorDtype, ParamsDtype};
use super::bias_correction::BiasCorrection;
use super::state::{Slots, State};
use super::{GradientTransformation, kernel};
use crate::tensor::Float;
use crate::tree::Tree;
use serde::{Deserialize, Serialize};

/// `mu = (1 - b1) g + b1 mu`, `nu = (1 - b2) g² + b2 nu`, `u = mû / (sqrt(nû + eps_root) + eps)`
///
/// `mû` and `nû` are corrected for their beginning at zero: [Kingma and Ba, 2014](https://arxiv.org/abs/1412.6980).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByAdam<M = ParamsDtype> {
    /// The decay of the mean of the gradients.
    pub b1: f64,
    /// The decay of the mean of their squares.
    pub b2: f64,
    /// Added to the denominator, outside of the root.
    pub eps: f64,
    /// Added to the denominator, inside of the root.
    pub eps_root: f64,
    /// Whether to use Nesterov's momentum ([Dozat, 2016](https://openreview.net/pdf?id=OM0jvwB8jIp57ZJjtNEZ)).
    pub nesterov: bool,
    /// The elements of the mean of the gradients.
    #[serde(skip)]
    pub mu_dtype: M,
}

/// Adam's rescaling with Optax's defaults.
pub const fn scale_by_adam() -> ScaleByAdam {
    ScaleByAdam { b1: 0.9, b2: 0.999, eps: 1e-8, eps_root: 0.0, nesterov: false, mu_dtype: ParamsDtype }
}

impl<M> ScaleByAdam<M> {
    /// With the mean of the gradients in these elements: [`Bf16`](super::Bf16).
    pub fn mu_dtype<T: AccumulatorDtype>(self, mu_dtype: T) -> ScaleByAdam<T> {
        let ScaleByAdam { b1, b2, eps, eps_root, nesterov, .. } = self;
        ScaleByAdam { b1, b2, eps, eps_root, nesterov, mu_dtype }
    }
}

/// Optax's `ScaleByAdamState`. `M` is what the mean of the gradients is kept in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByAdamState<P, M = P> {
    /// The number of steps taken.
    pub count: i32,
    /// The mean of the gradients.
    pub mu: M,
    /// The mean of their squares.
    pub nu: P,
}

impl<P: Tree, M: Accumulator<P>> State<P> for ScaleByAdamState<P, M> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        self.mu.push(slots);
        slots.push(&mut self.nu);
    }
}

impl<M: AccumulatorDtype> GradientTransformation for ScaleByAdam<M> {
    type State<P: Tree> = ScaleByAdamState<P, M::Tree<P>>;
    type Kernel = Kernel<M>;

    fn init<P: Tree>(&self, params: &P) -> Self::State<P> {
        ScaleByAdamState { count: 0, mu: Accumulator::zeros_like(params), nu: params.zeros_like() }
    }

    fn begin<P: Tree>(&self, state: &mut Self::State<P>, _: &mut P, _: &P) -> Kernel<M> {
        state.count = state.count.saturating_add(1);
        Kernel {
            adam: *self,
            mu: BiasCorrection::new(self.b1, state.count),
            ahead: BiasCorrection::new(self.b1, state.count.saturating_add(1)),
            nu: BiasCorrection::new(self.b2, state.count),
        }
    }
}

/// One step of Adam.
#[derive(Clone, Copy, Debug)]
pub struct Kernel<M = ParamsDtype> {
    adam: ScaleByAdam<M>,
    mu: BiasCorrection,
    /// The next step's, for Nesterov's momentum.
    ahead: BiasCorrection,
    nu: BiasCorrection,
}

impl<M: AccumulatorDtype> kernel::Kernel for Kernel<M> {
    const SLOTS: usize = 2;
    const BF16_SLOTS: u32 = M::IS_BF16 as u32;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], _: &[E], slots: &mut [&mut [E]]) {
        let [mu, nu] = slots else { return };
        let adam = &self.adam;
        let [b1, new1, b2, new2] = [adam.b1, 1.0 - adam.b1, adam.b2, 1.0 - adam.b2].map(E::from_f64);
        let [eps, eps_root] = [adam.eps, adam.eps_root].map(E::from_f64);
        // Divisions are what bounds this loop: two of three are made multiplications, within a unit in the last place.
        let [mu_scale, ahead, nu_scale] =
            [self.mu, self.ahead, self.nu].map(|correction| E::ONE / correction.get());
        for ((update, mu), nu) in updates.iter_mut().zip(mu.iter_mut()).zip(nu.iter_mut()) {
            let gradient = *update;
            *mu = (new1 * gradient + M::decayed(b1, *mu)).flushed();
            *nu = (new2 * (gradient * gradient) + b2 * *nu).flushed();
            let mean = if adam.nesterov {
                b1 * (*mu * ahead) + new1 * (gradient * mu_scale)
            } else {
                *mu * mu_scale
            };
            *update = mean / ((*nu * nu_scale + eps_root).sqrt() + eps);
        }
    }
}
