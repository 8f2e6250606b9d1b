//! Adan: `optax.adan`.

use super::schedule::Schedule;
use super::setters::{adam_setters, setters};
use super::{AddDecayedWeights, Chain, Masked, ScaleByAdan, ScaleByLearningRate};
use super::{add_decayed_weights, chain, scale_by_adan, scale_by_learning_rate};
use crate::tree::Path;

/// Adam with Nesterov's momentum in terms of differences of gradients ([Xie et al., 2022](https://arxiv.org/abs/2208.06677)).
pub type Adan<L = f64, D = AddDecayedWeights> = Chain<(ScaleByAdan, D, ScaleByLearningRate<L>)>;

/// Adan with a learning rate, a number or a schedule. `b1` is 0.98, `b2` 0.92, `b3` 0.99, `eps` and `eps_root` 1e-8,
/// and there is no weight decay.
pub const fn adan<L: Schedule>(learning_rate: L) -> Adan<L> {
    chain((
        ScaleByAdan { eps_root: 1e-8, ..scale_by_adan() },
        add_decayed_weights(0.0),
        scale_by_learning_rate(learning_rate),
    ))
}

impl<L: Schedule> Adan<L> {
    adam_setters!();
    setters! {
        /// With this decay of the mean of the squares.
        b3: f64 => 0;
        /// With this weight decay.
        weight_decay: f64 => 1;
    }

    /// With weight decay only for the leaves where `mask` is true.
    pub fn mask(
        self,
        mask: impl Fn(&Path) -> bool + Send + Sync + 'static,
    ) -> Adan<L, Masked<AddDecayedWeights>> {
        let Chain((scale, decay, descend)) = self;
        chain((scale, decay.mask(mask), descend))
    }
}
