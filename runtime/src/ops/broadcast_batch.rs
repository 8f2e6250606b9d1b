//! One copy for each sample of a batch: `broadcast_batch(x, like)` is `jnp.broadcast_to(x, (like.shape[0], *x.shape))`.
//!
//! So a parameter, which knows of no batch, is joined with what has one, such as the class token of a vision transformer.
//!
//! ```
//! use flaxen::prelude::*;
//! let token = Tensor::<(U1, U2)>::of(&[1.0, 2.0])?;
//! let patches: Tensor<(Dyn, U3, U2)> = Tensor::zeros((Dyn(2), U3::default(), U2::default()));
//! let tokens: Tensor<(Dyn, U1, U2)> = broadcast_batch(token, patches);
//! assert_eq!(tokens.as_slice(), [1.0, 2.0, 1.0, 2.0]);
//! # Ok::<(), flaxen::Error>(())
//! ```

use super::reduction::sum_along;
use crate::backend::map;
use crate::backend::reduce::Axis;
use crate::op::{self, Differentiable, Need, Op as _};
use crate::shape::trailing::Join;
use crate::shape::{MAX_RANK, Message, Rule, Shape, Sizes, SplitFirst};
use crate::tensor::{Element, Float, Tensor, shape_of};

/// A copy of `x` for each index of the first axis of `like`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: one more axis in front, as long as the first one of `like`.
    pub const fn shape([x, like]: [Sizes; 2]) -> Rule {
        if like.rank() == 0 {
            return Rule::Refused(Message::new("broadcast_batch: a scalar has no samples"));
        }
        if x.rank() == MAX_RANK {
            let message = Message::new("broadcast_batch: ").sizes(x).text(" cannot have one more axis");
            return Rule::Refused(message);
        }
        let (mut out, mut axis) = (x.append(like.at(0)), x.rank());
        while axis > 0 {
            out = out.with(axis, x.at(axis - 1));
            axis -= 1;
        }
        Rule::Out(out.with(0, like.at(0)))
    }
}

impl<S, L, E, F> op::Op<(Tensor<S, E>, Tensor<L, F>)> for Op
where
    S: Shape,
    L: SplitFirst,
    (L::First,): Join<S>,
    E: Element,
    F: Element,
{
    type Out = Tensor<<(L::First,) as Join<S>>::Out, E>;

    fn infer(&self, (x, like): (Tensor<S, E>, Tensor<L, F>)) -> Self::Out {
        let mut sizes = [0; MAX_RANK];
        sizes[0] = like.sizes().as_ref()[0];
        sizes[1..=S::RANK].copy_from_slice(x.sizes().as_ref());
        let x = x.as_slice();
        Tensor::written(shape_of(&sizes[..=S::RANK]), |out| {
            map::rows(out, x.len(), |_, sample| sample.copy_from_slice(x));
        })
    }
}

impl<S, L, E, F, NS, NL> Differentiable<(Tensor<S, E>, Tensor<L, F>), (NS, NL)> for Op
where
    S: Shape,
    L: SplitFirst,
    (L::First,): Join<S>,
    E: Float,
    F: Element,
    NS: Need,
    NL: Need,
{
    type Residuals = (S, L);

    fn forward(&self, (x, like): (Tensor<S, E>, Tensor<L, F>)) -> (Self::Out, (S, L)) {
        let shapes = (x.shape(), like.shape());
        (self.infer((x, like)), shapes)
    }

    fn backward(
        &self,
        (x, like): (S, L),
        cotangent: Self::Out,
    ) -> (NS::Of<Tensor<S, E>>, NL::Of<Tensor<L, F>>) {
        let axis = Axis { outer: 1, len: like.sizes().as_ref()[0], inner: x.elements() };
        (NS::when(|| sum_along(cotangent.as_slice(), axis, x)), NL::when(|| Tensor::zeros(like)))
    }
}

/// A copy of `x` for each index of the first axis of `like`.
pub fn broadcast_batch<X, L>(x: X, like: L) -> <Op as op::Op<(X, L)>>::Out
where
    Op: op::Op<(X, L)>,
{
    Op.infer((x, like))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient2, random, refused};
    use crate::prelude::*;

    #[test]
    fn gradients() {
        gradient2(&Op, random((U1::default(), U5::default()), 1), random((Dyn(3), U2::default()), 2));
        gradient2(&Op, random((U5::default(),), 1), random((Dyn(0),), 2));
    }

    #[test]
    fn sizes() {
        fits(Op::shape([Sizes::known(&[1, 32]), <(Dyn, U16, U32)>::STATIC]), "[?, 1, 32]");
        refused(
            Op::shape([Sizes::known(&[1]), Sizes::known(&[])]),
            "broadcast_batch: a scalar has no samples",
        );
        let message = "broadcast_batch: [1, 1, 1, 1, 1, 1] cannot have one more axis";
        refused(Op::shape([Sizes::known(&[1; 6]), Sizes::known(&[2])]), message);
    }
}
