//! Groups of elements less their mean, divided by their standard deviation, times a scale, plus a bias: what the layers
//! [`LayerNorm`](crate::nn::LayerNorm), [`RMSNorm`](crate::nn::RMSNorm), [`GroupNorm`](crate::nn::GroupNorm) and
//! [`InstanceNorm`](crate::nn::InstanceNorm) compute.
//!
//! ```text
//! y = (x - mean) / sqrt(variance + epsilon) · scale + bias
//! ```
//!
//! With `n` the normalised input, `d` the root, and `g` the cotangent of `y`, where means are those of the group,
//!
//! ```text
//! dx = (g·scale - mean(g·scale) - n·mean(g·scale·n)) / d        dscale = Σ g·n        dbias = Σ g
//! ```

use super::PerFeature;
use super::reduction::sum_along;
use crate::backend::normalize::{NormGeometry, Pullback, normalize, normalize_pullback};
use crate::backend::reduce::Axis;
use crate::op::{self, Differentiable, Need};
use crate::shape::{Dyn, Shape, StaticShape};
use crate::tensor::{Float, Tensor};
use std::marker::PhantomData;

pub use crate::backend::normalize::Moments;

/// A normalisation whose scale and bias have the shape `F`, which is that of the last axes of the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Op<F> {
    moments: Moments,
    groups: Option<usize>,
    features: PhantomData<F>,
}

impl<F: StaticShape> Op<F> {
    /// Every row of the last axes `F` is a group.
    pub const fn rows(moments: Moments) -> Self {
        Op { moments, groups: None, features: PhantomData }
    }

    /// The features of all positions of a sample are so many groups. The first axis is that of the samples, the last ones are `F`.
    pub const fn groups(moments: Moments, groups: usize) -> Self {
        Op { moments, groups: Some(groups), features: PhantomData }
    }

    fn geometry(&self, shape: impl Shape) -> NormGeometry {
        let (sizes, features) = (shape.sizes(), F::default().elements());
        let front = &sizes.as_ref()[..sizes.as_ref().len() - F::RANK];
        match self.groups {
            None => NormGeometry { batch: front.iter().product(), positions: 1, groups: 1, width: features },
            Some(groups) => NormGeometry {
                batch: front[0],
                positions: front[1..].iter().product(),
                groups,
                width: features / groups,
            },
        }
    }

    /// The output, and the mean and the reciprocal standard deviation of each group.
    fn run<S: Shape, E: Float>(
        &self,
        x: &Tensor<S, E>,
        scale: &impl PerFeature<F, E>,
        bias: &impl PerFeature<F, E>,
    ) -> (Tensor<S, E>, Tensor<(Dyn,), E>) {
        let geometry = self.geometry(x.shape());
        let (ones, zeros) = (numbers(scale, E::ONE), numbers(bias, E::ZERO));
        let features =
            [scale.numbers().unwrap_or(ones.as_slice()), bias.numbers().unwrap_or(zeros.as_slice())];
        let mut statistics = Tensor::zeros((Dyn(geometry.statistics_len()),));
        let y = Tensor::written(x.shape(), |y| {
            normalize(&geometry, &self.moments, x.as_slice(), features, y, statistics.as_mut_slice());
        });
        (y, statistics)
    }
}

/// As many equal numbers as there are features, if there are none yet.
fn numbers<F: StaticShape, E: Float>(given: &impl PerFeature<F, E>, value: E) -> Tensor<(Dyn,), E> {
    let missing = if given.numbers().is_some() { 0 } else { F::default().elements() };
    Tensor::full((Dyn(missing),), value)
}

/// What the derivative reads.
pub struct Residuals<S: Shape, E: Float, A> {
    x: Tensor<S, E>,
    scale: A,
    statistics: Tensor<(Dyn,), E>,
}

impl<F, S, E, A, B> op::Op<(Tensor<S, E>, A, B)> for Op<F>
where
    F: StaticShape,
    S: Shape,
    E: Float,
    A: PerFeature<F, E>,
    B: PerFeature<F, E>,
{
    type Out = Tensor<S, E>;

    fn infer(&self, (x, scale, bias): (Tensor<S, E>, A, B)) -> Tensor<S, E> {
        self.run(&x, &scale, &bias).0
    }
}

