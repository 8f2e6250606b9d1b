//! Cross entropy of the sigmoid of logits and labels between 0 and 1, as `optax.sigmoid_binary_cross_entropy`.

use super::pairwise::{Pairwise, pairwise_op};
use crate::op::{self, Op as _};
use crate::tensor::{Float, Tensor};

/// `-labels log_sigmoid(logits) - (1 - labels) log_sigmoid(-logits)`, element by element.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }
}

impl Pairwise for Op {
    #[inline(always)]
    fn value<E: Float>(&self, logits: E, labels: E) -> E {
        // log_sigmoid(x) is min(x, 0) - tail, and log_sigmoid(-x) is that less x.
        let (magnitude, below) = (logits.abs(), if logits < E::ZERO { logits } else { E::ZERO });
        let log_p = below - (-magnitude).exp().ln_1p();
        -labels * log_p - (E::ONE - labels) * (log_p - logits)
    }

    #[inline(always)]
    fn partial_a<E: Float>(&self, logits: E, labels: E) -> E {
        sigmoid(logits) - labels
    }

    #[inline(always)]
    fn partial_b<E: Float>(&self, logits: E, _: E) -> E {
        -logits
    }
}

pairwise_op!(Op, elements, "sigmoid_binary_cross_entropy", ["logits", "labels"]);

/// `-labels log_sigmoid(logits) - (1 - labels) log_sigmoid(-logits)`, element by element. As `optax.sigmoid_binary_cross_entropy`.
pub fn sigmoid_binary_cross_entropy<A, B>(logits: A, labels: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((logits, labels))
}

#[inline(always)]
fn sigmoid<E: Float>(x: E) -> E {
    let tail = (-x.abs()).exp();
    (if x < E::ZERO { tail } else { E::ONE }) / (E::ONE + tail)
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn gradients() {
        for rows in [5, 1, 0] {
            let shape = (Dyn(rows), U7::default());
            testing::gradient2(&Op, testing::random(shape, 1), testing::random(shape, 2));
        }
        let shape = (U2::default(), U2::default(), U37::default());
        testing::gradient2(&Op, testing::random(shape, 1), testing::random(shape, 2));
    }

    #[test]
    #[should_panic = "sigmoid_binary_cross_entropy: logits [2, 4] and labels [3, 4] differ in axis 0"]
    fn dynamic_sizes_that_differ() {
        let rows = |rows| Tensor::<(Dyn, U4)>::zeros((Dyn(rows), U4::default()));
        sigmoid_binary_cross_entropy(rows(2), rows(3));
    }
}
