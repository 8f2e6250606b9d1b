//! The parameters of a normalisation: a `scale` and a `bias`, each of which a layer may be without.

use super::kernel_bias::{drawn, shapes};
use super::{UseBias, WithBias};
use crate::init::Initializer;
use crate::ops::PerFeature;
use crate::rng::Scope;
use crate::shape::{Shape, StaticShape};
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, branches};
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
    /// The scale of features `S`: a tensor of that shape, or `()`.
    type Of<S: Shape, E: Float>: PerFeature<S, E>;
}

impl UseScale for WithScale {
    type Of<S: Shape, E: Float> = Tensor<S, E>;
}

impl UseScale for NoScale {
    type Of<S: Shape, E: Float> = ();
}

/// A scale and a bias for the features `S`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct ScaleBias<S: Shape, E: Float, A: UseScale = WithScale, B: UseBias = WithBias> {
    /// What the normalised input is multiplied by: a tensor, or `()` for a layer without a scale.
    pub scale: A::Of<S, E>,
    /// What is added: a tensor, or `()` for a layer without a bias.
    pub bias: B::Of<S, E>,
}

impl<S: StaticShape, E: Float, A: UseScale, B: UseBias> ScaleBias<S, E, A, B> {
    /// Draws the scale and then the bias.
    pub(super) fn init(scope: &Scope, scale: &Initializer, bias: &Initializer) -> Self {
        let features = S::default();
        ScaleBias { scale: drawn(scope, scale, features), bias: drawn(scope, bias, features) }
    }
}

impl<S: Shape, E: Float, A: UseScale, B: UseBias> Tree for ScaleBias<S, E, A, B> {
    branches!(Path::child: scale bias);
}

/// Prints the shapes, as Flax does: `{scale: (8,), bias: (8,)}`.
impl<S: Shape, E: Float, A: UseScale, B: UseBias> fmt::Debug for ScaleBias<S, E, A, B> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        shapes(self, formatter)
    }
}
