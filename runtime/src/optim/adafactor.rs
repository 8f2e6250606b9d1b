//! Adafactor: `optax.adafactor`.

use super::schedule::Schedule;
use super::{
    AddDecayedWeights, Chain, ClipByBlockRms, Ema, Identity, Masked, Scale, ScaleByFactoredRms,
    ScaleByLearningRate, ScaleByParamBlockRms, add_decayed_weights, chain, clip_by_block_rms, ema, identity,
    scale, scale_by_factored_rms, scale_by_learning_rate, scale_by_param_block_rms,
};
use crate::tree::Path;

/// Adam whose second moments are kept for rows and columns only ([Shazeer and Stern,
/// 2018](https://arxiv.org/abs/1804.04235)). `L` is a [`ScaleByLearningRate`] where there is a learning rate, `S` an
/// [`Identity`] where steps are not relative, `M` an [`Ema`] where there is momentum, `D` an [`AddDecayedWeights`]
/// where weights decay.
pub type Adafactor<L = Identity, S = ScaleByParamBlockRms, M = Identity, D = Identity> =
    Chain<(ScaleByFactoredRms, ClipByBlockRms, L, S, M, D, Scale)>;

/// Adafactor without a learning rate, which [`learning_rate`](Adafactor::learning_rate) adds: steps are relative to the
/// root mean square of a leaf.
///
/// ```
/// let optimizer = flaxen::optim::adafactor().learning_rate(1e-3).momentum(0.9);
/// ```
pub const fn adafactor() -> Adafactor {
    chain((
        scale_by_factored_rms(),
        clip_by_block_rms(1.0),
        identity(),
        scale_by_param_block_rms(1e-3),
        identity(),
        identity(),
        scale(-1.0),
    ))
}

impl<L, S, M, D> Adafactor<L, S, M, D> {
    /// With second moments of whole leaves where the second largest size is below this instead of 128.
    pub fn min_dim_size_to_factor(mut self, min_dim_size_to_factor: usize) -> Self {
        self.0.0.min_dim_size_to_factor = min_dim_size_to_factor;
        self
    }

    /// With second moments of rows and columns, or of whole leaves.
    pub fn factored(mut self, factored: bool) -> Self {
        self.0.0.factored = factored;
        self
    }

    /// With this exponent of the decay of the second moments instead of 0.8.
    pub fn decay_rate(mut self, decay_rate: f64) -> Self {
        self.0.0.decay_rate = decay_rate;
        self
    }

    /// With this number of steps taken off the count in the decay, for fine-tuning.
    pub fn decay_offset(mut self, decay_offset: i32) -> Self {
        self.0.0.step_offset = decay_offset;
        self
    }

    /// With this number added to the squares instead of 1e-30.
    pub fn eps(mut self, eps: f64) -> Self {
        self.0.0.epsilon = eps;
        self
    }

    /// With this largest root mean square of a leaf's update instead of 1. Infinity clips nothing.
    pub fn clipping_threshold(mut self, clipping_threshold: f64) -> Self {
        self.0.1.threshold = clipping_threshold;
        self
    }
}

impl<S, M, D> Adafactor<Identity, S, M, D> {
    /// With a learning rate, a number or a schedule.
    pub fn learning_rate<L: Schedule>(self, learning_rate: L) -> Adafactor<ScaleByLearningRate<L>, S, M, D> {
        let Chain((factored, clip, _, relative, momentum, decay, sign)) = self;
        let rate = scale_by_learning_rate(learning_rate).without_flipping();
        chain((factored, clip, rate, relative, momentum, decay, sign))
    }
}

impl<L, M, D> Adafactor<L, ScaleByParamBlockRms, M, D> {
    /// With steps that are not multiplied by the root mean square of the leaf.
    pub fn without_parameter_scale(self) -> Adafactor<L, Identity, M, D> {
        let Chain((factored, clip, rate, _, momentum, decay, sign)) = self;
        chain((factored, clip, rate, identity(), momentum, decay, sign))
    }
}

impl<L, S, D> Adafactor<L, S, Identity, D> {
    /// With a decaying mean of the updates.
    pub fn momentum(self, decay: f64) -> Adafactor<L, S, Ema, D> {
        let Chain((factored, clip, rate, relative, _, decayed, sign)) = self;
        chain((factored, clip, rate, relative, ema(decay).debias(false), decayed, sign))
    }
}

impl<L, S, M> Adafactor<L, S, M, Identity> {
    /// With weight decay.
    pub fn weight_decay_rate(self, weight_decay_rate: f64) -> Adafactor<L, S, M, AddDecayedWeights> {
        let Chain((factored, clip, rate, relative, momentum, _, sign)) = self;
        chain((factored, clip, rate, relative, momentum, add_decayed_weights(weight_decay_rate), sign))
    }
}

impl<L, S, M> Adafactor<L, S, M, AddDecayedWeights> {
    /// With weight decay only for the leaves where `mask` is true.
    pub fn mask(
        self,
        mask: impl Fn(&Path) -> bool + Send + Sync + 'static,
    ) -> Adafactor<L, S, M, Masked<AddDecayedWeights>> {
        let Chain((factored, clip, rate, relative, momentum, decay, sign)) = self;
        chain((factored, clip, rate, relative, momentum, decay.mask(mask), sign))
    }
}
