//! Convolution of images: `jax.lax.conv_general_dilated` with NHWC images and an HWIO kernel, what `nn.Conv` computes.
//!
//! ```text
//! y[.., i, j, f] = bias[f] + Σ x[.., i·S + a·D - pad, j·S + b·D - pad, c] · kernel[a, b, c, f]
//! ```
//!
//! where the sum goes over the taps `a`, `b` of the window and the channels `c` of the group of `f`. As everywhere in deep
//! learning the kernel is not flipped.

use super::per_feature::{self, PerFeature};
use crate::backend::{ConvGeometry, Epilogue};
use crate::backend::{conv_forward, conv_inference, conv_input_gradient, conv_kernel_gradient};
use crate::op::{self, Deferred, Differentiable, Elements, Need, No, Now, Pooled, Pooling, ShapeOf, Unary};
use crate::shape::decimal::Number;
use crate::shape::dim::Dim1;
use crate::shape::window::{AxisWindow, Convolves, Image, ImagePadding, PerAxis, Same, slide};
use crate::shape::{Message, Rule, Shape, Sizes, SplitLast};
use crate::tensor::{Float, Tensor, shape_by};
use std::marker::PhantomData;

/// A convolution with strides `S`, padding `P`, dilation `D` of the kernel and `G` groups of features.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<S = Dim1<1>, P = Same, D = Dim1<1>, G = Dim1<1>>(PhantomData<(S, P, D, G)>);

impl<S: PerAxis, P: ImagePadding, D: PerAxis, G: Number> Op<S, P, D, G> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers, for images, kernel and, if there is one, the bias: `[.., H, W, C], [KH, KW, C / G, F], [F]` gives
    /// `[.., H', W', F]`.
    pub const fn shape<const N: usize>(inputs: [Sizes; N]) -> Rule {
        if N > 2 && inputs[1].rank() == 4 {
            let (bias, features) = (inputs[2], inputs[1].at(3));
            if bias.rank() != 1 || bias.at(0).differs(features) {
                let message = Message::new("conv: a bias of ").sizes(bias).text(" for ");
                return Rule::Refused(message.size(features).text(" features"));
            }
        }
        rule::<S, P, D>("conv", inputs[0], inputs[1], G::N)
    }

    /// What the kernels ask for, and the shape of the output.
    fn sizes<X, K, E>(x: &Tensor<X, E>, kernel: &Tensor<K, E>) -> (ConvGeometry, X::Out)
    where
        X: Convolves<K, S, P, D, G>,
        K: SplitLast,
        E: Float,
    {
        let shape = shape_by(Self::shape, (x.shape(), kernel.shape()));
        (Self::geometry(x.shape(), kernel.shape(), shape), shape)
    }

    fn geometry<X: Image, Y: Image>(x: X, kernel: impl Shape, y: Y) -> ConvGeometry {
        let (x, kernel, y) = (x.sizes(), kernel.sizes(), y.sizes());
        let (batch, x) = x.as_ref().split_at(X::RANK - 3);
        let (kernel, y) = (kernel.as_ref(), &y.as_ref()[Y::RANK - 3..]);
        let windows = AxisWindow::of_image::<S, P, D>([kernel[0], kernel[1]]);
        ConvGeometry {
            batch: batch.iter().product(),
            input: [x[0], x[1]],
            in_features: x[2],
            output: [y[0], y[1]],
            out_features: y[2],
            kernel: [kernel[0], kernel[1]],
            strides: windows.map(|window| window.stride),
            padding: [windows[0].padding(x[0]), windows[1].padding(x[1])],
            dilation: windows.map(|window| window.dilation),
            groups: G::N,
        }
    }
}

/// The sizes of `x` convolved with `kernel`, or why they do not fit; `op` is who says so.
pub(crate) const fn rule<S: PerAxis, P: ImagePadding, D: PerAxis>(
    op: &str,
    x: Sizes,
    kernel: Sizes,
    groups: usize,
) -> Rule {
    if x.rank() < 3 || kernel.rank() != 4 {
        let message =
            Message::new(op).text(": expects images [.., H, W, C] and a kernel [KH, KW, C, F], got ");
        return Rule::Refused(message.sizes(x).text(" and ").sizes(kernel));
    }
    let (channels, inputs, features) = (x.from_end(0).known(), kernel.at(2).known(), kernel.at(3).known());
    if !divides(groups, channels) || !divides(groups, features) {
        let message = Message::new(op).text(": ").number(groups).text(" groups do not divide the ");
        let message = message.size(x.from_end(0)).text(" channels of ").sizes(x).text(" and the ");
        return Rule::Refused(message.size(kernel.at(3)).text(" features of the output"));
    }
    if let (Some(channels), Some(inputs)) = (channels, inputs)
        && channels / groups != inputs
    {
        let message =
            Message::new(op).text(": a kernel of ").sizes(kernel).text(" takes ").number(inputs * groups);
        return Rule::Refused(message.text(" channels, the images are ").sizes(x));
    }
    let (Some(rows), Some(columns)) = (kernel.at(0).known(), kernel.at(1).known()) else {
        return Rule::Refused(
            Message::new(op).text(": the window must be known, got a kernel of ").sizes(kernel),
        );
    };
    slide(op, AxisWindow::of_image::<S, P, D>([rows, columns]), x, kernel.at(3))
}

