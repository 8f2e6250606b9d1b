//! Functions of whole rows: softmax and its relatives.
//!
//! A row of many elements is read in vectors. Of shorter rows several are turned, so that the elements at one place lie side by
//! side. A function is written once for both, over [`Place`]s, and gives the same bits.

use super::map::{CHUNK, vectorized};
use super::threads::parallel_chunks;
use super::transpose::transpose;
use crate::tensor::Float;
use pulp::NullaryFnOnce;

/// The sums that run side by side in one row.
const LANES: usize = 8;
/// The rows that are worked on side by side.
const ROWS: usize = 16;
/// The most elements of such a row.
const SHORT: usize = 32;
/// Fewer rows than this are quicker one by one.
const FEW: usize = 5;

/// What stands at one place: an element of a row, or one of each of a few rows.
///
/// All is `#[inline(always)]`, so that loops over places become vector instructions.
pub trait Place<E>: Copy {
    /// The same element in each row.
    fn of(x: E) -> Self;

    /// `f` of every element.
    fn map(self, f: impl Fn(E) -> E) -> Self;

    /// `f` of every element and that of `other` in the same row.
    fn zip(self, other: Self, f: impl Fn(E, E) -> E) -> Self;

    /// Joins to lane `i` every [`LANES`]th place of a row from `i` on: of one row run by run, since a run is a vector, of several
    /// lane by lane, since a place is one.
    fn join_lanes(lanes: &mut [Self; LANES], row: &[Self], join: impl Fn(Self, Self) -> Self);
}

impl<E: Float> Place<E> for E {
    #[inline(always)]
    fn of(x: E) -> E {
        x
    }

    #[inline(always)]
    fn map(self, f: impl Fn(E) -> E) -> E {
        f(self)
    }

    #[inline(always)]
    fn zip(self, other: E, f: impl Fn(E, E) -> E) -> E {
        f(self, other)
    }

    #[inline(always)]
    fn join_lanes(lanes: &mut [E; LANES], row: &[E], join: impl Fn(E, E) -> E) {
        let runs = row.chunks_exact(LANES);
        let rest = runs.remainder();
        for run in runs {
            for (lane, &x) in lanes.iter_mut().zip(run) {
                *lane = join(*lane, x);
            }
        }
        for (lane, &x) in lanes.iter_mut().zip(rest) {
            *lane = join(*lane, x);
        }
    }
}

impl<E: Float> Place<E> for [E; ROWS] {
    #[inline(always)]
    fn of(x: E) -> Self {
        [x; ROWS]
    }

    #[inline(always)]
    fn map(self, f: impl Fn(E) -> E) -> Self {
        let mut place = self;
        place.iter_mut().for_each(|x| *x = f(*x));
        place
    }

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(E, E) -> E) -> Self {
        let mut place = self;
        place.iter_mut().zip(other).for_each(|(x, other)| *x = f(*x, other));
        place
    }

    #[inline(always)]
    fn join_lanes(lanes: &mut [Self; LANES], row: &[Self], join: impl Fn(Self, Self) -> Self) {
        for (index, lane) in lanes.iter_mut().enumerate().take(row.len()) {
            let mut sum = *lane;
            for &x in row[index..].iter().step_by(LANES) {
                sum = join(sum, x);
            }
            *lane = sum;
        }
    }
}

/// What is done to a row, in place, with the row of the same number of another array.
///
/// `apply` is `#[inline(always)]`, as what it calls.
pub trait RowFunction<E>: Sync {
    /// Overwrites `own`.
    fn apply<P: Place<E>>(&self, own: &mut [P], other: &[P]);
}

