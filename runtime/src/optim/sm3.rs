//! SM3: `optax.sm3`.

use super::{Chain, Scale, ScaleBySm3, chain, scale, scale_by_sm3};

/// AdaGrad whose sums of squares are kept for rows and columns only ([Anil et al., 2019](https://arxiv.org/abs/1901.11150)).
pub type Sm3 = Chain<(ScaleBySm3, Scale)>;

/// SM3 with a learning rate and a momentum of 0.9.
pub const fn sm3(learning_rate: f64) -> Sm3 {
    chain((scale_by_sm3(), scale(-learning_rate)))
}

impl Sm3 {
    /// With this momentum.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.0.0.b1 = momentum;
        self
    }
}
