//! The parameters of a normalisation: a `scale` and a `bias` for each feature, either of which may be left out.

use super::{UseBias, WithBias};
use crate::__private::LeafShape;
use crate::init::Initializer;
use crate::ops::Bias;
use crate::rng::Scope;
use crate::shape::{Dim, Shape, Static};
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit, Zip};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The layer has a scale, one number for each feature. The default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WithScale;

/// The layer has no scale: `use_scale = false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoScale;

/// Whether a layer has a scale: [`WithScale`] or [`NoScale`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether there is a scale",
    label = "write `WithScale` or `NoScale`"
)]
pub trait UseScale: Clone + PartialEq + 'static {
    /// The scale of `F` features: a tensor `[F]`, or `()`.
    type Of<F: Dim, E: Float>: Bias<F, E>;
}

impl UseScale for WithScale {
    type Of<F: Dim, E: Float> = Tensor<(F,), E>;
}

impl UseScale for NoScale {
    type Of<F: Dim, E: Float> = ();
}

/// A scale and a bias of `F` features.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ScaleBias<F: Dim, E: Float, S: UseScale = WithScale, B: UseBias = WithBias> {
    /// What each feature is multiplied by: a tensor `[F]`, or `()` for a layer without a scale.
    pub scale: S::Of<F, E>,
    /// What is added to each feature: a tensor `[F]`, or `()` for a layer without a bias.
    pub bias: B::Of<F, E>,
}

impl<F: Static, E: Float, S: UseScale, B: UseBias> ScaleBias<F, E, S, B> {
    /// Draws the scale and then the bias.
    pub(super) fn init(scope: &Scope, scale: &Initializer, bias: &Initializer) -> Self {
        ScaleBias { scale: drawn(scope, scale), bias: drawn(scope, bias) }
    }
}

fn drawn<F: Static, E: Float, T: Bias<F, E>>(scope: &Scope, initializer: &Initializer) -> T {
    let features = F::default();
    T::written(features, |place| {
        if let Some(place) = place {
            let values: Tensor<(F,), E> = initializer.init(scope.param(), (features,));
            place.copy_from_slice(values.as_slice());
        }
    })
}

impl<F: Dim, E: Float, S: UseScale, B: UseBias> Tree for ScaleBias<F, E, S, B> {
    fn visit(&self, path: &Path, visitor: &mut impl Visit) {
        self.scale.visit(&path.child("scale"), visitor);
        self.bias.visit(&path.child("bias"), visitor);
    }

    fn zip<const N: usize>(&mut self, mut others: [&mut Self; N], path: &Path, zip: &mut impl Zip<N>) {
        let scales = others.each_mut().map(|other| &mut other.scale);
        self.scale.zip(scales, &path.child("scale"), zip);
        let biases = others.map(|other| &mut other.bias);
        self.bias.zip(biases, &path.child("bias"), zip);
    }
}

/// Prints the shapes, as Flax does: `{scale: (4,), bias: (4,)}`.
impl<F: Dim, E: Float, S: UseScale, B: UseBias> fmt::Debug for ScaleBias<F, E, S, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        print_shapes(self, formatter)
    }
}

/// Prints the shapes of the leaves of a tree without inner nodes.
pub(super) fn print_shapes(tree: &impl Tree, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
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