/// Whether so many groups can have the same number of features each, as far as that is known.
const fn divides(groups: usize, features: Option<usize>) -> bool {
    match features {
        Some(features) => groups > 0 && features % groups == 0,
        None => groups > 0,
    }
}

/// What the derivative reads: each of the two factors if the other's cotangent is needed.
pub struct Residuals<X: Shape, K: Shape, E: Float, NX: Need, NK: Need> {
    x: NK::Of<Tensor<X, E>>,
    kernel: NX::Of<Tensor<K, E>>,
    shapes: (X, K),
}

impl<X, K, E, B, S, P, D, G> op::Op<(Tensor<X, E>, Tensor<K, E>, B)> for Op<S, P, D, G>
where
    X: Convolves<K, S, P, D, G>,
    K: SplitLast,
    E: Float,
    B: PerFeature<(K::Last,), E>,
    S: PerAxis,
    P: ImagePadding,
    D: PerAxis,
    G: Number,
{
    type Out = Tensor<X::Out, E>;

    fn infer(&self, input: (Tensor<X, E>, Tensor<K, E>, B)) -> Self::Out {
        op::Op::infer_deferred(self, Now(input)).compute()
    }

    fn infer_deferred<I: Deferred<(Tensor<X, E>, Tensor<K, E>, B)>>(
        &self,
        input: I,
    ) -> impl Deferred<Self::Out> + use<X, K, E, B, S, P, D, G, I> {
        let (x, kernel, bias) = input.compute();
        Conv { op: PhantomData::<Self>, inference: true, x, kernel, bias }
    }
}

/// A convolution that is about to be computed.
struct Conv<X: Shape, K: Shape, E: Float, B, Op> {
    op: PhantomData<Op>,
    /// Whether no backward pass follows.
    inference: bool,
    x: Tensor<X, E>,
    kernel: Tensor<K, E>,
    bias: B,
}

impl<X, K, E, B, S, P, D, G> Conv<X, K, E, B, Op<S, P, D, G>>
where
    X: Convolves<K, S, P, D, G>,
    K: SplitLast,
    E: Float,
    B: PerFeature<(K::Last,), E>,
    S: PerAxis,
    P: ImagePadding,
    D: PerAxis,
    G: Number,
{
    /// With the bias, and with `f` of every element if that is `relu`.
    fn epilogue<F: Unary>(&self) -> Option<Epilogue<'_, E>> {
        self.bias.numbers().filter(|_| F::IS_RELU).map(Epilogue::BiasRelu)
    }

    fn write(&self, epilogue: Epilogue<'_, E>) -> Tensor<X::Out, E> {
        let Conv { inference, x, kernel, .. } = self;
        let (geometry, shape) = Op::<S, P, D, G>::sizes(x, kernel);
        let (x, kernel) = (x.as_slice(), kernel.as_slice());
        Tensor::written(shape, |y| match inference {
            true => conv_inference(&geometry, x, kernel, epilogue, None, y),
            false => conv_forward(&geometry, x, kernel, epilogue, y),
        })
    }

    /// Writes the pooling alone, if that halves the images.
    fn write_pooled<Q: Pooling<X::Out>>(
        &self,
        epilogue: Epilogue<'_, E>,
        pooling: &Q,
    ) -> Option<Tensor<Q::Out, E>> {
        let Conv { inference, x, kernel, .. } = self;
        let (geometry, shape) = Op::<S, P, D, G>::sizes(x, kernel);
        let (halving, shape) = pooling.halving(shape).filter(|_| *inference)?;
        let (x, kernel) = (x.as_slice(), kernel.as_slice());
        Some(Tensor::written(shape, |y| {
            conv_inference(&geometry, x, kernel, epilogue, Some(halving), y);
        }))
    }
}

