//! Cross entropy of the softmax of logits and labels that are the numbers of classes:
//! `logsumexp(logits) - logits[label]` along the last axis, as `optax.softmax_cross_entropy_with_integer_labels`.
//!
//! The forward pass for training turns the logits into their gradient, the softmax less one at the label, in the
//! same pass, so that the backward pass only multiplies.

use super::rows::{self, Row};
use super::sizes;
use crate::op::{self, Differentiable, Need, No, Op as _};
use crate::ops::one_hot::Label;
use crate::shape::{Message, Rule, Sizes, SplitLast};
use crate::tensor::{Float, Tensor};

/// `logsumexp(logits) - logits[label]` along the last axis.
///
/// A label that is no class gives a loss of NaN.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

/// The rows that are worked on together, and the logits that are.
const GROUP: usize = 16;

const NAME: &str = "softmax_cross_entropy_with_integer_labels";

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: `[.., C]` and `[..]` become `[..]`.
    pub const fn shape([logits, labels]: [Sizes; 2]) -> Rule {
        if logits.rank() == 0 {
            return Rule::Refused(Message::new(NAME).text(": logits [] have no last axis"));
        }
        let front = logits.without(logits.rank() - 1);
        if front.differs(&labels) {
            let message =
                Message::new(NAME).text(": logits ").sizes(logits).text(" need labels ").sizes(front);
            return Rule::Refused(message.text(", one class for each row, but labels are ").sizes(labels));
        }
        Rule::Out(front.or(labels))
    }
}

impl<S: SplitLast, E: Float, L: Label> op::Op<(Tensor<S, E>, Tensor<S::Front, L>)> for Op {
    type Out = Tensor<S::Front, E>;

    fn infer(&self, (logits, labels): (Tensor<S, E>, Tensor<S::Front, L>)) -> Self::Out {
        sizes::check(Op::shape, &logits, &labels);
        Tensor::written(labels.shape(), |loss| {
            rows::for_each(loss.len(), &Value(labels.as_slice()), [logits.as_slice()], [loss]);
        })
    }
}

impl<S: SplitLast, E: Float, L: Label, NA: Need> Differentiable<(Tensor<S, E>, Tensor<S::Front, L>), (NA, No)>
    for Op
{
    /// The gradient before it is multiplied by the cotangent.
    type Residuals = NA::Of<Tensor<S, E>>;

    fn forward(
        &self,
        (logits, labels): (Tensor<S, E>, Tensor<S::Front, L>),
    ) -> (Self::Out, NA::Of<Tensor<S, E>>) {
        NA::choose(
            (logits, labels),
            |(logits, labels)| value_and_gradient(logits, &labels),
            |inputs| self.infer(inputs),
        )
    }

    fn backward(&self, gradient: NA::Of<Tensor<S, E>>, cotangent: Self::Out) -> (NA::Of<Tensor<S, E>>, ()) {
        (NA::map(gradient, |gradient| rows::scale(gradient, &cotangent)), ())
    }
}

/// What is subtracted from logits before the exponential, as in JAX's `logsumexp`: the largest, if it is finite.
#[inline(always)]
fn shift<E: Float>(logits: &[E]) -> E {
    let max = rows::max(logits);
    if max.is_finite() { max } else { E::ZERO }
}

/// The place of a label among so many classes.
#[inline(always)]
fn class(label: impl Label, classes: usize) -> Option<usize> {
    label.class().filter(|&class| class < classes)
}

/// What the logit of the label, less the shift, leaves of the loss.
#[inline(always)]
fn without_logarithm<E: Float>(label: Option<usize>, shifted: impl Fn(usize) -> E) -> E {
    label.map_or(E::from_f64(f64::NAN), |label| -shifted(label))
}

/// The sum of `f` of every logit. Short rows are added up one by one.
#[inline(always)]
fn sum<E: Float>(logits: &[E], f: impl Fn(E) -> E) -> E {
    if logits.len() >= GROUP {
        return rows::sum(logits, logits, |x, _| f(x));
    }
    let mut terms = [E::ZERO; GROUP];
    terms[..logits.len()].copy_from_slice(logits);
    terms.map(f)[..logits.len()].iter().fold(E::ZERO, |sum, &x| sum + x)
}

struct Value<'a, L>(&'a [L]);

impl<E: Float, L: Label> Row<E, 1, 1> for Value<'_, L> {
    #[inline(always)]
    fn row(&self, index: usize, [logits]: [&[E]; 1], [out]: [&mut [E]; 1]) {
        let shift = shift(logits);
        let label = class(self.0[index], logits.len());
        let logarithm = sum(logits, |x| (x - shift).exp()).ln();
        out[0] = without_logarithm(label, |label| logits[label] - shift) + logarithm;
    }
}

/// The loss, and the logits turned into their gradient.
fn value_and_gradient<S: SplitLast, E: Float, L: Label>(
    mut logits: Tensor<S, E>,
    labels: &Tensor<S::Front, L>,
) -> (Tensor<S::Front, E>, Tensor<S, E>) {
    sizes::check(Op::shape, &logits, labels);
    let loss = Tensor::written(labels.shape(), |loss| {
        let (count, row) = (loss.len(), ValueAndGradient(labels.as_slice()));
        rows::for_each(count, &row, [], [logits.as_mut_slice(), loss]);
    });
    (loss, logits)
}

