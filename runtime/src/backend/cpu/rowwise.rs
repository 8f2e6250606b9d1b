//! Functions of whole rows: softmax and its relatives.

use super::lanes::Number;
use super::map::{CHUNK, vectorized};
use super::threads::parallel_chunks;
use crate::tensor::Float;
use pulp::NullaryFnOnce;

/// The sums that run side by side. Rows are often short.
const LANES: usize = 8;

/// What is done to a row, in place, with the row of the same number of another array.
///
/// `apply` is `#[inline(always)]`, so that its loops become vector instructions.
pub trait RowFunction<E>: Sync {
    /// Overwrites `own`.
    fn apply(&self, own: &mut [E], other: &[E]);
}

/// Applies a function to all rows of `own`, which has `own_len` elements a row, and of `other`, which has `other_len`.
pub fn each_row<E, F>(f: &F, own: &mut [E], own_len: usize, other: &[E], other_len: usize)
where
    E: Number + Sync,
    F: RowFunction<E>,
{
    struct Rows<'a, E, F>(&'a F, &'a mut [E], usize, &'a [E], usize);
    impl<E, F: RowFunction<E>> NullaryFnOnce for Rows<'_, E, F> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            let Rows(f, own, own_len, other, other_len) = self;
            for (index, own) in own.chunks_exact_mut(own_len).enumerate() {
                f.apply(own, &other[index * other_len..][..other_len]);
            }
        }
    }
    if own.is_empty() {
        return;
    }
    let rows = own.len() / own_len;
    assert!(own.len() == rows * own_len && other.len() == rows * other_len, "rows of two arrays");
    // An exponential is worth about eight additions.
    let together = (CHUNK / 8 / own_len.max(other_len)).max(1);
    parallel_chunks(own, together * own_len, |chunk, own| {
        let from = chunk * together * other_len;
        let len = own.len() / own_len * other_len;
        vectorized(Rows(f, own, own_len, &other[from..from + len], other_len));
    });
}

/// The largest element; NaN if there is one, minus infinity if there is no element.
#[inline(always)]
fn max<E: Float>(row: &[E]) -> E {
    fold(row, E::NEG_INFINITY, |a, b| if a > b || a.is_nan() { a } else { b }, |x| x)
}

/// The sum of `f` of every element.
#[inline(always)]
fn sum<E: Float>(row: &[E], f: impl Fn(E) -> E) -> E {
    fold(row, E::ZERO, |a, b| a + b, f)
}

#[inline(always)]
fn fold<E: Float>(row: &[E], start: E, join: impl Fn(E, E) -> E, f: impl Fn(E) -> E) -> E {
    let mut lanes = [start; LANES];
    let runs = row.chunks_exact(LANES);
    let rest = runs.remainder();
    for run in runs {
        for (lane, &x) in lanes.iter_mut().zip(run) {
            *lane = join(*lane, f(x));
        }
    }
    for (lane, &x) in lanes.iter_mut().zip(rest) {
        *lane = join(*lane, f(x));
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    join(join(join(a, e), join(c, g)), join(join(b, f), join(d, h)))
}

/// `own = exp(own - max) / sum(exp(own - max))`
pub struct Softmax;

impl<E: Float> RowFunction<E> for Softmax {
    #[inline(always)]
    fn apply(&self, own: &mut [E], _: &[E]) {
        let max = max(own);
        for x in own.iter_mut() {
            *x = (*x - max).exp();
        }
        let total = sum(own, |x| x);
        for x in own {
            *x /= total;
        }
    }
}

/// From the cotangent of softmax in `own` and its output in `other`, the cotangent of its input.
pub struct SoftmaxPullback;

impl<E: Float> RowFunction<E> for SoftmaxPullback {
    #[inline(always)]
    fn apply(&self, own: &mut [E], other: &[E]) {
        for (dy, &y) in own.iter_mut().zip(other) {
            *dy *= y;
        }
        let total = sum(own, |x| x);
        for (dx, &y) in own.iter_mut().zip(other) {
            *dx -= y * total;
        }
    }
}

/// `own = own - max - ln(sum(exp(own - max)))`
pub struct LogSoftmax;

impl<E: Float> RowFunction<E> for LogSoftmax {
    #[inline(always)]
    fn apply(&self, own: &mut [E], _: &[E]) {
        let max = max(own);
        for x in own.iter_mut() {
            *x -= max;
        }
        let total = sum(own, |x| x.exp()).ln();
        for x in own {
            *x -= total;
        }
    }
}

/// From the cotangent of log-softmax in `own` and its output in `other`, the cotangent of its input.
pub struct LogSoftmaxPullback;

impl<E: Float> RowFunction<E> for LogSoftmaxPullback {
    #[inline(always)]
    fn apply(&self, own: &mut [E], other: &[E]) {
        let total = sum(own, |x| x);
        for (dy, &y) in own.iter_mut().zip(other) {
            *dy -= y.exp() * total;
        }
    }
}

/// `own[0] = ln(sum(exp(other)))`, also where it is infinite.
pub struct LogSumExp;

impl<E: Float> RowFunction<E> for LogSumExp {
    #[inline(always)]
    fn apply(&self, own: &mut [E], other: &[E]) {
        let max = max(other);
        let shift = if max.is_finite() { max } else { E::ZERO };
        own[0] = sum(other, |x| (x - shift).exp()).ln() + shift;
    }
}

/// From the input of logsumexp in `own` and the cotangent of its output in `other[0]`, the cotangent of its input.
pub struct LogSumExpPullback;

impl<E: Float> RowFunction<E> for LogSumExpPullback {
    #[inline(always)]
    fn apply(&self, own: &mut [E], other: &[E]) {
        Softmax.apply(own, &[]);
        for x in own {
            *x *= other[0];
        }
    }
}