impl<X, K, E, B, S, P, D, G> Deferred<Tensor<X::Out, E>> for Conv<X, K, E, B, Op<S, P, D, G>>
where
    X: Convolves<K, S, P, D, G>,
    K: SplitLast,
    E: Float,
    B: PerFeature<(K::Last,), E>,
    S: PerAxis,
    P: ImagePadding,
    D: PerAxis,
    G: Number,
{
    fn compute(self) -> Tensor<X::Out, E> {
        self.write(self.bias.epilogue())
    }

    fn map<F: Unary>(self, f: F) -> Tensor<X::Out, E> {
        match self.epilogue::<F>() {
            Some(epilogue) => self.write(epilogue),
            None => self.compute().map(f),
        }
    }

    fn pool<Q: Pooling<ShapeOf<Tensor<X::Out, E>>>>(self, pooling: &Q) -> Pooled<Tensor<X::Out, E>, Q> {
        let pooled = self.write_pooled(self.bias.epilogue(), pooling);
        pooled.unwrap_or_else(|| self.compute().pool(pooling))
    }

    fn map_pool<F: Unary, Q: Pooling<ShapeOf<Tensor<X::Out, E>>>>(
        self,
        f: F,
        pooling: &Q,
    ) -> Pooled<Tensor<X::Out, E>, Q> {
        let pooled = self.epilogue::<F>().and_then(|epilogue| self.write_pooled(epilogue, pooling));
        pooled.unwrap_or_else(|| self.map(f).pool(pooling))
    }
}

impl<X, K, E, B, S, P, D, G, NX, NK, NB> Differentiable<(Tensor<X, E>, Tensor<K, E>, B), (NX, NK, NB)>
    for Op<S, P, D, G>
where
    X: Convolves<K, S, P, D, G>,
    K: SplitLast,
    E: Float,
    B: PerFeature<(K::Last,), E>,
    S: PerAxis,
    P: ImagePadding,
    D: PerAxis,
    G: Number,
    NX: Need,
    NK: Need,
    NB: Need,
{
    type Residuals = Residuals<X, K, E, NX, NK>;

    fn forward(&self, input: (Tensor<X, E>, Tensor<K, E>, B)) -> (Self::Out, Self::Residuals) {
        let (y, residuals) = Differentiable::<_, (NX, NK, NB)>::forward_deferred(self, Now(input));
        (y.compute(), residuals)
    }

    fn forward_deferred<I: Deferred<(Tensor<X, E>, Tensor<K, E>, B)>>(
        &self,
        input: I,
    ) -> (impl Deferred<Self::Out> + use<X, K, E, B, S, P, D, G, NX, NK, NB, I>, Self::Residuals) {
        let (x, kernel, bias) = input.compute();
        let residuals = Residuals {
            shapes: (x.shape(), kernel.shape()),
            x: NK::when(|| x.clone()),
            kernel: NX::when(|| kernel.clone()),
        };
        (Conv { op: PhantomData::<Self>, inference: false, x, kernel, bias }, residuals)
    }

    fn backward(
        &self,
        Residuals { x, kernel, shapes }: Self::Residuals,
        cotangent: Self::Out,
    ) -> (NX::Of<Tensor<X, E>>, NK::Of<Tensor<K, E>>, NB::Of<B>) {
        let geometry = Self::geometry(shapes.0, shapes.1, cotangent.shape());
        let cotangent = cotangent.as_slice();
        let dx = NX::map(kernel, |kernel| {
            Tensor::written(shapes.0, |dx| conv_input_gradient(&geometry, cotangent, kernel.as_slice(), dx))
        });
        let features = (shapes.1.last(),);
        let (dkernel, dbias) = NB::choose(
            x,
            |x| {
                let mut dbias = None;
                let dkernel = NK::map(x, |x| {
                    Tensor::written(shapes.1, |dkernel| {
                        dbias = Some(B::written(features, |dbias| {
                            conv_kernel_gradient(&geometry, x.as_slice(), cotangent, dkernel, dbias);
                        }));
                    })
                });
                (dkernel, dbias.unwrap_or_else(|| per_feature::cotangent(features, cotangent)))
            },
            |x| {
                NK::map(x, |x| {
                    Tensor::written(shapes.1, |dkernel| {
                        conv_kernel_gradient(&geometry, x.as_slice(), cotangent, dkernel, None);
                    })
                })
            },
        );
        (dx, dkernel, dbias)
    }
}

impl<X, K, E, S, P, D, G> op::Op<(Tensor<X, E>, Tensor<K, E>)> for Op<S, P, D, G>
where
    X: Convolves<K, S, P, D, G>,
    K: SplitLast,
    E: Float,
    S: PerAxis,
    P: ImagePadding,
    D: PerAxis,
    G: Number,
{
    type Out = Tensor<X::Out, E>;

    fn infer(&self, (x, kernel): (Tensor<X, E>, Tensor<K, E>)) -> Self::Out {
        op::Op::infer(self, (x, kernel, ()))
    }
}

