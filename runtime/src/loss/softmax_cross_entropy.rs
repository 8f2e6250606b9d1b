//! Cross entropy of the softmax of logits and labels that are probabilities, such as one-hot vectors:
//! `-Σ labels log_softmax(logits)` along the last axis, as `optax.softmax_cross_entropy`.
//!
//! The forward pass for training turns the logits into their gradient `softmax(logits) Σ labels - labels` in the
//! same pass, so that the backward pass only multiplies.

use super::rows::{self, Row};
use super::sizes;
use crate::op::{self, Differentiable, Need, Op as _};
use crate::shape::{Rule, Shape, Sizes, SplitLast};
use crate::tensor::{Float, Tensor};

/// `-Σ labels log_softmax(logits)` along the last axis.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: `[.., C]` and `[.., C]` become `[..]`.
    pub const fn shape([logits, labels]: [Sizes; 2]) -> Rule {
        sizes::rows_of_classes("softmax_cross_entropy", logits, labels)
    }
}

impl<S: SplitLast, E: Float> op::Op<(Tensor<S, E>, Tensor<S, E>)> for Op {
    type Out = Tensor<S::Front, E>;

    fn infer(&self, (logits, labels): (Tensor<S, E>, Tensor<S, E>)) -> Self::Out {
        sizes::check(Op::shape, &logits, &labels);
        rows::reduce(&Value, &logits, &labels)
    }
}

impl<S: SplitLast, E: Float, NA: Need, NB: Need> Differentiable<(Tensor<S, E>, Tensor<S, E>), (NA, NB)>
    for Op
{
    /// The gradients with respect to logits and labels, before they are multiplied by the cotangent.
    type Residuals = (NA::Of<Tensor<S, E>>, NB::Of<Tensor<S, E>>);

    fn forward(&self, (logits, labels): (Tensor<S, E>, Tensor<S, E>)) -> (Self::Out, Self::Residuals) {
        let labels_gradient = NB::when(|| negative_log_softmax(&logits));
        let (loss, gradient) = NA::choose(
            (logits, labels),
            |(logits, labels)| value_and_gradient(logits, &labels),
            |inputs| self.infer(inputs),
        );
        (loss, (gradient, labels_gradient))
    }

    fn backward(
        &self,
        (logits, labels): Self::Residuals,
        cotangent: Self::Out,
    ) -> (NA::Of<Tensor<S, E>>, NB::Of<Tensor<S, E>>) {
        (
            NA::map(logits, |gradient| rows::scale(gradient, &cotangent)),
            NB::map(labels, |gradient| rows::scale(gradient, &cotangent)),
        )
    }
}

/// The largest logit, and the sum of the exponentials of the others' distances to it.
#[inline(always)]
fn normalizer<E: Float>(logits: &[E]) -> (E, E) {
    let max = rows::max(logits);
    (max, rows::sum(logits, logits, |x, _| (x - max).exp()))
}

struct Value;

impl<E: Float> Row<E, 2, 1> for Value {
    #[inline(always)]
    fn row(&self, _: usize, [logits, labels]: [&[E]; 2], [loss]: [&mut [E]; 1]) {
        let (max, sum) = normalizer(logits);
        let log_sum = sum.ln();
        loss[0] = rows::sum(logits, labels, |x, label| -(label * (x - max - log_sum)));
    }
}

/// The loss, and the logits turned into their gradient.
fn value_and_gradient<S: SplitLast, E: Float>(
    mut logits: Tensor<S, E>,
    labels: &Tensor<S, E>,
) -> (Tensor<S::Front, E>, Tensor<S, E>) {
    sizes::check(Op::shape, &logits, labels);
    let loss = Tensor::written(rows::front(logits.shape()), |loss| {
        let count = loss.len();
        rows::for_each(count, &ValueAndGradient, [labels.as_slice()], [logits.as_mut_slice(), loss]);
    });
    (loss, logits)
}

struct ValueAndGradient;

impl<E: Float> Row<E, 1, 2> for ValueAndGradient {
    #[inline(always)]
    fn row(&self, _: usize, [labels]: [&[E]; 1], [logits, loss]: [&mut [E]; 2]) {
        let (max, sum) = normalizer(logits);
        let log_sum = sum.ln();
        loss[0] = rows::sum(logits, labels, |x, label| -(label * (x - max - log_sum)));
        let scale = rows::sum(labels, labels, |label, _| label) / sum;
        for (x, &label) in logits.iter_mut().zip(labels) {
            *x = (*x - max).exp() * scale - label;
        }
    }
}