impl<F, S, E, A, B, NX, NA, NB> Differentiable<(Tensor<S, E>, A, B), (NX, NA, NB)> for Op<F>
where
    F: StaticShape,
    S: Shape,
    E: Float,
    A: PerFeature<F, E>,
    B: PerFeature<F, E>,
    NX: Need,
    NA: Need,
    NB: Need,
{
    type Residuals = Residuals<S, E, A>;

    fn forward(&self, (x, scale, bias): (Tensor<S, E>, A, B)) -> (Tensor<S, E>, Residuals<S, E, A>) {
        let (y, statistics) = self.run(&x, &scale, &bias);
        (y, Residuals { x, scale, statistics })
    }

    fn backward(
        &self,
        Residuals { x, scale, statistics }: Residuals<S, E, A>,
        cotangent: Tensor<S, E>,
    ) -> (NX::Of<Tensor<S, E>>, NA::Of<A>, NB::Of<B>) {
        let geometry = self.geometry(x.shape());
        let ones = numbers(&scale, E::ONE);
        let pullback = Pullback {
            x: x.as_slice(),
            statistics: statistics.as_slice(),
            scale: scale.numbers().unwrap_or(ones.as_slice()),
            dy: cotangent.as_slice(),
        };
        let (parts, inner) = (geometry.parts(), geometry.sums_len());
        let mut sums = Tensor::<_, E>::zeros((Dyn(parts * inner),));
        let mut pull = |dx: &mut [E]| {
            normalize_pullback(&geometry, self.moments.use_mean, pullback, dx, sums.as_mut_slice());
        };
        let dx = NX::when(|| Tensor::written(x.shape(), &mut pull));
        if !NX::NEEDED {
            pull(&mut []);
        }
        let sums: Tensor<(Dyn,), E> =
            sum_along(sums.as_slice(), Axis { outer: 1, len: parts, inner }, (Dyn(inner),));
        let (of_scale, rest) = sums.as_slice().split_at(geometry.features());
        (dx, NA::when(|| taken(of_scale)), NB::when(|| taken(&rest[..geometry.features()])))
    }
}

/// The cotangent of what there is for each feature.
fn taken<F: StaticShape, E: Float, A: PerFeature<F, E>>(sums: &[E]) -> A {
    A::written(F::default(), |numbers| {
        if let Some(numbers) = numbers {
            numbers.copy_from_slice(sums);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{gradient3, random};
    use crate::prelude::*;

    const MOMENTS: Moments = Moments { use_mean: true, use_fast_variance: true, epsilon: 1e-5 };

    #[test]
    fn values() {
        let x = Tensor::<(U2, U2)>::of(&[1.0, 3.0, -4.0, -4.0]).unwrap();
        let bias = Tensor::<(U2,)>::of(&[10.0, 20.0]).unwrap();
        let y = op::Op::infer(
            &Op::<(U2,)>::rows(Moments { epsilon: 0.0, ..MOMENTS }),
            (x.clone(), (), bias.clone()),
        );
        assert_eq!(y.as_slice()[..2], [9.0, 21.0]);
        let scale = Tensor::<(U2,)>::of(&[1.0, 2.0]).unwrap();
        let y = op::Op::infer(&Op::<(U2,)>::rows(MOMENTS), (x, scale, bias));
        assert_eq!(y.as_slice()[2..], [10.0, 20.0]);
    }

    #[test]
    fn gradients_of_rows() {
        for use_mean in [true, false] {
            for use_fast_variance in [true, false] {
                let op = Op::rows(Moments { use_mean, use_fast_variance, epsilon: 0.1 });
                let features = || random((U7::default(),), 2);
                gradient3(&op, random((Dyn(3), Dyn(2), U7::default()), 1), features(), features());
            }
        }
        let op = Op::rows(MOMENTS);
        let features = || random((U5::default(), U7::default()), 2);
        gradient3(&op, random((Dyn(3), U5::default(), U7::default()), 1), features(), features());
        let features = || random((U3::default(),), 2);
        gradient3(&Op::rows(MOMENTS), random((Dyn(0), U3::default()), 1), features(), features());
    }

    #[test]
    fn gradients_of_groups() {
        let features = || random((U6::default(),), 2);
        for groups in [1, 2, 6] {
            for use_fast_variance in [true, false] {
                let op = Op::groups(Moments { use_fast_variance, ..MOMENTS }, groups);
                gradient3(
                    &op,
                    random((Dyn(2), Dyn(3), U2::default(), U6::default()), 1),
                    features(),
                    features(),
                );
            }
        }
        gradient3(&Op::groups(MOMENTS, 2), random((Dyn(2), U6::default()), 1), features(), features());
    }
}
