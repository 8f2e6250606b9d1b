//! Tangents: what dual numbers compute, against the backward pass and against differences.

use super::random;
use crate::op::{Differentiable, Needs, Op};
use crate::shape::Shape;
use crate::tensor::{Dual, Tensor};

const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-7;
/// For what is equal but for rounding.
const ROUNDING: f64 = 1e-11;

/// The inputs of an op, or its output: a tensor or a tuple of them.
pub trait Direction: Clone {
    /// The same with tangents.
    type Lifted: Clone;

    /// Random tangents.
    fn tangents(&self, seed: u64) -> Self;
    /// These values with tangents.
    fn lifted(&self, tangents: &Self) -> Self::Lifted;
    /// The values and the tangents.
    fn parts(lifted: Self::Lifted) -> (Self, Self);
    /// These values, moved along the tangents.
    fn moved(&self, tangents: &Self, step: f64) -> Self;
    /// The inner product.
    fn dot(&self, other: &Self) -> f64;
    /// Checks that these are the other values, but for this error.
    fn check(&self, expected: &Self, tolerance: f64, what: &str);
}

impl<S: Shape> Direction for Tensor<S, f64> {
    type Lifted = Tensor<S, Dual<f64>>;

    fn tangents(&self, seed: u64) -> Self {
        random(self.shape(), seed)
    }

    fn lifted(&self, tangents: &Self) -> Self::Lifted {
        let (values, tangents) = (self.as_slice(), tangents.as_slice());
        Tensor::from_fn(self.shape(), |i| Dual { value: values[i], tangent: tangents[i] })
    }

    fn parts(lifted: Self::Lifted) -> (Self, Self) {
        let part = |of: fn(&Dual<f64>) -> f64| Tensor::from_fn(lifted.shape(), |i| of(&lifted.as_slice()[i]));
        (part(|x| x.value), part(|x| x.tangent))
    }

    fn moved(&self, tangents: &Self, step: f64) -> Self {
        let (values, tangents) = (self.as_slice(), tangents.as_slice());
        Tensor::from_fn(self.shape(), |i| values[i] + step * tangents[i])
    }

    fn dot(&self, other: &Self) -> f64 {
        self.as_slice().iter().zip(other.as_slice()).map(|(a, b)| a * b).sum()
    }

    #[track_caller]
    fn check(&self, expected: &Self, tolerance: f64, what: &str) {
        assert_eq!(self.sizes().as_ref(), expected.sizes().as_ref(), "sizes of {what}");
        for (index, (&found, &expected)) in self.as_slice().iter().zip(expected.as_slice()).enumerate() {
            assert!(
                (found - expected).abs() <= tolerance * (1.0 + expected.abs()),
                "element {index} of {what}: {found} instead of {expected}"
            );
        }
    }
}

macro_rules! tuples {
    ($($($part:ident $index:tt)+;)+) => {$(
        impl<$($part: Direction),+> Direction for ($($part,)+) {
            type Lifted = ($($part::Lifted,)+);

            fn tangents(&self, seed: u64) -> Self {
                ($(self.$index.tangents(seed + $index),)+)
            }
            fn lifted(&self, tangents: &Self) -> Self::Lifted {
                ($(self.$index.lifted(&tangents.$index),)+)
            }
            fn parts(lifted: Self::Lifted) -> (Self, Self) {
                let parts = ($($part::parts(lifted.$index),)+);
                (($(parts.$index.0.clone(),)+), ($(parts.$index.1.clone(),)+))
            }
            fn moved(&self, tangents: &Self, step: f64) -> Self {
                ($(self.$index.moved(&tangents.$index, step),)+)
            }
            fn dot(&self, other: &Self) -> f64 {
                0.0 $(+ self.$index.dot(&other.$index))+
            }
            #[track_caller]
            fn check(&self, expected: &Self, tolerance: f64, what: &str) {
                $(self.$index.check(&expected.$index, tolerance, what);)+
            }
        }
    )+};
}
tuples! {
    A 0 B 1;
    A 0 B 1 C 2;
}

/// Checks an op on dual numbers at `input`: the tangent of its output is the transpose of its pullback, and the tangents of
/// the cotangents that it pulls back are their differences.
#[track_caller]
pub fn tangents<In, N, T, F>(op: &F, input: &In, cotangent: &Tensor<T, f64>)
where
    In: Direction,
    N: Needs<In, Cotangents = In> + Needs<In::Lifted, Cotangents = In::Lifted>,
    T: Shape,
    F: Differentiable<In, N>
        + Op<In, Out = Tensor<T, f64>>
        + Differentiable<In::Lifted, N>
        + Op<In::Lifted, Out = Tensor<T, Dual<f64>>>,
{
    let pull = |input: In| -> In {
        let (_, residuals) = Differentiable::<In, N>::forward(op, input);
        Differentiable::<In, N>::backward(op, residuals, cotangent.clone())
    };
    let direction = input.tangents(99);
    let cotangents = pull(input.clone());
    let (value, tangent) = Tensor::parts(Op::infer(op, input.lifted(&direction)));
    value.check(&Op::infer(op, input.clone()), ROUNDING, "the value of dual numbers");
    let (pushed, pulled) = (tangent.dot(cotangent), cotangents.dot(&direction));
    let size = (tangent.dot(&tangent) * cotangent.dot(cotangent)).sqrt();
    assert!(
        (pushed - pulled).abs() <= ROUNDING * (1.0 + size),
        "pushed forward along a direction {pushed}, pulled back {pulled}"
    );

    let (value, residuals) = Differentiable::<In::Lifted, N>::forward(op, input.lifted(&direction));
    Tensor::parts(value).1.check(&tangent, ROUNDING, "the tangent that `forward` gives");
    let constant = cotangent.moved(cotangent, -1.0);
    let pulled = Differentiable::<In::Lifted, N>::backward(op, residuals, cotangent.lifted(&constant));
    let (values, tangents) = In::parts(pulled);
    values.check(&cotangents, ROUNDING, "the cotangents of dual numbers");
    let (ahead, behind) = (pull(input.moved(&direction, STEP)), pull(input.moved(&direction, -STEP)));
    let difference = ahead.moved(&behind, -1.0);
    let zero = difference.moved(&difference, -1.0);
    let expected = zero.moved(&difference, 0.5 / STEP);
    tangents.check(&expected, TOLERANCE, "the tangents of the cotangents");
}
