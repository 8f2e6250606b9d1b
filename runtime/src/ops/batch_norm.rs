//! What batch normalisation is made of: the moments of each feature over all rows of `[.., F]`, `y = (x - mean) / sqrt(var + ε) ·
//! scale + bias`, and the way back. Each is one pass over the elements, or two.

use super::PerFeature;
use crate::backend::columns;
use crate::op::Need;
use crate::shape::{Dim, Dyn, SplitLast};
use crate::tensor::{Float, Tensor};

/// The mean and the variance of each feature.
#[derive(Clone, Debug)]
pub(crate) struct Moments<F: Dim, E: Float> {
    pub mean: Tensor<(F,), E>,
    pub var: Tensor<(F,), E>,
}

impl<F: Dim, E: Float> Moments<F, E> {
    /// The moments of the features of `x`. The fast variance is `max(mean(x²) - mean(x)², 0)`, in one pass; the other is
    /// `mean((x - mean(x))²)`.
    pub fn of<X: SplitLast<Last = F>>(x: &Tensor<X, E>, fast: bool) -> Self {
        let features = x.shape().last();
        let (elements, count) = (x.as_slice(), features.size());
        let rows = E::from_f64((elements.len() / count.max(1)) as f64);
        let nothing = Tensor::<(F,), E>::zeros((features,));
        let sums = sums(&columns::Powers, elements, elements, nothing.as_slice());
        let (first, second) = sums.as_slice().split_at(count);
        let mean = Tensor::written((features,), |mean| {
            mean.iter_mut().zip(first).for_each(|(mean, &sum)| *mean = sum / rows);
        });
        let var = |squares: &[E], of: &dyn Fn(E, E) -> E| {
            Tensor::written((features,), |var| {
                let terms = squares.iter().zip(mean.as_slice());
                var.iter_mut().zip(terms).for_each(|(var, (&sum, &mean))| *var = of(sum / rows, mean));
            })
        };
        let var = match fast {
            true => var(second, &|square, mean| {
                let var = square - mean * mean;
                if var < E::ZERO { E::ZERO } else { var }
            }),
            false => {
                let sums = self::sums(&columns::Deviations, elements, elements, mean.as_slice());
                var(&sums.as_slice()[count..], &|square, _| square)
            }
        };
        Moments { mean, var }
    }
}

/// The sums of two terms over all rows: `[2, F]`.
fn sums<E: Float>(terms: &impl columns::Terms<E>, a: &[E], b: &[E], column: &[E]) -> Tensor<(Dyn,), E> {
    let count = column.len();
    let blocks = columns::blocks(a.len() / count.max(1), count);
    let of_blocks = Tensor::<_, E>::written((Dyn(2 * count * blocks),), |out| {
        columns::sums(terms, a, b, column, out);
    });
    if blocks == 1 {
        return of_blocks;
    }
    Tensor::written((Dyn(2 * count),), |out| columns::total(of_blocks.as_slice(), out))
}

/// `(x - mean) / sqrt(var + ε) · scale + bias`. An `x` that nobody else holds is overwritten.
pub(crate) fn normalize<X, E>(
    mut x: Tensor<X, E>,
    moments: &Moments<X::Last, E>,
    epsilon: E,
    scale: &impl PerFeature<(X::Last,), E>,
    bias: &impl PerFeature<(X::Last,), E>,
) -> Tensor<X, E>
where
    X: SplitLast,
    E: Float,
{
    let bias = bias.numbers();
    let numbers =
        moments.numbers(epsilon, scale, |feature, _| (bias.map_or(E::ZERO, |bias| bias[feature]), E::ZERO));
    if let Some(elements) = x.get_mut() {
        columns::normalize_in_place(elements, numbers.as_slice());
        return x;
    }
    Tensor::written(x.shape(), |y| columns::normalize(x.as_slice(), numbers.as_slice(), y))
}

/// What the way back reads.
pub(crate) struct Residuals<X: SplitLast, E: Float> {
    /// The input.
    pub x: Tensor<X, E>,
    /// The moments that it was normalised with.
    pub moments: Moments<X::Last, E>,
    /// Whether they are its own, so that they depend on it.
    pub own: bool,
}

/// From the cotangent of [`normalize`]'s output, those of the scale and the bias, and if it is needed that of `x`.
///
/// With `N` rows, `x̂ = (x - mean) / sqrt(var + ε)` and `m = scale / sqrt(var + ε)`
///
/// ```text
/// dbias = sum(dy)        dscale = sum(dy x̂)
/// dx = m (dy - dbias / N - x̂ dscale / N)    or m dy, where the moments do not depend on x
/// ```
pub(crate) fn normalize_pullback<X, E, N, S, B>(
    Residuals { x, moments, own }: Residuals<X, E>,
    epsilon: E,
    scale: &S,
    mut cotangent: Tensor<X, E>,
) -> (N::Of<Tensor<X, E>>, S, B)
where
    X: SplitLast,
    E: Float,
    N: Need,
    S: PerFeature<(X::Last,), E>,
    B: PerFeature<(X::Last,), E>,
{
    let features = x.shape().last();
    let count = features.size();
    let rows = E::from_f64((x.as_slice().len() / count.max(1)) as f64);
    let mean = moments.mean.as_slice();
    let sums = sums(&columns::Correlations, cotangent.as_slice(), x.as_slice(), mean);
    let (of_cotangents, of_products) = sums.as_slice().split_at(count);
    let inverse = |feature: usize| E::ONE / (moments.var.as_slice()[feature] + epsilon).sqrt();
    let dscale = S::written((features,), |dscale| {
        let places = dscale.into_iter().flatten().zip(of_products).enumerate();
        places.for_each(|(feature, (place, &sum))| *place = sum * inverse(feature));
    });
    let dbias = B::written((features,), |dbias| {
        dbias.into_iter().for_each(|dbias| dbias.copy_from_slice(of_cotangents));
    });
    let dx = N::when(|| {
        let numbers = moments.numbers(epsilon, scale, |feature, inverse| match own {
            true => (of_cotangents[feature] / rows, of_products[feature] * inverse * inverse / rows),
            false => (E::ZERO, E::ZERO),
        });
        columns::normalize_pullback(cotangent.as_mut_slice(), x.as_slice(), numbers.as_slice());
        cotangent
    });
    (dx, dscale, dbias)
}

impl<F: Dim, E: Float> Moments<F, E> {
    /// For each feature its mean, `scale / sqrt(var + ε)`, and two numbers that are made of its index and
    /// `1 / sqrt(var + ε)`: `[4, F]`.
    fn numbers(
        &self,
        epsilon: E,
        scale: &impl PerFeature<(F,), E>,
        others: impl Fn(usize, E) -> (E, E),
    ) -> Tensor<(Dyn,), E> {
        let (mean, scale) = (self.mean.as_slice(), scale.numbers());
        let count = mean.len();
        Tensor::written((Dyn(4 * count),), |numbers| {
            for (feature, &var) in self.var.as_slice().iter().enumerate() {
                let inverse = E::ONE / (var + epsilon).sqrt();
                let (a, b) = others(feature, inverse);
                let mul = scale.map_or(inverse, |scale| inverse * scale[feature]);
                for (index, number) in [mean[feature], mul, a, b].into_iter().enumerate() {
                    numbers[index * count + feature] = number;
                }
            }
        })
    }
}