/// Applies a function to all rows of `own`, which has `own_len` elements a row, and of `other`, which has `other_len`.
pub fn each_row<E, F>(f: &F, own: &mut [E], own_len: usize, other: &[E], other_len: usize)
where
    E: Float,
    F: RowFunction<E>,
{
    if own.is_empty() {
        return;
    }
    let rows = own.len() / own_len;
    assert!(own.len() == rows * own_len && other.len() == rows * other_len, "rows of two arrays");
    let len = own_len.max(other_len);
    // An exponential is worth about eight additions.
    let fit = (CHUNK / 8 / len).max(1);
    let together = if len <= SHORT { fit.next_multiple_of(ROWS) } else { fit };
    parallel_chunks(own, together * own_len, |chunk, own| {
        let other = &other[chunk * together * other_len..][..own.len() / own_len * other_len];
        vectorized(Rows { f, own, own_len, other, other_len });
    });
}

/// The rows that one thread works on.
struct Rows<'a, E, F> {
    f: &'a F,
    own: &'a mut [E],
    own_len: usize,
    other: &'a [E],
    other_len: usize,
}

impl<E: Float, F: RowFunction<E>> NullaryFnOnce for Rows<'_, E, F> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let rows = self.own.len() / self.own_len;
        let many = match rows % ROWS {
            _ if self.own_len.max(self.other_len) > SHORT => 0,
            few @ ..FEW => rows - few,
            _ => rows,
        };
        let (many, few) = self.split_at(many);
        many.side_by_side();
        few.one_by_one();
    }
}

impl<'a, E: Float, F: RowFunction<E>> Rows<'a, E, F> {
    /// The first `rows`, and the others.
    #[inline(always)]
    fn split_at(self, rows: usize) -> (Rows<'a, E, F>, Rows<'a, E, F>) {
        let (own, others_own) = self.own.split_at_mut(rows * self.own_len);
        let (other, others_other) = self.other.split_at(rows * self.other_len);
        (Rows { own, other, ..self }, Rows { own: others_own, other: others_other, ..self })
    }

    #[inline(always)]
    fn one_by_one(self) {
        let Rows { f, own, own_len, other, other_len } = self;
        for (index, own) in own.chunks_exact_mut(own_len).enumerate() {
            f.apply(own, &other[index * other_len..][..other_len]);
        }
    }

    #[inline(always)]
    fn side_by_side(self) {
        let Rows { f, own, own_len, other, other_len } = self;
        if own.is_empty() {
            return;
        }
        let mut own_places = [[E::ZERO; ROWS]; SHORT];
        let mut other_places = [[E::ZERO; ROWS]; SHORT];
        let (own_places, other_places) = (&mut own_places[..own_len], &mut other_places[..other_len]);
        for (index, own) in own.chunks_mut(ROWS * own_len).enumerate() {
            let rows = own.len() / own_len;
            let other = &other[index * ROWS * other_len..];
            transpose(other, other_len, [rows, other_len], other_places.as_flattened_mut(), ROWS);
            transpose(own, own_len, [rows, own_len], own_places.as_flattened_mut(), ROWS);
            f.apply(own_places, other_places);
            transpose(own_places.as_flattened(), ROWS, [own_len, rows], own, own_len);
        }
    }
}

/// The largest element; NaN if there is one, minus infinity if there is no element.
#[inline(always)]
fn max<E: Float, P: Place<E>>(row: &[P]) -> P {
    fold(row, E::NEG_INFINITY, |a, b| if a > b || a.is_nan() { a } else { b }, |x| x)
}

/// The sum of `f` of every place.
#[inline(always)]
fn sum<E: Float, P: Place<E>>(row: &[P], f: impl Fn(P) -> P) -> P {
    fold(row, E::ZERO, |a, b| a + b, f)
}

/// `f` of every place of a row, joined to `start`: in an order that depends on the length of the row alone.
#[inline(always)]
fn fold<E: Float, P: Place<E>>(row: &[P], start: E, join: impl Fn(E, E) -> E, f: impl Fn(P) -> P) -> P {
    let mut lanes = [P::of(start); LANES];
    P::join_lanes(&mut lanes, row, |lane, x| lane.zip(f(x), &join));
    let [a, b, c, d, e, f, g, h] = lanes;
    let join = |a: P, b: P| a.zip(b, &join);
    join(join(join(a, e), join(c, g)), join(join(b, f), join(d, h)))
}

