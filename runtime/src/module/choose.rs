//! A value in training, and another one in evaluation.

use super::Phase;
use crate::op::{Differentiable, Need, Op};
use crate::shape::{Message, Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};
use std::marker::PhantomData;

/// The first of two tensors in training, the second in evaluation: the value of a variable after
/// `if P::TRAIN { mean.value = x; }`.
#[derive(Default)]
pub struct Choose<P>(PhantomData<P>);

impl<P: Phase> Choose<P> {
    /// The op.
    pub const fn new() -> Self {
        Choose(PhantomData)
    }

    /// The rule in numbers: what is written has the sizes of the variable.
    pub const fn shape([new, variable]: [Sizes; 2]) -> Rule {
        if new.differs(&variable) {
            let message = Message::new("the variable is ").sizes(variable);
            return Rule::Refused(message.text(", and what is written to it is ").sizes(new));
        }
        Rule::Out(variable)
    }
}

impl<P: Phase, S: Shape, E: Float> Op<(Tensor<S, E>, Tensor<S, E>)> for Choose<P> {
    type Out = Tensor<S, E>;

    fn infer(&self, (new, old): (Tensor<S, E>, Tensor<S, E>)) -> Tensor<S, E> {
        if P::TRAIN { new } else { old }
    }
}

impl<P, S, E, NA, NB> Differentiable<(Tensor<S, E>, Tensor<S, E>), (NA, NB)> for Choose<P>
where
    P: Phase,
    S: Shape,
    E: Float,
    NA: Need,
    NB: Need,
{
    type Residuals = ();

    fn forward(&self, input: (Tensor<S, E>, Tensor<S, E>)) -> (Tensor<S, E>, ()) {
        (self.infer(input), ())
    }

    fn backward(&self, (): (), cotangent: Tensor<S, E>) -> (NA::Of<Tensor<S, E>>, NB::Of<Tensor<S, E>>) {
        let of = |chosen: bool| match chosen {
            true => cotangent.clone(),
            false => Tensor::zeros(cotangent.shape()),
        };
        (NA::when(|| of(P::TRAIN)), NB::when(|| of(!P::TRAIN)))
    }
}
