//! The product with a kernel of several input and output axes: tensors taken for matrices.

use super::kernel_bias::drawn;
use super::{KernelBias, UseBias};
use crate::init::Initializer;
use crate::op::{Differentiable, Need, Op as _, Yes};
use crate::ops::linear;
use crate::rng::Scope;
use crate::shape::{Dyn, MAX_RANK, Shape, SplitLast, StaticShape};
use crate::tensor::{Float, Tensor};

/// A matrix of any size.
type Matrix = (Dyn, Dyn);

/// What the derivative reads.
pub struct Residuals<X: Shape, E: Float, N: Need> {
    product: linear::Residuals<Matrix, Matrix, E, N, Yes>,
    shape: X,
}

/// The input `[.., I..]` as a matrix `[rows, I]`, the kernel as one `[I, F]`, the bias as a row.
#[allow(clippy::type_complexity)]
fn flat<X: Shape, K: SplitLast, F: StaticShape, E: Float, B: UseBias>(
    params: &KernelBias<K, E, B, F>,
    x: Tensor<X, E>,
) -> (Tensor<Matrix, E>, Tensor<Matrix, E>, B::Of<(Dyn,), E>) {
    let features = F::default().elements();
    let inputs = params.kernel.sizes().as_ref()[..K::RANK - F::RANK].iter().product();
    let rows = x.sizes().as_ref()[..X::RANK + F::RANK - K::RANK].iter().product();
    let kernel = params.kernel.clone().reshaped(&[inputs, features]);
    (x.reshaped(&[rows, inputs]), kernel, B::reshaped(params.bias.clone(), &[features]))
}

/// The rows of an output for an input of shape `X`, in its shape `Y`.
fn shaped<X: Shape, Y: Shape, F: StaticShape, E: Float>(x: X, rows: Tensor<Matrix, E>) -> Tensor<Y, E> {
    let (mut sizes, leading) = ([0; MAX_RANK], Y::RANK - F::RANK);
    sizes[..leading].copy_from_slice(&x.sizes().as_ref()[..leading]);
    sizes[leading..Y::RANK].copy_from_slice(F::default().sizes().as_ref());
    rows.reshaped(&sizes[..Y::RANK])
}

/// Draws a kernel `[I.., F..]`, as if it were a matrix `[I, F]`, and a bias.
pub fn init<K: SplitLast + StaticShape, F: StaticShape, E: Float, B: UseBias>(
    scope: &Scope,
    kernel: &Initializer,
    bias: &Initializer,
) -> KernelBias<K, E, B, F> {
    let (shape, features) = (K::default(), F::default().elements());
    let inputs = shape.elements() / features.max(1);
    let kernel: Tensor<Matrix, E> = kernel.init(scope.param(), (Dyn(inputs), Dyn(features)));
    let bias: B::Of<(Dyn,), E> = drawn(scope, bias, (Dyn(features),));
    KernelBias {
        kernel: kernel.reshaped(shape.sizes().as_ref()),
        bias: B::reshaped(bias, F::default().sizes().as_ref()),
    }
}

/// `[.., I..]` gives `[.., F..]`.
pub fn infer<X: Shape, Y: Shape, K: SplitLast, F: StaticShape, E: Float, B: UseBias>(
    params: &KernelBias<K, E, B, F>,
    x: Tensor<X, E>,
) -> Tensor<Y, E> {
    let shape = x.shape();
    shaped::<_, _, F, E>(shape, linear::Op.infer(flat(params, x)))
}

/// The same, and what `backward` reads.
pub fn forward<X: Shape, Y: Shape, K: SplitLast, F: StaticShape, E: Float, B: UseBias, N: Need>(
    params: &KernelBias<K, E, B, F>,
    x: Tensor<X, E>,
) -> (Tensor<Y, E>, Residuals<X, E, N>) {
    let shape = x.shape();
    let (rows, product) = Differentiable::<_, (N, Yes, Yes)>::forward(&linear::Op, flat(params, x));
    (shaped::<_, _, F, E>(shape, rows), Residuals { product, shape })
}

/// From the cotangent of the output, the gradient of the parameters and the cotangent of the input.
pub fn backward<X: Shape, Y: Shape, K: SplitLast, F: StaticShape, E: Float, B: UseBias, N: Need>(
    params: &KernelBias<K, E, B, F>,
    Residuals { product, shape }: Residuals<X, E, N>,
    cotangent: Tensor<Y, E>,
) -> (KernelBias<K, E, B, F>, N::Of<Tensor<X, E>>) {
    let features = F::default();
    let rows = cotangent.as_slice().len() / features.elements().max(1);
    let cotangent: Tensor<Matrix, E> = cotangent.reshaped(&[rows, features.elements()]);
    type Inputs<E, B> = (Tensor<Matrix, E>, Tensor<Matrix, E>, <B as UseBias>::Of<(Dyn,), E>);
    let (dx, kernel, bias) =
        Differentiable::<Inputs<E, B>, (N, Yes, Yes)>::backward(&linear::Op, product, cotangent);
    let bias = B::reshaped(bias, features.sizes().as_ref());
    let kernel = kernel.reshaped(params.kernel.sizes().as_ref());
    (KernelBias { kernel, bias }, N::map(dx, |dx| dx.reshaped(shape.sizes().as_ref())))
}
