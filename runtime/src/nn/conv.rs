//! The convolution layer.

use super::{KernelBias, Layer, NoBias, UseBias, WithBias};
use crate::batching::{AsLeadingAxis, Vmapped};
use crate::init::{Initializer, lecun_normal, zeros};
use crate::keyword::{self, Switch, With};
use crate::module::{Module, Trainable};
use crate::op::{Deferred, Differentiable, Handover, Need, Now, Op as _, Yes};
use crate::ops::conv;
use crate::rng::Scope;
use crate::shape::decimal::Number;
use crate::shape::dim::Dim1;
use crate::shape::divide::Divided;
use crate::shape::window::{Convolves, Image, ImagePadding, PerAxis, Same};
use crate::shape::{Message, Rule, Size, Sizes, Static};
use crate::tensor::{Float, Tensor};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// A convolution of images with `F` output features and a window of `K`, as `nn.Conv`: `[.., H, W, C]` gives `[.., H', W', F]`.
///
/// | argument | keyword | default |
/// |---|---|---|
/// | `S` | `strides = (2, 2)` | 1 |
/// | `P` | `padding = Valid` | [`Same`] |
/// | `D` | `kernel_dilation = (2, 2)` | 1 |
/// | `G` | `feature_group_count = 4` | 1 |
/// | `B` | `use_bias = false` | [`WithBias`] |
///
/// | parameter | shape | initialiser |
/// |---|---|---|
/// | `kernel` | `[KH, KW, C / G, F]` | [`lecun_normal`] |
/// | `bias` | `[F]` | [`zeros`] |
///
/// ```
/// use flaxen::module::Module;
/// use flaxen::nn::Conv;
/// use flaxen::prelude::*;
/// use flaxen::rng::Scope;
///
/// let layer = Conv::<U32, (U3, U3)>::new();
/// let images: Tensor![2, 28, 28, 1] = Tensor::full(Default::default(), 1.0);
/// let (params, ()) = Module::<Tensor![2, 28, 28, 1]>::init(&layer, &Scope::root(Key::new(0)));
/// assert_eq!(format!("{params:?}"), "{kernel: (3, 3, 1, 32), bias: (32,)}");
/// let y: Tensor![2, 28, 28, 32] = layer.infer(&params, &mut (), &Scope::without_streams(), images);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Conv<F, K, S = Dim1<1>, P = Same, D = Dim1<1>, G = Dim1<1>, B = WithBias> {
    kernel_init: Initializer,
    bias_init: Initializer,
    #[serde(skip)]
    arguments: PhantomData<(F, K, S, P, D, G, B)>,
}

/// The parameters of [`Conv`] with `C` input features a group: `kernel` `[KH, KW, C, F]` and `bias` `[F]`.
pub type ConvParams<KH, KW, C, F, E = f32, B = WithBias> = KernelBias<(KH, KW, C, F), E, B>;

/// The kernel of a layer over images `X`.
type Kernel<X, F, KH, KW, G> = (KH, KW, <<X as Image>::Features as Divided<G>>::Out, F);

impl<F, K, S, P, D, G, B> Conv<F, K, S, P, D, G, B>
where
    F: Static,
    K: PerAxis,
    S: PerAxis,
    P: ImagePadding,
    D: PerAxis,
    G: Number,
    B: UseBias,
{
    /// A layer with Flax's initialisers.
    pub const fn new() -> Self {
        Conv { kernel_init: lecun_normal(), bias_init: zeros(), arguments: PhantomData }
    }

    /// The layer with another initialiser of the kernel.
    pub const fn kernel_init(mut self, kernel_init: Initializer) -> Self {
        self.kernel_init = kernel_init;
        self
    }

    /// The layer with another initialiser of the bias.
    pub const fn bias_init(mut self, bias_init: Initializer) -> Self {
        self.bias_init = bias_init;
        self
    }

    /// The rule in numbers: `[.., H, W, C]` gives `[.., H', W', F]`.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        if x.rank() < 3 {
            return Rule::Refused(Message::new("Conv: expects images [B, H, W, C], got ").sizes(x));
        }
        let (rows, columns) = (<K::Height as Static>::N, <K::Width as Static>::N);
        let kernel = [Size::Known(rows), Size::Known(columns), Size::Unknown, F::SIZE];
        conv::rule::<S, P, D>("Conv", x, Sizes::new(&kernel), G::N)
    }
}

impl<F, K, S, P, D, G, B> Layer for Conv<F, K, S, P, D, G, B> {}

impl<F, K, S, P, D, G, B> Vmapped for Conv<F, K, S, P, D, G, B> {
    type Rule = AsLeadingAxis;
}

impl<F, K, S, P, D, G, B> Default for Conv<F, K, S, P, D, G, B>
where
    F: Static,
    K: PerAxis,
    S: PerAxis,
    P: ImagePadding,
    D: PerAxis,
    G: Number,
    B: UseBias,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<F, K, S, P, D, G, B, V> With<keyword::strides, V> for Conv<F, K, S, P, D, G, B> {
    type Out = Conv<F, K, V, P, D, G, B>;
}

