//! The product with a matrix: `[.., K] · [K, N] = [.., N]`, as `x @ w` in JAX.

use super::linear;
use crate::batching::{Cotangents, Inputs, Lane, Outputs, Stack, backward_one_by_one, infer_one_by_one};
use crate::op::{self, Differentiable, Need, No};
use crate::shape::matmul::{MatMul, product};
use crate::shape::{Dim, Dyn, Rule, Sizes};
use crate::tensor::{Float, Tensor, shape_by};

/// `a · b`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: `[.., K] · [K, N] = [.., N]`.
    pub const fn shape([a, b]: [Sizes; 2]) -> Rule {
        product("matmul", a, b)
    }
}

impl<S, K, N, E> op::Op<(Tensor<S, E>, Tensor<(K, N), E>)> for Op
where
    S: MatMul<(K, N)>,
    K: Dim,
    N: Dim,
    E: Float,
{
    type Out = Tensor<S::Out, E>;

    fn infer(&self, (a, b): (Tensor<S, E>, Tensor<(K, N), E>)) -> Self::Out {
        linear::linear(a, b, ())
    }

    fn infer_each(
        &self,
        Inputs((a, b)): Inputs<(Tensor<S, E>, Tensor<(K, N), E>)>,
    ) -> Outputs<Tensor<S::Out, E>> {
        let (Lane::Each(a), Lane::Shared(b)) = (&a, &b) else {
            return infer_one_by_one::<(Tensor<S, E>, Tensor<(K, N), E>), Self>(self, &(a, b));
        };
        let shape = shape_by(Op::shape, (a.shape(), b.shape()));
        let product: Tensor<(Dyn, N), E> = linear::linear(rows(a), b.clone(), ());
        Outputs(Stack::of(a.count(), shape, product))
    }
}

/// All rows of all examples.
fn rows<S: MatMul<(K, N)>, K: Dim, N: Dim, E: Float>(stack: &Stack<Tensor<S, E>>) -> Tensor<(Dyn, K), E> {
    let k = stack.shape().last().size();
    stack.clone().into_tensor(&[stack.as_slice().len() / k.max(1), k])
}

impl<S, K, N, E, NA, NB> Differentiable<(Tensor<S, E>, Tensor<(K, N), E>), (NA, NB)> for Op
where
    S: MatMul<(K, N)>,
    K: Dim,
    N: Dim,
    E: Float,
    NA: Need,
    NB: Need,
{
    type Residuals = linear::Residuals<S, (K, N), E, NA, NB>;

    fn forward(&self, (a, b): (Tensor<S, E>, Tensor<(K, N), E>)) -> (Self::Out, Self::Residuals) {
        Differentiable::<_, (NA, NB, No)>::forward(&linear::Op, (a, b, ()))
    }

    fn backward(
        &self,
        residuals: Self::Residuals,
        cotangent: Self::Out,
    ) -> (NA::Of<Tensor<S, E>>, NB::Of<Tensor<(K, N), E>>) {
        let (da, db, ()) =
            Differentiable::<(_, _, ()), (NA, NB, No)>::backward(&linear::Op, residuals, cotangent);
        (da, db)
    }

    fn backward_each(
        &self,
        Inputs((a, b)): Inputs<(Tensor<S, E>, Tensor<(K, N), E>)>,
        _: Outputs<Tensor<S::Out, E>>,
        Outputs(cotangents): Outputs<Tensor<S::Out, E>>,
    ) -> Cotangents<(Tensor<S, E>, Tensor<(K, N), E>), (NA, NB)> {
        let (Lane::Each(stack), Lane::Shared(matrix)) = (&a, &b) else {
            return backward_one_by_one::<(Tensor<S, E>, Tensor<(K, N), E>), (NA, NB), Self>(
                self,
                &(a, b),
                &cotangents,
            );
        };
        let (count, shape, rows) = (stack.count(), stack.shape(), rows(stack));
        let sizes = [rows.sizes()[0], matrix.sizes()[1]];
        let residuals = linear::Residuals::<(Dyn, K), (K, N), E, NA, NB>::of(rows, matrix);
        let (da, db, ()) =
            Differentiable::<(Tensor<(Dyn, K), E>, Tensor<(K, N), E>, ()), (NA, NB, No)>::backward(
                &linear::Op,
                residuals,
                cotangents.into_tensor(&sizes),
            );
        Cotangents((NA::map(da, |da| Lane::Each(Stack::of(count, shape, da))), NB::map(db, Lane::Shared)))
    }
}

/// `a · b`, as `a @ b` in JAX.
pub fn matmul<A, B>(a: A, b: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    op::Op::infer(&Op, (a, b))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient2, random, refused};
    use crate::prelude::*;
    use crate::shape::Size;

    #[test]
    fn values() {
        let a = Tensor::<(U2, U2)>::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        let b = Tensor::<(U2, U2)>::of(&[0.0, 1.0, 2.0, -1.0]).unwrap();
        assert_eq!(matmul(a, b).as_slice(), [4.0, -1.0, 8.0, -1.0]);
    }

    #[test]
    fn gradients() {
        gradient2(&Op, random((Dyn(3), U4::default()), 1), random((U4::default(), Dyn(2)), 2));
        gradient2(&Op, random((U4::default(),), 1), random((U4::default(), U1::default()), 2));
        gradient2(&Op, random((Dyn(2), Dyn(3), U4::default()), 1), random((U4::default(), U5::default()), 2));
    }

    #[test]
    fn the_rule() {
        let a = Sizes::new(&[Size::Named("B"), Size::Known(64)]);
        fits(Op::shape([a, Sizes::new(&[Size::Unknown, Size::Known(3)])]), "[B, 3]");
        refused(Op::shape([a, Sizes::known(&[128, 10])]), "matmul: inner sizes differ: [B, 64] x [128, 10]");
        refused(Op::shape([a, Sizes::known(&[64])]), "matmul: expects [.., K] x [K, N], got [B, 64] x [64]");
    }
}
