//! What a `vmap!` takes from around it: a value that is the same for every example.

use super::axes::{Along, Axes};
use super::axis::Axis;
use super::batched::Batched;
use super::extent::{Extent, Shared};
use super::level::Level;
use crate::Key;
use crate::module::Phase;
use crate::op::{self, Differentiable, Yes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Element, Float, Tensor};
use std::marker::{PhantomData, PhantomPinned};

/// A value as one that is the same along the axis called `A`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<A>(PhantomData<A>, PhantomPinned);

impl<A: Axis> Op<A> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData, PhantomPinned)
    }

    /// The rule in numbers: the output has the input's sizes.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        Rule::Out(x)
    }
}

macro_rules! at_levels {
    ($([$($generics:tt)*] $level:ty, $value:ty;)+) => {$(
        impl<A: Axis, S: Shape, E: Element, $($generics)*> op::Op<$value> for Op<A> {
            type Out = Batched<Along<A, Shared, $level>, Tensor<S, E>>;

            fn infer(&self, x: $value) -> Self::Out {
                let (outer, stack) = <$level as Level>::open(x);
                Batched::new(Along::new(Shared, outer), stack)
            }
        }

        impl<A: Axis, S: Shape, E: Float, $($generics)*> Differentiable<$value, Yes> for Op<A> {
            type Residuals = ();

            fn forward(&self, x: $value) -> (Self::Out, ()) {
                (op::Op::infer(self, x), ())
            }

            fn backward(&self, (): (), cotangent: Self::Out) -> $value {
                cotangent.axes().outer.close(cotangent.into_stack())
            }
        }
    )+};
}

at_levels! {
    [] (), Tensor<S, E>;
    [B: 'static, N: Extent, L: Axes] Along<B, N, L>, Batched<Along<B, N, L>, Tensor<S, E>>;
}

/// What is no tensor is what it is for every example: a phase, a key.
impl<A: Axis, P: Phase> op::Op<P> for Op<A> {
    type Out = P;

    fn infer(&self, phase: P) -> P {
        phase
    }
}

impl<A: Axis> op::Op<Key> for Op<A> {
    type Out = Key;

    fn infer(&self, key: Key) -> Key {
        key
    }
}
