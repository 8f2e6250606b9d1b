//! A product with a kernel and a sum with a bias: `y = x · kernel + bias`, what `nn.Dense` computes.
//!
//! `x` is `[.., I]`, the kernel `[I, F]`, the bias `[F]`, or `()` for none. With `g` the cotangent of `y`,
//!
//! ```text
//! dx = g · kernelᵀ        dkernel = xᵀ · g        dbias = sum of g over its rows
//! ```

use super::per_feature::{self, PerFeature};
use crate::backend::Epilogue;
use crate::backend::{Gemm, gemm};
use crate::op::{self, Deferred, Differentiable, Elements, Need, Unary};
use crate::shape::matmul::{MatMul, product};
use crate::shape::{Dim, Message, Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor, shape_by};

/// `x · kernel + bias`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers, for the input, the kernel and, if there is one, the bias: `[.., I], [I, F], [F]` gives `[.., F]`.
    pub const fn shape<const N: usize>(inputs: [Sizes; N]) -> Rule {
        let rule = product("linear", inputs[0], inputs[1]);
        if let Rule::Out(out) = rule
            && N > 2
            && (inputs[2].rank() != 1 || inputs[2].at(0).differs(out.from_end(0)))
        {
            let message = Message::new("linear: a bias of ").sizes(inputs[2]).text(" for ");
            return Rule::Refused(message.size(out.from_end(0)).text(" features"));
        }
        rule
    }
}

/// What the derivative reads: each of the two factors if the other's cotangent is needed.
pub struct Residuals<S: Shape, K: Shape, E: Float, NX: Need, NK: Need> {
    x: NK::Of<Tensor<S, E>>,
    kernel: NX::Of<Tensor<K, E>>,
    shapes: (S, K),
}

impl<S: Shape, K: Shape, E: Float, NX: Need, NK: Need> Residuals<S, K, E, NX, NK> {
    pub(crate) fn of(x: Tensor<S, E>, kernel: &Tensor<K, E>) -> Self {
        Residuals {
            shapes: (x.shape(), kernel.shape()),
            x: NK::when(|| x),
            kernel: NX::when(|| kernel.clone()),
        }
    }
}

impl<S, I, F, E, B> op::Op<(Tensor<S, E>, Tensor<(I, F), E>, B)> for Op
where
    S: MatMul<(I, F)>,
    I: Dim,
    F: Dim,
    E: Float,
    B: PerFeature<(F,), E>,
{
    type Out = Tensor<S::Out, E>;

    fn infer(&self, (x, kernel, bias): (Tensor<S, E>, Tensor<(I, F), E>, B)) -> Self::Out {
        linear_with(&x, &kernel, bias.epilogue())
    }

    fn infer_deferred<D: Deferred<(Tensor<S, E>, Tensor<(I, F), E>, B)>>(
        &self,
        input: D,
    ) -> impl Deferred<Self::Out> + use<S, I, F, E, B, D> {
        let (x, kernel, bias) = input.compute();
        Linear { x, kernel, bias }
    }
}

/// A product that is about to be computed.
struct Linear<S: Shape, K: Shape, E: Float, B> {
    x: Tensor<S, E>,
    kernel: Tensor<K, E>,
    bias: B,
}

impl<S, I, F, E, B> Deferred<Tensor<S::Out, E>> for Linear<S, (I, F), E, B>
where
    S: MatMul<(I, F)>,
    I: Dim,
    F: Dim,
    E: Float,
    B: PerFeature<(F,), E>,
{
    fn compute(self) -> Tensor<S::Out, E> {
        linear_with(&self.x, &self.kernel, self.bias.epilogue())
    }

    fn map<G: Unary>(self, g: G) -> Tensor<S::Out, E> {
        match self.bias.numbers() {
            Some(bias) if G::IS_RELU => linear_with(&self.x, &self.kernel, Epilogue::BiasRelu(bias)),
            _ => self.compute().map(g),
        }
    }
}

impl<S, I, F, E, B, NX, NK, NB> Differentiable<(Tensor<S, E>, Tensor<(I, F), E>, B), (NX, NK, NB)> for Op
where
    S: MatMul<(I, F)>,
    I: Dim,
    F: Dim,
    E: Float,
    B: PerFeature<(F,), E>,
    NX: Need,
    NK: Need,
    NB: Need,
{
    type Residuals = Residuals<S, (I, F), E, NX, NK>;

    fn forward(
        &self,
        (x, kernel, bias): (Tensor<S, E>, Tensor<(I, F), E>, B),
    ) -> (Self::Out, Self::Residuals) {
        let y = linear_with(&x, &kernel, bias.epilogue());
        (y, Residuals::of(x, &kernel))
    }

    fn forward_deferred<D: Deferred<(Tensor<S, E>, Tensor<(I, F), E>, B)>>(
        &self,
        input: D,
    ) -> (impl Deferred<Self::Out> + use<S, I, F, E, B, NX, NK, NB, D>, Self::Residuals) {
        let (x, kernel, bias) = input.compute();
        let residuals = Residuals::of(x.clone(), &kernel);
        (Linear { x, kernel, bias }, residuals)
    }

    fn backward(
        &self,
        Residuals { x, kernel, shapes }: Self::Residuals,
        cotangent: Self::Out,
    ) -> (NX::Of<Tensor<S, E>>, NK::Of<Tensor<(I, F), E>>, NB::Of<B>) {
        let ((i, f), m) = (dimensions(shapes.1), rows(shapes.0));
        let cotangent = cotangent.as_slice();
        let dx = NX::map(kernel, |kernel| {
            let (a, b) = (cotangent, kernel.as_slice());
            let product = Gemm { m, k: f, n: i, a, a_strides: [f, 1], b, b_strides: [1, f] };
            Tensor::written(shapes.0, |dx| gemm(product, dx, Epilogue::Assign))
        });
        let dkernel = NK::map(x, |x| {
            let (a, b) = (x.as_slice(), cotangent);
            let product = Gemm { m: i, k: m, n: f, a, a_strides: [1, i], b, b_strides: [f, 1] };
            Tensor::written(shapes.1, |dkernel| gemm(product, dkernel, Epilogue::Assign))
        });
        (dx, dkernel, NB::when(|| per_feature::cotangent((shapes.1.1,), cotangent)))
    }
}