impl<F, K, S, P, D, G, B, V> With<keyword::padding, V> for Conv<F, K, S, P, D, G, B> {
    type Out = Conv<F, K, S, V, D, G, B>;
}

impl<F, K, S, P, D, G, B, V> With<keyword::kernel_dilation, V> for Conv<F, K, S, P, D, G, B> {
    type Out = Conv<F, K, S, P, V, G, B>;
}

impl<F, K, S, P, D, G, B, V> With<keyword::feature_group_count, V> for Conv<F, K, S, P, D, G, B> {
    type Out = Conv<F, K, S, P, D, V, B>;
}

impl<F, K, S, P, D, G, B, V: Switch> With<keyword::use_bias, V> for Conv<F, K, S, P, D, G, B> {
    type Out = Conv<F, K, S, P, D, G, V::Choose<WithBias, NoBias>>;
}

impl<X, E, F, KH, KW, S, P, D, G, B> Module<Tensor<X, E>> for Conv<F, (KH, KW), S, P, D, G, B>
where
    X: Image + Convolves<Kernel<X, F, KH, KW, G>, S, P, D, G>,
    X::Features: Divided<G>,
    <X::Features as Divided<G>>::Out: Static,
    E: Float,
    F: Static,
    KH: Number,
    KW: Number,
    S: PerAxis,
    P: ImagePadding,
    D: PerAxis,
    G: Number,
    B: UseBias,
{
    type Out = Tensor<X::Out, E>;
    type Params = KernelBias<Kernel<X, F, KH, KW, G>, E, B>;
    type State = ();
    type Updates = ();
    type Draws = ();
    /// With a batch of images.
    const EXAMPLE_BYTES: Option<usize> = if X::RANK > 3 { Some(0) } else { None };
    const HANDOVER: Handover = Handover::Left;

    fn init(&self, scope: &Scope) -> (Self::Params, ()) {
        (KernelBias::init(scope, &self.kernel_init, &self.bias_init), ())
    }

    fn infer(&self, params: &Self::Params, (): &mut (), _: &Scope, x: Tensor<X, E>) -> Self::Out {
        conv::Op::<S, P, D, G>::new().infer((x, params.kernel.clone(), params.bias.clone()))
    }

    fn infer_deferred(
        &self,
        params: &Self::Params,
        (): &mut (),
        _: &Scope,
        x: Tensor<X, E>,
    ) -> impl Deferred<Self::Out> + use<X, E, F, KH, KW, S, P, D, G, B> {
        let input = (x, params.kernel.clone(), params.bias.clone());
        conv::Op::<S, P, D, G>::new().infer_deferred(Now(input))
    }
}

