//! AdamW with D-adaptation: `optax.contrib.dadapt_adamw`.

use super::bias_correction::integer_pow;
use super::schedule::Schedule;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Zip};
use serde::{Deserialize, Serialize};

/// AdamW that finds its learning rate: it bounds from below how far the parameters are from a solution ([Defazio and
/// Mishchenko, 2023](https://arxiv.org/abs/2301.07733)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DadaptAdamw<L = f64> {
    /// A factor of the estimated learning rate, a number or a schedule.
    pub learning_rate: L,
    /// The decays of the mean of the gradients and of the mean of their squares.
    pub betas: (f64, f64),
    /// Added to the denominator.
    pub eps: f64,
    /// The first estimate.
    pub estim_lr0: f64,
    /// The weight decay.
    pub weight_decay: f64,
}

/// AdamW with D-adaptation, with Optax's defaults.
pub const fn dadapt_adamw() -> DadaptAdamw {
    DadaptAdamw { learning_rate: 1.0, betas: (0.9, 0.999), eps: 1e-8, estim_lr0: 1e-6, weight_decay: 0.0 }
}

impl DadaptAdamw {
    /// With the estimate multiplied by a number or a schedule.
    pub fn learning_rate<L: Schedule>(self, learning_rate: L) -> DadaptAdamw<L> {
        let DadaptAdamw { betas, eps, estim_lr0, weight_decay, .. } = self;
        DadaptAdamw { learning_rate, betas, eps, estim_lr0, weight_decay }
    }
}

/// Optax's `DAdaptAdamWState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DadaptAdamwState<P> {
    /// The mean of the gradients, multiplied by the learning rate.
    pub exp_avg: P,
    /// The mean of their squares.
    pub exp_avg_sq: P,
    /// The weighted sum of the gradients.
    pub grad_sum: P,
    /// The estimate.
    pub estim_lr: f32,
    /// Its numerator.
    pub numerator_weighted: f32,
    /// The number of steps taken.
    pub count: i32,
}

impl<P: Tree> State<P> for DadaptAdamwState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.exp_avg);
        slots.push(&mut self.exp_avg_sq);
    }
}

impl<L: Schedule> GradientTransformation for DadaptAdamw<L> {
    type State<P: Tree> = DadaptAdamwState<P>;
    type Kernel = DadaptAdamwStep;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, params: &P) -> DadaptAdamwState<P> {
        let zeros = || params.zeros_like();
        DadaptAdamwState {
            exp_avg: zeros(),
            exp_avg_sq: zeros(),
            grad_sum: zeros(),
            estim_lr: self.estim_lr0 as f32,
            numerator_weighted: 0.0,
            count: 0,
        }
    }

    fn begin<P: Tree>(&self, state: &mut DadaptAdamwState<P>, updates: &mut P, _: &P) -> DadaptAdamwStep {
        let (beta1, beta2) = self.betas;
        let root = beta2.sqrt();
        let rate = self.learning_rate.value(state.count) as f32;
        state.count = state.count.saturating_add(1);
        let correction = |decay: f64| 1.0 - integer_pow(decay as f32, state.count);
        let dlr = state.estim_lr * rate * (correction(beta2).sqrt() / correction(beta1));
        let mut sums = Sums {
            betas: [beta1, beta2, root],
            dlr: dlr.into(),
            eps: self.eps,
            numerator: 0.0,
            denominator: 0.0,
        };
        let trees = [&mut state.exp_avg, &mut state.exp_avg_sq, &mut state.grad_sum];
        updates.zip(trees, &Path::ROOT, &mut sums);
        let (root, new) = (root as f32, (1.0 - root) as f32);
        state.numerator_weighted = root * state.numerator_weighted + new * dlr * sums.numerator as f32;
        let estimate = state.numerator_weighted / (new * sums.denominator as f32);
        // While all gradients are 0 there is no estimate.
        state.estim_lr = if estimate > state.estim_lr { estimate } else { state.estim_lr };
        DadaptAdamwStep { decay: self.weight_decay * f64::from(dlr), eps: self.eps }
    }
}

/// Updates the means and sums of the gradients, and sums what the estimate needs.
struct Sums {
    betas: [f64; 3],
    dlr: f64,
    eps: f64,
    numerator: f64,
    denominator: f64,
}

impl Zip<3> for Sums {
    fn leaf<S: Shape, E: Float>(
        &mut self,
        _: &Path,
        gradients: &mut Tensor<S, E>,
        [exp_avg, exp_avg_sq, grad_sum]: [&mut Tensor<S, E>; 3],
    ) {
        let [dlr, eps] = [self.dlr, self.eps].map(E::from_f64);
        let ([beta1, beta2, root], [new1, new2, new3]) =
            (self.betas.map(E::from_f64), self.betas.map(|beta| E::from_f64(1.0 - beta)));
        let means = exp_avg.as_mut_slice().iter_mut().zip(exp_avg_sq.as_mut_slice());
        let state = means.zip(grad_sum.as_mut_slice());
        for (&gradient, ((mean, square), sum)) in gradients.as_slice().iter().zip(state) {
            self.numerator += (gradient * (*sum / (square.sqrt() + eps))).to_f64();
            *mean = (beta1 * *mean + new1 * dlr * gradient).flushed();
            *square = (beta2 * *square + new2 * gradient * gradient).flushed();
            *sum = (root * *sum + new3 * dlr * gradient).flushed();
            self.denominator += sum.abs().to_f64();
        }
    }
}

/// One step of AdamW with D-adaptation.
#[derive(Clone, Copy, Debug)]
pub struct DadaptAdamwStep {
    decay: f64,
    eps: f64,
}

impl Kernel for DadaptAdamwStep {
    const SLOTS: usize = 2;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        let [exp_avg, exp_avg_sq] = slots else { return };
        let [decay, eps] = [self.decay, self.eps].map(E::from_f64);
        let means = exp_avg.iter().zip(exp_avg_sq.iter());
        for ((update, &param), (&mean, &square)) in updates.iter_mut().zip(params).zip(means) {
            *update = -decay * param - mean / (square.sqrt() + eps);
        }
    }
}
