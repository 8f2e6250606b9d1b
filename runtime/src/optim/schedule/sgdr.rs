//! Warm restarts: `optax.sgdr_schedule`.

use super::schedules;
use super::warmup::WarmupCosineDecay;
use serde::{Deserialize, Serialize};

/// Cosine decays one after the other, each with a warm-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sgdr {
    /// The cycles. Each takes its `decay_steps`.
    pub cycles: Vec<WarmupCosineDecay>,
}

/// Cosine decays one after the other ([Loshchilov and Hutter, 2016](https://arxiv.org/abs/1608.03983)). The last one
/// goes on when its steps are over. Of no cycle the value is 0.
///
/// ```
/// use flaxen::optim::{Schedule, sgdr_schedule, warmup_cosine_decay_schedule};
/// let cycle = |peak| warmup_cosine_decay_schedule(0.0, peak, 5, 20);
/// let schedule = sgdr_schedule([cycle(1.0), cycle(0.5)]);
/// assert_eq!([5, 25, 99].map(|count| schedule.value(count)), [1.0, 0.5, 0.0]);
/// ```
pub fn sgdr_schedule(cycles: impl Into<Vec<WarmupCosineDecay>>) -> Sgdr {
    Sgdr { cycles: cycles.into() }
}

impl Sgdr {
    fn at(&self, mut count: i32) -> f32 {
        let Some((last, cycles)) = self.cycles.split_last() else { return 0.0 };
        for cycle in cycles {
            if count < cycle.decay_steps {
                return cycle.at(count);
            }
            count -= cycle.decay_steps;
        }
        last.at(count)
    }
}

schedules!(Sgdr);