/// `x · kernel`, and what ends it.
pub(crate) fn linear_with<S: MatMul<(I, F)>, I: Dim, F: Dim, E: Float>(
    x: &Tensor<S, E>,
    kernel: &Tensor<(I, F), E>,
    epilogue: Epilogue<'_, E>,
) -> Tensor<S::Out, E> {
    let shape = shape_by(Op::shape, (x.shape(), kernel.shape()));
    let (k, n) = dimensions(kernel.shape());
    let product = Gemm {
        m: rows(x.shape()),
        k,
        n,
        a: x.as_slice(),
        a_strides: [k, 1],
        b: kernel.as_slice(),
        b_strides: [n, 1],
    };
    Tensor::written(shape, |y| gemm(product, y, epilogue))
}

/// `[I, F]` in numbers.
fn dimensions<I: Dim, F: Dim>((inputs, features): (I, F)) -> (usize, usize) {
    (inputs.size(), features.size())
}

/// The number of rows of `[.., I]`.
fn rows<S: Shape>(shape: S) -> usize {
    shape.sizes().as_ref()[..S::RANK - 1].iter().product()
}

/// `x · kernel + bias`, what `nn.Dense` computes.
pub fn linear<X, K, B>(x: X, kernel: K, bias: B) -> <Op as op::Op<(X, K, B)>>::Out
where
    Op: op::Op<(X, K, B)>,
{
    op::Op::infer(&Op, (x, kernel, bias))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing::{fits, gradient3, random, refused};
    use crate::prelude::*;
    use crate::shape::Size;

    #[test]
    fn values() {
        let x = Tensor::<(U2, U3)>::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let kernel = Tensor::<(U3, U2)>::of(&[1.0, 0.5, 0.0, 2.0, -1.0, 1.0]).unwrap();
        let bias = Tensor::<(U2,)>::of(&[10.0, 20.0]).unwrap();
        let y = linear(x.clone(), kernel.clone(), bias);
        assert_eq!(y.as_slice(), [8.0, 27.5, 8.0, 38.0]);
        assert_eq!(linear(x, kernel, ()).as_slice(), [-2.0, 7.5, -2.0, 18.0]);
    }

    #[test]
    fn gradients() {
        gradient3(
            &Op,
            random((Dyn(3), U5::default()), 1),
            random((U5::default(), U2::default()), 2),
            random((U2::default(),), 3),
        );
        gradient3(
            &Op,
            random((U5::default(),), 1),
            random((U5::default(), U2::default()), 2),
            random((U2::default(),), 3),
        );
        gradient3(
            &Op,
            random((Dyn(2), Dyn(1), Dyn(1)), 1),
            random((Dyn(1), Dyn(3)), 2),
            random((Dyn(3),), 3),
        );
        gradient3(&Op, random((Dyn(0), Dyn(2)), 1), random((Dyn(2), Dyn(3)), 2), random((Dyn(3),), 3));
        gradient3(&Op, random((Dyn(2), Dyn(0)), 1), random((Dyn(0), Dyn(3)), 2), random((Dyn(3),), 3));
    }

    #[test]
    fn the_rule() {
        let x = Sizes::new(&[Size::Named("B"), Size::Known(64)]);
        let kernel = Sizes::known(&[64, 10]);
        fits(Op::shape([x, kernel]), "[B, 10]");
        fits(Op::shape([x, kernel, Sizes::known(&[10])]), "[B, 10]");
        refused(Op::shape([x, Sizes::known(&[128, 10])]), "linear: inner sizes differ: [B, 64] x [128, 10]");
        refused(Op::shape([x, kernel, Sizes::known(&[64])]), "linear: a bias of [64] for 10 features");
        refused(
            Op::shape([Sizes::known(&[]), kernel]),
            "linear: expects [.., K] x [K, N], got [] x [64, 10]",
        );
    }

    #[test]
    #[should_panic = "linear: inner sizes differ: [2, 3] x [4, 5]"]
    fn sizes_that_only_the_program_knows_are_checked() {
        linear(random((Dyn(2), Dyn(3)), 1), random((Dyn(4), Dyn(5)), 2), ());
    }
}