/// `own = exp(own - max) / sum(exp(own - max))`
pub struct Softmax;

impl<E: Float> RowFunction<E> for Softmax {
    #[inline(always)]
    fn apply<P: Place<E>>(&self, own: &mut [P], _: &[P]) {
        let max = max(own);
        for x in own.iter_mut() {
            *x = x.zip(max, |x, max| (x - max).exp());
        }
        let total = sum(own, |x| x);
        for x in own {
            *x = x.zip(total, |x, total| x / total);
        }
    }
}

/// From the cotangent of softmax in `own` and its output in `other`, the cotangent of its input.
pub struct SoftmaxPullback;

impl<E: Float> RowFunction<E> for SoftmaxPullback {
    #[inline(always)]
    fn apply<P: Place<E>>(&self, own: &mut [P], other: &[P]) {
        for (dy, &y) in own.iter_mut().zip(other) {
            *dy = dy.zip(y, |dy, y| dy * y);
        }
        let total = sum(own, |x| x);
        for (dx, &y) in own.iter_mut().zip(other) {
            *dx = dx.zip(y.zip(total, |y, total| y * total), |dx, mean| dx - mean);
        }
    }
}

/// `own = own - max - ln(sum(exp(own - max)))`
pub struct LogSoftmax;

impl<E: Float> RowFunction<E> for LogSoftmax {
    #[inline(always)]
    fn apply<P: Place<E>>(&self, own: &mut [P], _: &[P]) {
        let max = max(own);
        for x in own.iter_mut() {
            *x = x.zip(max, |x, max| x - max);
        }
        let total = sum(own, |x| x.map(E::exp)).map(E::ln);
        for x in own {
            *x = x.zip(total, |x, total| x - total);
        }
    }
}

/// From the cotangent of log-softmax in `own` and its output in `other`, the cotangent of its input.
pub struct LogSoftmaxPullback;

impl<E: Float> RowFunction<E> for LogSoftmaxPullback {
    #[inline(always)]
    fn apply<P: Place<E>>(&self, own: &mut [P], other: &[P]) {
        let total = sum(own, |x| x);
        for (dy, &y) in own.iter_mut().zip(other) {
            *dy = dy.zip(y.zip(total, |y, total| y.exp() * total), |dy, share| dy - share);
        }
    }
}

/// `own[0] = ln(sum(exp(other)))`, also where it is infinite.
pub struct LogSumExp;

impl<E: Float> RowFunction<E> for LogSumExp {
    #[inline(always)]
    fn apply<P: Place<E>>(&self, own: &mut [P], other: &[P]) {
        let shift = max(other).map(|max| if max.is_finite() { max } else { E::ZERO });
        let total = sum(other, |x| x.zip(shift, |x, shift| (x - shift).exp()));
        own[0] = total.map(E::ln).zip(shift, |x, shift| x + shift);
    }
}

/// From the input of logsumexp in `own` and the cotangent of its output in `other[0]`, the cotangent of its input.
pub struct LogSumExpPullback;

impl<E: Float> RowFunction<E> for LogSumExpPullback {
    #[inline(always)]
    fn apply<P: Place<E>>(&self, own: &mut [P], other: &[P]) {
        Softmax.apply(own, &[]);
        for x in own {
            *x = x.zip(other[0], |x, cotangent| x * cotangent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::threads::set_threads;
    use super::*;
    use proptest::prelude::*;

    /// Numbers of a moderate size, as logits are.
    fn numbers(len: usize, seed: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 37 + seed) % 101) as f64 / 13.0 - 4.0).collect()
    }

    fn softmax(x: &[f64]) -> Vec<f64> {
        let total: f64 = x.iter().map(|x| x.exp()).sum();
        x.iter().map(|x| x.exp() / total).collect()
    }

