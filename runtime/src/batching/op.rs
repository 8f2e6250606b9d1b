//! Every op is an op for values in a `vmap!`.
//!
//! That is so for all ops but those that are not [`Unpin`]: an op that says itself what it does with tensors and with
//! values along an axis has a [`PhantomPinned`](std::marker::PhantomPinned) in it.

use super::axes::{Axes, JoinAll};
use super::batched::Batched;
use super::lane::{Cotangents, Inputs, Outputs, Values};
use crate::op::{Differentiable, Need, Op};
use crate::shape::Shape;
use crate::tensor::{Element, Tensor};

/// What an op in a `vmap!` keeps for its backward pass: all inputs and outputs.
pub struct Kept<In: Values, Out: Values, L> {
    inputs: In::Lanes,
    outputs: Out::Stacks,
    axes: L,
}

#[diagnostic::do_not_recommend]
impl<L: Axes, S: Shape, E: Element, O> Op<Batched<L, Tensor<S, E>>> for O
where
    O: Op<Tensor<S, E>> + Unpin,
    O::Out: Values,
{
    type Out = <O::Out as Values>::Batched<L>;

    fn infer(&self, input: Batched<L, Tensor<S, E>>) -> Self::Out {
        let axes = input.axes();
        let Outputs(outputs) = <O as Op<Tensor<S, E>>>::infer_each(self, Inputs(input.into_lane(axes)));
        O::Out::batched(axes, outputs)
    }
}

#[diagnostic::do_not_recommend]
impl<L: Axes, S: Shape, E: Element, O, N: Need> Differentiable<Batched<L, Tensor<S, E>>, N> for O
where
    O: Differentiable<Tensor<S, E>, N> + Unpin,
    O::Out: Values,
{
    type Residuals = Kept<Tensor<S, E>, O::Out, L>;

    fn forward(&self, input: Batched<L, Tensor<S, E>>) -> (Self::Out, Self::Residuals) {
        let axes = input.axes();
        let inputs = input.into_lane(axes);
        let Outputs(outputs) = <O as Op<Tensor<S, E>>>::infer_each(self, Inputs(inputs.clone()));
        (O::Out::batched(axes, outputs.clone()), Kept { inputs, outputs, axes })
    }

    fn backward(&self, kept: Self::Residuals, cotangent: Self::Out) -> N::Of<Batched<L, Tensor<S, E>>> {
        let Kept { inputs, outputs, axes } = kept;
        let Cotangents(cotangent) = <O as Differentiable<Tensor<S, E>, N>>::backward_each(
            self,
            Inputs(inputs),
            Outputs(outputs),
            Outputs(O::Out::stacks(cotangent)),
        );
        N::map(cotangent, |cotangent| Batched::of_cotangent(cotangent, axes, axes))
    }
}

macro_rules! several {
    ($($($axes:ident $shape:ident $element:ident $need:ident $index:tt)+;)+) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($axes: Axes, $shape: Shape, $element: Element,)+ O>
            Op<($(Batched<$axes, Tensor<$shape, $element>>,)+)> for O
        where
            O: Op<($(Tensor<$shape, $element>,)+)> + Unpin,
            O::Out: Values,
            ($($axes,)+): JoinAll,
        {
            type Out = <O::Out as Values>::Batched<<($($axes,)+) as JoinAll>::Out>;

            fn infer(&self, inputs: ($(Batched<$axes, Tensor<$shape, $element>>,)+)) -> Self::Out {
                let axes = ($(inputs.$index.axes(),)+).join_all();
                let lanes = ($(inputs.$index.into_lane(axes),)+);
                let Outputs(outputs) =
                    <O as Op<($(Tensor<$shape, $element>,)+)>>::infer_each(self, Inputs(lanes));
                O::Out::batched(axes, outputs)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($axes: Axes, $shape: Shape, $element: Element, $need: Need,)+ O>
            Differentiable<($(Batched<$axes, Tensor<$shape, $element>>,)+), ($($need,)+)> for O
        where
            O: Differentiable<($(Tensor<$shape, $element>,)+), ($($need,)+)> + Unpin,
            O::Out: Values,
            ($($axes,)+): JoinAll,
        {
            type Residuals = Kept<($(Tensor<$shape, $element>,)+), O::Out, ($($axes,)+)>;

            fn forward(
                &self,
                inputs: ($(Batched<$axes, Tensor<$shape, $element>>,)+),
            ) -> (Self::Out, Self::Residuals) {
                let axes = ($(inputs.$index.axes(),)+);
                let joined = axes.join_all();
                let inputs = ($(inputs.$index.into_lane(joined),)+);
                let Outputs(outputs) =
                    <O as Op<($(Tensor<$shape, $element>,)+)>>::infer_each(self, Inputs(inputs.clone()));
                (O::Out::batched(joined, outputs.clone()), Kept { inputs, outputs, axes })
            }

            fn backward(
                &self,
                Kept { inputs, outputs, axes }: Self::Residuals,
                cotangent: Self::Out,
            ) -> ($($need::Of<Batched<$axes, Tensor<$shape, $element>>>,)+) {
                type In<$($shape, $element),+> = ($(Tensor<$shape, $element>,)+);
                let joined = axes.join_all();
                let Cotangents(cotangents) =
                    <O as Differentiable<In<$($shape, $element),+>, ($($need,)+)>>::backward_each(
                        self,
                        Inputs(inputs),
                        Outputs(outputs),
                        Outputs(O::Out::stacks(cotangent)),
                    );
                ($($need::map(cotangents.$index, |cotangent| {
                    Batched::of_cotangent(cotangent, axes.$index, joined)
                }),)+)
            }
        }
    )+};
}

several! {
    LA SA EA NA 0 LB SB EB NB 1;
    LA SA EA NA 0 LB SB EB NB 1 LC SC EC NC 2;
    LA SA EA NA 0 LB SB EB NB 1 LC SC EC NC 2 LD SD ED ND 3;
}
