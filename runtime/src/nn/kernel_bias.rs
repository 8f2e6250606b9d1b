//! The parameters of a linear layer: a `kernel` and, unless the layer has none, a `bias`.

use crate::__private::LeafShape;
use crate::init::Initializer;
use crate::ops::PerFeature;
use crate::rng::Scope;
use crate::shape::{Shape, SplitLast, StaticShape};
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit, branches};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The layer has a bias, one number for each feature. The default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WithBias;

/// The layer has no bias: `use_bias = false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoBias;

/// Whether a layer has a bias: [`WithBias`] or [`NoBias`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether there is a bias",
    label = "write `WithBias` or `NoBias`"
)]
pub trait UseBias: Clone + PartialEq + 'static {
    /// The bias of features `S`: a tensor of that shape, or `()`.
    type Of<S: Shape, E: Float>: PerFeature<S, E>;

    /// The same numbers for features in another shape.
    fn reshaped<S: Shape, T: Shape, E: Float>(bias: Self::Of<S, E>, sizes: &[usize]) -> Self::Of<T, E>;
}

impl UseBias for WithBias {
    type Of<S: Shape, E: Float> = Tensor<S, E>;

    fn reshaped<S: Shape, T: Shape, E: Float>(bias: Tensor<S, E>, sizes: &[usize]) -> Tensor<T, E> {
        bias.reshaped(sizes)
    }
}

impl UseBias for NoBias {
    type Of<S: Shape, E: Float> = ();

    fn reshaped<S: Shape, T: Shape, E: Float>((): (), _: &[usize]) {}
}

/// A kernel of shape `K`, whose last dimensions are those of the features, `F`, and their bias.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct KernelBias<K: SplitLast, E: Float, B: UseBias = WithBias, F: Shape = (<K as SplitLast>::Last,)> {
    /// What the input is multiplied by.
    pub kernel: Tensor<K, E>,
    /// What is added: a tensor of the features' shape, or `()` for a layer without a bias.
    pub bias: B::Of<F, E>,
}

impl<K: SplitLast + StaticShape, E: Float, B: UseBias> KernelBias<K, E, B> {
    /// Draws the kernel and then the bias.
    pub(super) fn init(scope: &Scope, kernel: &Initializer, bias: &Initializer) -> Self {
        let shape = K::default();
        KernelBias { kernel: kernel.init(scope.param(), shape), bias: drawn(scope, bias, (shape.last(),)) }
    }
}

/// Numbers for the features, if there are to be any.
pub(super) fn drawn<S: Shape, E: Float, P: PerFeature<S, E>>(
    scope: &Scope,
    initializer: &Initializer,
    features: S,
) -> P {
    P::written(features, |place| {
        if let Some(place) = place {
            let values: Tensor<S, E> = initializer.init(scope.param(), features);
            place.copy_from_slice(values.as_slice());
        }
    })
}

impl<K: SplitLast, E: Float, B: UseBias, F: Shape> Tree for KernelBias<K, E, B, F> {
    branches!(Path::child: kernel bias);
}

/// Prints the shapes, as Flax does: `{kernel: (10, 5), bias: (5,)}`.
impl<K: SplitLast, E: Float, B: UseBias, F: Shape> fmt::Debug for KernelBias<K, E, B, F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        shapes(self, formatter)
    }
}

/// Prints the shapes of leaves that have no branches.
pub(super) fn shapes(tree: &impl Tree, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    struct Entries<'a, 'b, 'c>(&'a mut fmt::DebugMap<'b, 'c>);
    impl Visit for Entries<'_, '_, '_> {
        fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
            self.0.entry(&format_args!("{}", path.name()), &LeafShape(leaf));
        }
    }
    let mut map = formatter.debug_map();
    tree.visit(&Path::ROOT, &mut Entries(&mut map));
    map.finish()
}