impl<X, E, F, KH, KW, S, P, D, G, B, N> Trainable<Tensor<X, E>, N> for Conv<F, (KH, KW), S, P, D, G, B>
where
    X: Image + Convolves<Kernel<X, F, KH, KW, G>, S, P, D, G>,
    X::Features: Divided<G>,
    <X::Features as Divided<G>>::Out: Static,
    E: Float,
    F: Static,
    KH: Number,
    KW: Number,
    S: PerAxis,
    P: ImagePadding,
    D: PerAxis,
    G: Number,
    B: UseBias,
    N: Need,
{
    type Residuals = conv::Residuals<X, Kernel<X, F, KH, KW, G>, E, N, Yes>;

    fn forward(
        &self,
        params: &Self::Params,
        (): &mut (),
        _: &Scope,
        x: Tensor<X, E>,
    ) -> (Self::Out, Self::Residuals) {
        let op = conv::Op::<S, P, D, G>::new();
        Differentiable::<_, (N, Yes, Yes)>::forward(&op, (x, params.kernel.clone(), params.bias.clone()))
    }

    fn forward_deferred(
        &self,
        params: &Self::Params,
        (): &mut (),
        _: &Scope,
        x: Tensor<X, E>,
    ) -> (impl Deferred<Self::Out> + use<X, E, F, KH, KW, S, P, D, G, B, N>, Self::Residuals) {
        let op = conv::Op::<S, P, D, G>::new();
        let input = (x, params.kernel.clone(), params.bias.clone());
        Differentiable::<_, (N, Yes, Yes)>::forward_deferred(&op, Now(input))
    }

    fn backward(
        &self,
        _: &Self::Params,
        residuals: Self::Residuals,
        cotangent: Self::Out,
    ) -> (Self::Params, N::Of<Tensor<X, E>>) {
        let op = conv::Op::<S, P, D, G>::new();
        let (dx, kernel, bias) =
            Differentiable::<(_, _, B::Of<(F,), E>), (N, Yes, Yes)>::backward(&op, residuals, cotangent);
        (KernelBias { kernel, bias }, dx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Dense;
    use crate::op;
    use crate::ops::avg_pool;
    use crate::ops::testing::{fits, refused};
    use crate::prelude::*;
    use crate::shape::window::Valid;

    type First = Conv<U32, (U3, U3)>;
    type Second = Conv<U64, (U3, U3)>;
    type Pool = avg_pool::Op<U2, U2>;

    /// The projections that `#[module]` writes for the body of a model.
    type V0<B> = Tensor<(B, U28, U28, U1)>;
    type V1<B> = <First as Module<V0<B>>>::Out;
    type V2<B> = <Pool as op::Op<V1<B>>>::Out;
    type V3<B> = <Second as Module<V2<B>>>::Out;
    type V4<B> = <Pool as op::Op<V3<B>>>::Out;

    type Params = (<First as Module<V0<Dyn>>>::Params, <Second as Module<V2<Dyn>>>::Params);

    /// A body whose batch is generic: every value has the type that one would write by hand.
    fn features<B: Batch>(params: &Params, x: Tensor<(B, U28, U28, U1)>) -> Tensor<(B, U7, U7, U64)> {
        let scope = Scope::without_streams();
        let x: Tensor<(B, U28, U28, U32)> = First::new().infer(&params.0, &mut (), &scope, x);
        let x: V2<B> = Pool::new().infer(x);
        let x: V3<B> = Second::new().infer(&params.1, &mut (), &scope, x);
        let x: V4<B> = Pool::new().infer(x);
        x
    }

    /// Parameters of a model with a generic batch are those of any batch.
    fn init<B: Batch>(scope: &Scope) -> Params {
        let (first, ()): (<First as Module<V0<B>>>::Params, ()) =
            Module::<V0<B>>::init(&First::new(), &scope.child("Conv_0"));
        let (second, ()) = Module::<V2<B>>::init(&Second::new(), &scope.child("Conv_1"));
        (first, second)
    }

    #[test]
    fn a_generic_batch_takes_part_in_every_type() {
        let params = init::<U5>(&Scope::root(Key::new(0)));
        let batch = Tensor::from_fn(<(U2, U28, U28, U1)>::default(), |i| (i % 17) as f32 / 17.0);
        let small = features(&params, batch.clone());
        let any = features(&params, batch.with_batch::<Dyn>().unwrap());
        assert_eq!(any.sizes(), [2, 7, 7, 64]);
        assert_eq!(small.as_slice(), any.as_slice());
    }

    #[test]
    fn parameters_print_and_walk_as_a_tree() {
        let params = init::<Dyn>(&Scope::root(Key::new(0))).0;
        assert_eq!(format!("{params:?}"), "{kernel: (3, 3, 1, 32), bias: (32,)}");
        assert_eq!(format!("{params:#?}"), "{\n    kernel: (3, 3, 1, 32),\n    bias: (32,),\n}");
        let paths: Vec<String> = params.leaves().into_iter().map(|leaf| leaf.path).collect();
        assert_eq!(paths, ["kernel", "bias"]);
        let mut sum = params.clone();
        sum.accumulate(params.clone());
        assert_eq!(sum.kernel.as_slice()[7], 2.0 * params.kernel.as_slice()[7]);
        assert_eq!(sum.zeros_like().elements(), 3 * 3 * 32 + 32);
    }

    #[test]
    fn keywords_set_the_type() {
        type A = <Conv<U6, (U3, U3)> as With<keyword::strides, (U2, U2)>>::Out;
        type B = <A as With<keyword::padding, Valid>>::Out;
        type C = <B as With<keyword::feature_group_count, U3>>::Out;
        type D = <C as With<keyword::use_bias, keyword::False>>::Out;
        type Expected = Conv<U6, (U3, U3), (U2, U2), Valid, U1, U3, NoBias>;
        let layer: Expected = D::new();
        let (params, ()) = Module::<Tensor![9, 9, 3]>::init(&layer, &Scope::root(Key::new(0)));
        assert_eq!(format!("{params:?}"), "{kernel: (3, 3, 1, 6)}");
        let _: Tensor![4, 4, 6] = layer.infer(
            &params,
            &mut (),
            &Scope::without_streams(),
            Tensor::<(U9, U9, U3)>::zeros(Default::default()),
        );
        let _: <Dense<U3> as With<keyword::use_bias, keyword::True>>::Out = Dense::<U3>::new();
    }

    #[test]
    fn the_rule() {
        let x = Sizes::new(&[Size::Named("B"), Size::Known(28), Size::Known(28), Size::Known(4)]);
        fits(Conv::<U32, (U3, U3)>::shape([x]), "[B, 28, 28, 32]");
        fits(Conv::<U32, (U3, U3), U2, Valid, U1, U4>::shape([x]), "[B, 13, 13, 32]");
        refused(
            Conv::<U32, (U3, U3)>::shape([Sizes::known(&[2, 784])]),
            "Conv: expects images [B, H, W, C], got [2, 784]",
        );
        refused(
            Conv::<U32, (U3, U3), U1, Same, U1, U3>::shape([x]),
            "Conv: 3 groups do not divide the 4 channels of [B, 28, 28, 4] and the 32 features of the output",
        );
        refused(
            Conv::<U32, (U29, U3), U1, Valid>::shape([x]),
            "Conv: no window of 29x3 fits [B, 28, 28, 4]; pad with `Same`, or take a smaller window",
        );
        fits(Dense::<U10>::shape([x]), "[B, 28, 28, 10]");
        refused(Dense::<U10>::shape([Sizes::known(&[])]), "Dense: expects [.., features], got a scalar");
    }
}