    /// Every row by itself, in `f64`, in the simplest way.
    fn check<F: RowFunction<f32> + RowFunction<f64>>(
        f: &F,
        rows: usize,
        [own_len, other_len]: [usize; 2],
        naive: impl Fn(&[f64], &[f64]) -> Vec<f64>,
    ) {
        let (own, other) = (numbers(rows * own_len, 1), numbers(rows * other_len, 2));
        let expected: Vec<f64> = (0..rows)
            .flat_map(|row| naive(&own[row * own_len..][..own_len], &other[row * other_len..][..other_len]))
            .collect();
        let mut found = own.clone();
        each_row(f, &mut found, own_len, &other, other_len);
        close(&found, &expected, 1e-13);
        let [mut found, other] = [own, other].map(|x| x.iter().map(|&x| x as f32).collect::<Vec<_>>());
        each_row(f, &mut found, own_len, &other, other_len);
        close(&found.into_iter().map(f64::from).collect::<Vec<_>>(), &expected, 1e-5);
    }

    fn close(found: &[f64], expected: &[f64], bound: f64) {
        assert_eq!(found.len(), expected.len());
        for (&found, &expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= bound * expected.abs().max(8.0), "{found} for {expected}");
        }
    }

    proptest! {
        #[test]
        fn rows_are_as_each_by_itself(
            rows in 0_usize..40,
            len in prop_oneof![1_usize..12, SHORT - 1..SHORT + 10, Just(100)],
        ) {
            let both = |f: fn(f64, f64) -> f64| {
                move |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect::<Vec<_>>()
            };
            let sum = |x: &[f64]| x.iter().sum::<f64>();
            check(&Softmax, rows, [len, 0], |x, _| softmax(x));
            check(&SoftmaxPullback, rows, [len, len], |dy, y| {
                let total = sum(&both(|dy, y| dy * y)(dy, y));
                dy.iter().zip(y).map(|(dy, y)| y * (dy - total)).collect()
            });
            check(&LogSoftmax, rows, [len, 0], |x, _| softmax(x).iter().map(|y| y.ln()).collect());
            check(&LogSoftmaxPullback, rows, [len, len], |dy, y| {
                let total = sum(dy);
                dy.iter().zip(y).map(|(dy, y)| dy - y.exp() * total).collect()
            });
            check(&LogSumExp, rows, [1, len], |_, x| vec![sum(&x.iter().map(|x| x.exp()).collect::<Vec<_>>()).ln()]);
            check(&LogSumExpPullback, rows, [len, 1], |x, dy| softmax(x).iter().map(|y| y * dy[0]).collect());
        }
    }

    #[test]
    fn a_row_has_the_same_bits_wherever_it_stands() {
        for len in [1, 3, 10, SHORT, SHORT + 1] {
            let rows = 5 * CHUNK / 8 / len + 7;
            let x: Vec<f32> = numbers(rows * len, 3).into_iter().map(|x| x as f32).collect();
            let mut alone = x.clone();
            alone.chunks_exact_mut(len).for_each(|row| each_row(&Softmax, row, len, &[], 0));
            for threads in [1, 2] {
                set_threads(threads);
                let mut together = x.clone();
                each_row(&Softmax, &mut together, len, &[], 0);
                assert!(alone.iter().zip(&together).all(|(a, b)| a.to_bits() == b.to_bits()), "{len}");
            }
        }
    }

    #[test]
    fn nan_and_infinities_stay_in_their_rows() {
        for len in [2, SHORT + 1] {
            let mut x = vec![0.0_f32; 4 * len];
            (x[0], x[len + 1], x[2 * len]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
            each_row(&Softmax, &mut x, len, &[], 0);
            let (first, last) = (&x[..2 * len], &x[2 * len..]);
            assert!(first[..len].iter().all(|y| y.is_nan()) && first[len + 1].is_nan());
            assert_eq!((last[0], last[1]), (0.0, 1.0 / (len - 1) as f32));
            assert!(last[len..].iter().all(|&y| y == 1.0 / len as f32));
        }
    }
}
