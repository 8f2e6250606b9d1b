//! Prodigy: `optax.contrib.prodigy`.

use super::bias_correction::integer_pow;
use super::schedule::Schedule;
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Zip};
use serde::{Deserialize, Serialize};

/// Adam that finds its learning rate: it estimates how far the parameters are from a solution ([Mishchenko and Defazio,
/// 2023](https://arxiv.org/abs/2306.06101)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prodigy<L = f64> {
    /// A factor of the estimated learning rate, a number or a schedule.
    pub learning_rate: L,
    /// The decays of the mean of the gradients and of the mean of their squares.
    pub betas: (f64, f64),
    /// The decay of the estimate's sums; nothing for the root of the second of `betas`.
    pub beta3: Option<f64>,
    /// Added to the denominator.
    pub eps: f64,
    /// The first estimate.
    pub estim_lr0: f64,
    /// The factor of the estimates.
    pub estim_lr_coef: f64,
    /// The weight decay.
    pub weight_decay: f64,
    /// Whether the correction for the beginning at zero is left out of the estimate's denominator, for a warm-up.
    pub safeguard_warmup: bool,
}

/// Prodigy with Optax's defaults.
pub const fn prodigy() -> Prodigy {
    Prodigy {
        learning_rate: 1.0,
        betas: (0.9, 0.999),
        beta3: None,
        eps: 1e-8,
        estim_lr0: 1e-6,
        estim_lr_coef: 1.0,
        weight_decay: 0.0,
        safeguard_warmup: false,
    }
}

impl Prodigy {
    /// With the estimate multiplied by a number or a schedule.
    pub fn learning_rate<L: Schedule>(self, learning_rate: L) -> Prodigy<L> {
        let Prodigy { betas, beta3, eps, estim_lr0, estim_lr_coef, weight_decay, safeguard_warmup, .. } =
            self;
        Prodigy { learning_rate, betas, beta3, eps, estim_lr0, estim_lr_coef, weight_decay, safeguard_warmup }
    }
}

/// Optax's `ProdigyState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProdigyState<P> {
    /// The mean of the gradients.
    pub exp_avg: P,
    /// The mean of their squares.
    pub exp_avg_sq: P,
    /// The weighted sum of the gradients.
    pub grad_sum: P,
    /// The parameters before the first step.
    pub params0: P,
    /// The estimate.
    pub estim_lr: f32,
    /// Its numerator.
    pub numerator_weighted: f32,
    /// The number of steps taken.
    pub count: i32,
}

impl<P: Tree> State<P> for ProdigyState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.exp_avg);
        slots.push(&mut self.exp_avg_sq);
    }
}

impl<L: Schedule> GradientTransformation for Prodigy<L> {
    type State<P: Tree> = ProdigyState<P>;
    type Kernel = ProdigyStep;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, params: &P) -> ProdigyState<P> {
        let zeros = || params.zeros_like();
        ProdigyState {
            exp_avg: zeros(),
            exp_avg_sq: zeros(),
            grad_sum: zeros(),
            params0: params.clone(),
            estim_lr: self.estim_lr0 as f32,
            numerator_weighted: 0.0,
            count: 0,
        }
    }

    fn begin<P: Tree>(&self, state: &mut ProdigyState<P>, updates: &mut P, params: &P) -> ProdigyStep {
        let (beta1, beta2) = self.betas;
        let beta3 = self.beta3.unwrap_or(beta2.sqrt());
        let rate = self.learning_rate.value(state.count) as f32;
        state.count = state.count.saturating_add(1);
        let correction = |decay: f64| 1.0 - integer_pow(decay as f32, state.count);
        let estim_lr = state.estim_lr;
        let dlr = estim_lr * rate * (correction(beta2).sqrt() / correction(beta1));
        let weight = if self.safeguard_warmup { estim_lr } else { dlr };
        let mut sums = Sums {
            estim_lr: estim_lr.into(),
            betas: [beta1, beta2, beta3],
            weight: f64::from(weight) / self.estim_lr0,
            numerator: 0.0,
            denominator: 0.0,
        };
        let ProdigyState { exp_avg, exp_avg_sq, grad_sum, params0, .. } = state;
        let trees = [&mut params.clone(), params0, exp_avg, exp_avg_sq, grad_sum];
        updates.zip(trees, &Path::ROOT, &mut sums);
        state.numerator_weighted = beta3 as f32 * state.numerator_weighted
            + estim_lr / self.estim_lr0 as f32 * dlr * sums.numerator as f32;
        let estimate = self.estim_lr_coef as f32 * state.numerator_weighted / sums.denominator as f32;
        // While all gradients are 0 there is no estimate.
        state.estim_lr = if estimate > estim_lr { estimate } else { estim_lr };
        ProdigyStep {
            decay: self.weight_decay * f64::from(dlr),
            dlr: dlr.into(),
            eps: f64::from(state.estim_lr) * self.eps,
        }
    }
}

/// Updates the means and sums of the gradients, and sums what the estimate needs.
struct Sums {
    estim_lr: f64,
    betas: [f64; 3],
    weight: f64,
    numerator: f64,
    denominator: f64,
}

impl Zip<5> for Sums {
    fn leaf<S: Shape, E: Float>(
        &mut self,
        _: &Path,
        gradients: &mut Tensor<S, E>,
        [params, params0, exp_avg, exp_avg_sq, grad_sum]: [&mut Tensor<S, E>; 5],
    ) {
        let [estim_lr, weight] = [self.estim_lr, self.weight].map(E::from_f64);
        let ([beta1, beta2, beta3], [new1, new2, _]) =
            (self.betas.map(E::from_f64), self.betas.map(|beta| E::from_f64(1.0 - beta)));
        let params = params0.as_slice().iter().zip(params.as_slice());
        let means = exp_avg.as_mut_slice().iter_mut().zip(exp_avg_sq.as_mut_slice());
        let state = means.zip(grad_sum.as_mut_slice()).zip(params);
        for (&gradient, (((mean, square), sum), (&before, &param))) in gradients.as_slice().iter().zip(state)
        {
            let scaled = estim_lr * gradient;
            self.numerator += (gradient * (before - param)).to_f64();
            *mean = (beta1 * *mean + new1 * scaled).flushed();
            *square = (beta2 * *square + new2 * scaled * scaled).flushed();
            *sum = (beta3 * *sum + weight * scaled).flushed();
            self.denominator += sum.abs().to_f64();
        }
    }
}

/// One step of Prodigy.
#[derive(Clone, Copy, Debug)]
pub struct ProdigyStep {
    decay: f64,
    dlr: f64,
    eps: f64,
}

impl Kernel for ProdigyStep {
    const SLOTS: usize = 2;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        let [exp_avg, exp_avg_sq] = slots else { return };
        let [decay, dlr, eps] = [self.decay, self.dlr, self.eps].map(E::from_f64);
        let means = exp_avg.iter().zip(exp_avg_sq.iter());
        for ((update, &param), (&mean, &square)) in updates.iter_mut().zip(params).zip(means) {
            *update = -decay * param - dlr * mean / (square.sqrt() + eps);
        }
    }
}