/// The gradient with respect to labels.
fn negative_log_softmax<S: SplitLast, E: Float>(logits: &Tensor<S, E>) -> Tensor<S, E> {
    struct NegativeLogSoftmax;
    impl<E: Float> Row<E, 1, 1> for NegativeLogSoftmax {
        #[inline(always)]
        fn row(&self, _: usize, [logits]: [&[E]; 1], [out]: [&mut [E]; 1]) {
            let (max, sum) = normalizer(logits);
            let log_sum = sum.ln();
            out.iter_mut().zip(logits).for_each(|(out, &x)| *out = log_sum - (x - max));
        }
    }
    let count = rows::front(logits.shape()).elements();
    Tensor::written(logits.shape(), |out| {
        rows::for_each(count, &NegativeLogSoftmax, [logits.as_slice()], [out]);
    })
}

/// `-Σ labels log_softmax(logits)` along the last axis, as `optax.softmax_cross_entropy`.
pub fn softmax_cross_entropy<A, B>(logits: A, labels: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((logits, labels))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;
    use crate::shape::Size;

    #[test]
    fn values() {
        let logits = Tensor::<(U2, U3)>::of(&[1.2, -0.8, -0.5, 0.9, -1.2, 1.1]).unwrap();
        let labels = Tensor::<(U2, U3)>::of(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]).unwrap();
        let loss = softmax_cross_entropy(logits, labels);
        let expected = [0.2761, 2.9518];
        assert!(
            loss.as_slice()
                .iter()
                .zip(expected)
                .all(|(&loss, expected)| (loss - expected as f32).abs() < 1e-4)
        );
    }

    #[test]
    fn gradients() {
        for (rows, seed) in [(5, 1), (1, 2), (0, 3)] {
            let shape = (Dyn(rows), U7::default());
            testing::gradient2(&Op, testing::random(shape, seed), testing::random_positive(shape, seed + 10));
        }
        let wide = (U2::default(), Dyn(2), U37::default());
        testing::gradient2(&Op, testing::random(wide, 4), testing::random(wide, 5));
        testing::gradient2(&Op, testing::random((U3::default(),), 6), testing::random((U3::default(),), 7));
    }

    #[test]
    fn many_rows_are_shared_by_threads() {
        let shape = (Dyn(10_000), U10::default());
        let (logits, labels) = (testing::random(shape, 1), testing::random_positive(shape, 2));
        let (loss, (gradient, ())) =
            Differentiable::<_, (op::Yes, op::No)>::forward(&Op, (logits.clone(), labels.clone()));
        let row =
            |x: &Tensor<(Dyn, U10), f64>| Tensor::<(U10,), f64>::of(&x.as_slice()[99_980..99_990]).unwrap();
        let (one, (one_gradient, ())) =
            Differentiable::<_, (op::Yes, op::No)>::forward(&Op, (row(&logits), row(&labels)));
        assert_eq!(loss.as_slice()[9_998], one.item());
        assert_eq!(row(&gradient), one_gradient);
    }

    #[test]
    fn refusals() {
        let b = Size::Named("B");
        let sizes = |classes| Sizes::new(&[b, Size::Known(classes)]);
        testing::fits(Op::shape([sizes(10), sizes(10)]), "[B]");
        testing::refused(
            Op::shape([sizes(12), sizes(10)]),
            "softmax_cross_entropy: logits [B, 12] and labels [B, 10] differ in classes",
        );
        testing::refused(
            Op::shape([sizes(10), Sizes::new(&[Size::Named("C"), Size::Known(10)])]),
            "softmax_cross_entropy: logits [B, 10] and labels [C, 10] differ in axis 0",
        );
        testing::refused(
            Op::shape([sizes(10), Sizes::new(&[b])]),
            "softmax_cross_entropy: logits [B, 10] and labels [B] differ in their number of axes",
        );
        testing::refused(
            Op::shape([Sizes::new(&[]); 2]),
            "softmax_cross_entropy: logits [] have no last axis",
        );
    }
}