impl<X, K, E, S, P, D, G, NX, NK> Differentiable<(Tensor<X, E>, Tensor<K, E>), (NX, NK)> for Op<S, P, D, G>
where
    X: Convolves<K, S, P, D, G>,
    K: SplitLast,
    E: Float,
    S: PerAxis,
    P: ImagePadding,
    D: PerAxis,
    G: Number,
    NX: Need,
    NK: Need,
{
    type Residuals = Residuals<X, K, E, NX, NK>;

    fn forward(&self, (x, kernel): (Tensor<X, E>, Tensor<K, E>)) -> (Self::Out, Self::Residuals) {
        Differentiable::<_, (NX, NK, No)>::forward(self, (x, kernel, ()))
    }

    fn backward(
        &self,
        residuals: Self::Residuals,
        cotangent: Self::Out,
    ) -> (NX::Of<Tensor<X, E>>, NK::Of<Tensor<K, E>>) {
        let (dx, dkernel, ()) =
            Differentiable::<(_, _, ()), (NX, NK, No)>::backward(self, residuals, cotangent);
        (dx, dkernel)
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::op::Op as _;
    use crate::ops::testing::{fits, gradient2, gradient3, random, refused};
    use crate::prelude::*;
    use crate::shape::Size;
    use crate::shape::window::{Pad, Valid};

    #[test]
    fn values() {
        let x = Tensor::<(U1, U3, U3, U1)>::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]).unwrap();
        let kernel = Tensor::<(U2, U2, U1, U1)>::of(&[1.0, 10.0, 100.0, 1000.0]).unwrap();
        let y = Op::<U1, Valid>::new().infer((x.clone(), kernel.clone()));
        assert_eq!(y.as_slice(), [5421.0, 6532.0, 8754.0, 9865.0]);
        let y = Op::<U2>::new().infer((x, kernel, Tensor::<(U1,)>::of(&[0.5]).unwrap()));
        assert_eq!(y.as_slice(), [5421.5, 603.5, 87.5, 9.5]);
    }

    #[test]
    fn gradients() {
        let (kernel, bias) = (random(<(U3, U2, U2, U4)>::default(), 2), random((U4::default(),), 3));
        gradient3(&Op::<U1>::new(), random(<(U2, U3, U4, U2)>::default(), 1), kernel.clone(), bias.clone());
        gradient3(
            &Op::<(U2, U1), Valid>::new(),
            random((Dyn(1), U6::default(), Dyn(3), U2::default()), 1),
            kernel.clone(),
            bias.clone(),
        );
        gradient3(
            &Op::<U1, (Pad<U1, U2>, Same), U2>::new(),
            random(<(U4, U3, U2)>::default(), 1),
            kernel.clone(),
            bias.clone(),
        );
        gradient2(
            &Op::<U2, Same, U1, U2>::new(),
            random(<(U1, U2, U5, U3, U4)>::default(), 1),
            kernel.clone(),
        );
        gradient3(
            &Op::<U1>::new(),
            random((Dyn(0), U3::default(), U3::default(), U2::default()), 1),
            kernel,
            bias,
        );
    }

    #[test]
    fn the_rule() {
        let images = |c| Sizes::new(&[Size::Named("B"), Size::Known(28), Size::Known(27), Size::Known(c)]);
        let kernel = Sizes::known(&[3, 3, 2, 8]);
        fits(Op::<U1>::shape([images(2), kernel, Sizes::known(&[8])]), "[B, 28, 27, 8]");
        fits(Op::<U2, Same, U1, U2>::shape([images(4), kernel]), "[B, 14, 14, 8]");
        fits(Op::<U1, Valid>::shape([Sizes::new(&[Size::Unknown; 3]), kernel]), "[?, ?, 8]");
        refused(
            Op::<U1>::shape([images(3), kernel]),
            "conv: a kernel of [3, 3, 2, 8] takes 2 channels, the images are [B, 28, 27, 3]",
        );
        refused(
            Op::<U1, Same, U1, U3>::shape([images(6), kernel]),
            "conv: 3 groups do not divide the 6 channels of [B, 28, 27, 6] and the 8 features of the output",
        );
        refused(
            Op::<U1>::shape([images(2), kernel, Sizes::known(&[2])]),
            "conv: a bias of [2] for 8 features",
        );
        refused(
            Op::<U1>::shape([Sizes::known(&[28, 28]), kernel]),
            "conv: expects images [.., H, W, C] and a kernel [KH, KW, C, F], got [28, 28] and [3, 3, 2, 8]",
        );
        refused(
            Op::<U1, Valid, U20>::shape([images(2), kernel]),
            "conv: no window of 3x3 fits [B, 28, 27, 2]; pad with `Same`, or take a smaller window",
        );
    }

    #[test]
    #[should_panic = "conv: no window of 3x3 fits [1, 2, 5, 1]"]
    fn sizes_that_only_the_program_knows_are_checked() {
        let x = random((Dyn(1), Dyn(2), Dyn(5), U1::default()), 1);
        Op::<U1, Valid>::new().infer((x, random(<(U3, U3, U1, U1)>::default(), 2)));
    }
}
