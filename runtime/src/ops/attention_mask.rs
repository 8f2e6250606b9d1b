//! What attention scores may be changed by before their softmax: a bias that is added, a mask that says which keys count.

use super::broadcast::{broadcast, sum_to};
use crate::backend::map;
use crate::ops::add;
use crate::shape::Shape;
use crate::shape::broadcast::{Along, Broadcast, Plan};
use crate::tensor::{Float, Tensor};

/// A bias of attention scores of shape `W`: a tensor that broadcasts to it, or `()` for none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a bias of attention scores of shape `{W}`",
    label = "a bias broadcasts to [.., heads, queries, keys]"
)]
pub trait AttentionBias<W: Shape, E: Float>: Clone {
    /// Adds it.
    fn add_to(&self, scores: Tensor<W, E>) -> Tensor<W, E>;

    /// Its cotangent, from that of the scores.
    fn cotangent(&self, scores: &Tensor<W, E>) -> Self;
}

impl<W: Shape, E: Float> AttentionBias<W, E> for () {
    fn add_to(&self, scores: Tensor<W, E>) -> Tensor<W, E> {
        scores
    }

    fn cotangent(&self, _: &Tensor<W, E>) {}
}

impl<S: Shape, W: Broadcast<S, Out = W>, E: Float> AttentionBias<W, E> for Tensor<S, E> {
    fn add_to(&self, scores: Tensor<W, E>) -> Tensor<W, E> {
        broadcast(&add::Op, scores, self.clone())
    }

    fn cotangent(&self, scores: &Tensor<W, E>) -> Self {
        sum_to(scores.clone(), self.shape())
    }
}

/// Which keys count for which queries, in attention of weights of shape `W`: a tensor of `bool` that broadcasts to it, or `()`
/// where all do.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a mask of attention scores of shape `{W}`",
    label = "a mask is a tensor of bool that broadcasts to [.., heads, queries, keys]"
)]
pub trait AttentionMask<W: Shape>: Clone {
    /// Writes `value` where the mask is false.
    fn fill<E: Float>(&self, scores: &mut Tensor<W, E>, value: E);
}

impl<W: Shape> AttentionMask<W> for () {
    fn fill<E: Float>(&self, _: &mut Tensor<W, E>, _: E) {}
}

impl<S: Shape, W: Broadcast<S, Out = W>> AttentionMask<W> for Tensor<S, bool> {
    fn fill<E: Float>(&self, scores: &mut Tensor<W, E>, value: E) {
        let (sizes, mask) = (scores.sizes(), self.as_slice());
        let plan = Plan::new(sizes.as_ref(), self.sizes().as_ref());
        let (len, along) = plan.row();
        map::rows(scores.as_mut_slice(), len, |row, scores| {
            let from = plan.offsets(row).1;
            if along == Along::Both {
                let masked = scores.iter_mut().zip(&mask[from..]);
                masked.for_each(|(score, &counts)| *score = if counts { *score } else { value });
            } else if !mask[from] {
                scores.fill(value);
            }
        });
    }
}

/// An op whose last inputs are a bias and a mask, without the bias, and without both.
macro_rules! shorter {
    ($($input:ident: $need:ident),+) => {
        impl<$($input: Shape,)+ E: Float> op::Op<($(Tensor<$input, E>,)+)> for Op
        where
            Op: op::Op<($(Tensor<$input, E>,)+ (), ())>,
        {
            type Out = <Op as op::Op<($(Tensor<$input, E>,)+ (), ())>>::Out;

            #[allow(non_snake_case)]
            fn infer(&self, ($($input,)+): ($(Tensor<$input, E>,)+)) -> Self::Out {
                op::Op::infer(self, ($($input,)+ (), ()))
            }
        }

        impl<$($input: Shape,)+ M: Shape, E: Float> op::Op<($(Tensor<$input, E>,)+ Tensor<M, bool>)> for Op
        where
            Op: op::Op<($(Tensor<$input, E>,)+ (), Tensor<M, bool>)>,
        {
            type Out = <Op as op::Op<($(Tensor<$input, E>,)+ (), Tensor<M, bool>)>>::Out;

            #[allow(non_snake_case)]
            fn infer(&self, ($($input,)+ mask): ($(Tensor<$input, E>,)+ Tensor<M, bool>)) -> Self::Out {
                op::Op::infer(self, ($($input,)+ (), mask))
            }
        }

        impl<$($input: Shape, $need: Need,)+ E: Float>
            Differentiable<($(Tensor<$input, E>,)+), ($($need,)+)> for Op
        where
            Op: Differentiable<($(Tensor<$input, E>,)+ (), ()), ($($need,)+ No, No)>,
        {
            type Residuals = <Op as Differentiable<
                ($(Tensor<$input, E>,)+ (), ()),
                ($($need,)+ No, No),
            >>::Residuals;

            #[allow(non_snake_case)]
            fn forward(&self, ($($input,)+): ($(Tensor<$input, E>,)+)) -> (Self::Out, Self::Residuals) {
                Differentiable::forward(self, ($($input,)+ (), ()))
            }

            #[allow(non_snake_case)]
            fn backward(
                &self,
                residuals: Self::Residuals,
                cotangent: Self::Out,
            ) -> ($($need::Of<Tensor<$input, E>>,)+) {
                type Whole<$($input,)+ E> = ($(Tensor<$input, E>,)+ (), ());
                let ($($input,)+ (), ()) = Differentiable::<Whole<$($input,)+ E>, ($($need,)+ No, No)>::backward(
                    self,
                    residuals,
                    cotangent,
                );
                ($($input,)+)
            }
        }

        impl<$($input: Shape, $need: Need,)+ M: Shape, E: Float>
            Differentiable<($(Tensor<$input, E>,)+ Tensor<M, bool>), ($($need,)+ No)> for Op
        where
            Op: Differentiable<($(Tensor<$input, E>,)+ (), Tensor<M, bool>), ($($need,)+ No, No)>,
        {
            type Residuals = <Op as Differentiable<
                ($(Tensor<$input, E>,)+ (), Tensor<M, bool>),
                ($($need,)+ No, No),
            >>::Residuals;

            #[allow(non_snake_case)]
            fn forward(
                &self,
                ($($input,)+ mask): ($(Tensor<$input, E>,)+ Tensor<M, bool>),
            ) -> (Self::Out, Self::Residuals) {
                Differentiable::forward(self, ($($input,)+ (), mask))
            }

            #[allow(non_snake_case)]
            fn backward(
                &self,
                residuals: Self::Residuals,
                cotangent: Self::Out,
            ) -> ($($need::Of<Tensor<$input, E>>,)+ ()) {
                type Whole<$($input,)+ M, E> = ($(Tensor<$input, E>,)+ (), Tensor<M, bool>);
                let ($($input,)+ (), ()) = Differentiable::<Whole<$($input,)+ M, E>, ($($need,)+ No, No)>::backward(
                    self,
                    residuals,
                    cotangent,
                );
                ($($input,)+ ())
            }
        }
    };
}
pub(super) use shorter;
