//! The embedding layer.

use super::Layer;
use super::kernel_bias::shapes;
use crate::batching::{AsLeadingAxis, Vmapped};
use crate::init::{FanMode, Initializer, Spread, VarianceScaling};
use crate::module::{Module, Trainable};
use crate::op::{Differentiable, Need, Op as _, Yes};
use crate::ops::one_hot::Label;
use crate::ops::take;
use crate::rng::Scope;
use crate::shape::axis::Append;
use crate::shape::{Dim, Rule, Size, Sizes, Static};
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit, Zip};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;

/// A table of `N` rows of `F` features, of which each index takes one, as `nn.Embed`: `[..]` gives `[.., F]`.
///
/// A negative index counts from the end; one that is no row gives a row of NaN. See [`take`](fn@take).
///
/// | parameter | shape | initialiser |
/// |---|---|---|
/// | `embedding` | `[N, F]` | normal, with a variance of `1 / F` |
///
/// The table of a model without any input of floats is of `E`, `f32` unless said otherwise.
///
/// ```
/// use flaxen::prelude::*;
///
/// #[module]
/// struct Words;
///
/// #[module]
/// impl Words {
///     fn call<B: Batch>(&self, words: Tensor![B, 3; i32]) -> Tensor![B, 3, 4] {
///         compact!(Embed<7, 4>)(words)
///     }
/// }
///
/// let variables = Words::new().init(Key::new(0));
/// assert_eq!(format!("{:?}", variables.params), "{Embed_0: {embedding: (7, 4)}}");
/// let words = Tensor::<(U1, U3), i32>::of(&[6, 0, 6])?;
/// let rows: Tensor![1, 3, 4] = Words::new().apply(&variables, words);
/// assert_eq!(rows.as_slice()[..4], rows.as_slice()[8..]);
/// # Ok::<(), flaxen::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Embed<N, F, E = f32> {
    embedding_init: Initializer,
    #[serde(skip)]
    arguments: PhantomData<(N, F, E)>,
}

/// The parameters of [`Embed`]: `embedding` `[N, F]`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct EmbedParams<N: Dim, F: Dim, E: Float = f32> {
    /// The table.
    pub embedding: Tensor<(N, F), E>,
}

impl<N: Dim, F: Dim, E: Float> Tree for EmbedParams<N, F, E> {
    fn visit(&self, path: &Path, visitor: &mut impl Visit) {
        self.embedding.visit(&path.child("embedding"), visitor);
    }

    fn zip<const M: usize>(&mut self, others: [&mut Self; M], path: &Path, zip: &mut impl Zip<M>) {
        let others = others.map(|other| &mut other.embedding);
        self.embedding.zip(others, &path.child("embedding"), zip);
    }
}

/// Prints the shapes, as Flax does: `{embedding: (7, 4)}`.
impl<N: Dim, F: Dim, E: Float> fmt::Debug for EmbedParams<N, F, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        shapes(self, formatter)
    }
}

impl<N: Static, F: Static, E: Float> Embed<N, F, E> {
    /// A layer with Flax's initialiser.
    pub const fn new() -> Self {
        let rows = VarianceScaling::new(1.0, FanMode::FanIn, Spread::Normal).out_axis(0);
        Embed { embedding_init: Initializer::VarianceScaling(rows), arguments: PhantomData }
    }

    /// The layer with another initialiser.
    pub const fn embedding_init(mut self, embedding_init: Initializer) -> Self {
        self.embedding_init = embedding_init;
        self
    }

    /// The rule in numbers: `[..]` gives `[.., F]`.
    pub const fn shape([indices]: [Sizes; 1]) -> Rule {
        take::Op::shape([Sizes::new(&[Size::Known(N::N), F::SIZE]), indices])
    }
}

impl<N, F, E> Layer for Embed<N, F, E> {}

impl<N, F, E> Vmapped for Embed<N, F, E> {
    type Rule = AsLeadingAxis;
}

impl<N: Static, F: Static, E: Float> Default for Embed<N, F, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, I, N, F, E> Module<Tensor<S, I>> for Embed<N, F, E>
where
    S: Append<F>,
    I: Label,
    N: Static,
    F: Static,
    E: Float,
{
    type Out = Tensor<S::Out, E>;
    type Params = EmbedParams<N, F, E>;
    type State = ();
    type Updates = ();
    type Draws = ();

    fn init(&self, scope: &Scope) -> (Self::Params, ()) {
        (EmbedParams { embedding: self.embedding_init.init(scope.param(), Default::default()) }, ())
    }

    fn infer(&self, params: &Self::Params, (): &mut (), _: &Scope, indices: Tensor<S, I>) -> Self::Out {
        take::Op.infer((params.embedding.clone(), indices))
    }
}

impl<S, I, N, F, E, NI> Trainable<Tensor<S, I>, NI> for Embed<N, F, E>
where
    S: Append<F>,
    I: Label,
    N: Static,
    F: Static,
    E: Float,
    NI: Need,
{
    type Residuals = take::Residuals<N, F, S, I>;

    fn forward(
        &self,
        params: &Self::Params,
        (): &mut (),
        _: &Scope,
        indices: Tensor<S, I>,
    ) -> (Self::Out, Self::Residuals) {
        Differentiable::<_, (Yes, NI)>::forward(&take::Op, (params.embedding.clone(), indices))
    }

    fn backward(
        &self,
        _: &Self::Params,
        residuals: Self::Residuals,
        cotangent: Self::Out,
    ) -> (Self::Params, NI::Of<Tensor<S, I>>) {
        type Inputs<N, F, E, S, I> = (Tensor<(N, F), E>, Tensor<S, I>);
        let (embedding, indices) =
            Differentiable::<Inputs<N, F, E, S, I>, (Yes, NI)>::backward(&take::Op, residuals, cotangent);
        (EmbedParams { embedding }, indices)
    }
}