struct ValueAndGradient<'a, L>(&'a [L]);

impl<E: Float, L: Label> Row<E, 0, 2> for ValueAndGradient<'_, L> {
    #[inline(always)]
    fn row(&self, index: usize, []: [&[E]; 0], written: [&mut [E]; 2]) {
        self.rows(index, 1, [], written);
    }

    /// A few rows at a time, so that the exponentials of short rows and the logarithms are vectors too.
    #[inline(always)]
    fn rows(&self, first: usize, count: usize, []: [&[E]; 0], [logits, out]: [&mut [E]; 2]) {
        let classes = logits.len() / count;
        if classes == 0 {
            return out.fill(E::from_f64(f64::NAN));
        }
        let labels = self.0[first..first + count].chunks(GROUP);
        let groups = logits.chunks_mut(GROUP * classes).zip(out.chunks_mut(GROUP));
        groups.zip(labels).for_each(|((logits, out), labels)| group(classes, logits, out, labels));
    }
}

/// The losses of at most [`GROUP`] rows, and the rows turned into their gradients.
#[inline(always)]
fn group<E: Float>(classes: usize, logits: &mut [E], out: &mut [E], labels: &[impl Label]) {
    let mut totals = [E::ONE; GROUP];
    for ((row, out), &label) in logits.chunks_exact_mut(classes).zip(out.iter_mut()).zip(labels) {
        let shift = shift(row);
        row.iter_mut().for_each(|x| *x -= shift);
        *out = without_logarithm(class(label, classes), |label| row[label]);
    }
    logits.iter_mut().for_each(|x| *x = x.exp());
    for ((row, total), &label) in logits.chunks_exact_mut(classes).zip(&mut totals).zip(labels) {
        *total = sum(row, |x| x);
        let scale = E::ONE / *total;
        row.iter_mut().for_each(|x| *x *= scale);
        if let Some(label) = class(label, classes) {
            row[label] -= E::ONE;
        }
    }
    let logarithms = totals.map(E::ln);
    out.iter_mut().zip(logarithms).for_each(|(out, logarithm)| *out += logarithm);
}

/// `logsumexp(logits) - logits[label]`, as `optax.softmax_cross_entropy_with_integer_labels`.
pub fn softmax_cross_entropy_with_integer_labels<A, B>(logits: A, labels: B) -> <Op as op::Op<(A, B)>>::Out
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
    fn values_and_labels_that_are_no_class() {
        let logits =
            Tensor::<(U4, U3)>::of(&[1.2, -0.8, -0.5, 0.9, -1.2, 1.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
        let labels = Tensor::<(U4,), i32>::of(&[0, 1, 3, -1]).unwrap();
        let loss = softmax_cross_entropy_with_integer_labels(logits, labels);
        assert!((loss.as_slice()[0] - 0.2761).abs() < 1e-4);
        assert!((loss.as_slice()[1] - 2.9518).abs() < 1e-4);
        assert!(loss.as_slice()[2..].iter().all(|loss| loss.is_nan()), "there is no class 3 and no class -1");
    }

    #[test]
    fn gradients() {
        for (rows, classes) in [(4, 7), (1, 1), (0, 3), (3, 37)] {
            let labels = Tensor::<(Dyn,), u32>::from_fn((Dyn(rows),), |i| (i * 5 % classes) as u32);
            let logits = testing::random((Dyn(rows), Dyn(classes)), 1);
            testing::gradient(&At(labels), logits);
        }
    }

    /// The loss at some labels, an op of one input.
    struct At(Tensor<(Dyn,), u32>);

    impl<E: Float> op::Op<Tensor<(Dyn, Dyn), E>> for At {
        type Out = Tensor<(Dyn,), E>;
        fn infer(&self, logits: Tensor<(Dyn, Dyn), E>) -> Self::Out {
            Op.infer((logits, self.0.clone()))
        }
    }

    impl<E: Float> Differentiable<Tensor<(Dyn, Dyn), E>, op::Yes> for At {
        type Residuals = Tensor<(Dyn, Dyn), E>;
        fn forward(&self, logits: Tensor<(Dyn, Dyn), E>) -> (Self::Out, Self::Residuals) {
            Differentiable::<_, (op::Yes, No)>::forward(&Op, (logits, self.0.clone()))
        }
        fn backward(&self, residuals: Self::Residuals, cotangent: Self::Out) -> Self::Residuals {
            type In<E> = (Tensor<(Dyn, Dyn), E>, Tensor<(Dyn,), u32>);
            <Op as Differentiable<In<E>, (op::Yes, No)>>::backward(&Op, residuals, cotangent).0
        }
    }

    #[test]
    fn refusals() {
        let b = Size::Named("B");
        let logits = Sizes::new(&[b, Size::Known(10)]);
        testing::fits(Op::shape([logits, Sizes::new(&[b])]), "[B]");
        testing::fits(Op::shape([logits, Sizes::new(&[Size::Unknown])]), "[B]");
        testing::refused(
            Op::shape([logits, logits]),
            "softmax_cross_entropy_with_integer_labels: logits [B, 10] need labels [B], one class for each row, \
             but labels are [B, 10]",
        );
    }
}
