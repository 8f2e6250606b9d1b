//! Dropout.

use super::Layer;
use crate::keyword::{self, With};
use crate::module::{Module, Phase, Trainable};
use crate::op::Need;
use crate::ops::mask::{keep_mask, masked};
use crate::rng::{Scope, Stream, dropout};
use crate::shape::axis::{Axes, beyond};
use crate::shape::{Message, Rule, Shape, Sizes};
use crate::tensor::{Float, Tensor};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// In training each element is zero with the probability `rate`, and otherwise divided by `1 - rate`, as `nn.Dropout`: Srivastava et
/// al., "Dropout" (2014). In evaluation the input is returned as it is.
///
/// Its inputs are the tensor and a [`Phase`]. The masks are Flax's, bit for bit: a coin for each element, with the next key of
/// the stream. A rate of 0 or 1 draws nothing.
///
/// | argument | keyword | default |
/// |---|---|---|
/// | | `rate = 0.1` | 0.5 |
/// | `D` | `broadcast_dims = (1,)`: the axes along which all elements share a coin | none |
/// | `R` | the rng stream, Flax's `rng_collection` | [`dropout`] |
///
/// ```
/// use flaxen::prelude::*;
///
/// let layer = <Dropout>::new().rate(0.5);
/// let x: Tensor![11] = Tensor::full(Default::default(), 1.0);
/// let variables = layer.init(Key::new(1), &(x.clone(), Train));
/// let (y, _) = layer.apply_mut(&variables, (x.clone(), Train), rngs! { dropout: Key::new(0) });
/// assert!(y.as_slice().iter().all(|&y| y == 0.0 || y == 2.0));
/// assert_eq!(layer.apply(&variables, (x.clone(), Eval)), x);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Dropout<D = (), R = dropout> {
    rate: f64,
    #[serde(skip)]
    arguments: PhantomData<(D, R)>,
}

impl<D: Axes, R> Dropout<D, R> {
    /// A layer that drops half of its input, the rate of the paper.
    pub const fn new() -> Self {
        Dropout { rate: 0.5, arguments: PhantomData }
    }

    /// The layer with another probability that an element is dropped.
    ///
    /// # Panics
    /// If it is not between 0 and 1.
    pub const fn rate(mut self, rate: f64) -> Self {
        assert!(rate >= 0.0 && rate <= 1.0, "the rate of a dropout lies between 0 and 1");
        self.rate = rate;
        self
    }

    /// The rule in numbers: the output has the sizes of the first input; the second is the phase.
    pub const fn shape([x, _]: [Sizes; 2]) -> Rule {
        match beyond::<D>(x.rank()) {
            Some(axis) => {
                let message = Message::new("Dropout: `broadcast_dims` names the axis ").number(axis);
                Rule::Refused(message.text(", which is not there in ").sizes(x))
            }
            None => Rule::Out(x),
        }
    }

    /// The mask of a call, if it draws one.
    fn mask<X: Shape, P: Phase>(&self, scope: &Scope, shape: X) -> Option<Tensor<X, bool>>
    where
        R: Stream,
    {
        let draws = P::TRAIN && self.rate > 0.0 && self.rate < 1.0;
        draws.then(|| keep_mask::<X, D>(scope.stream::<R>(), (1.0 - self.rate) as f32, shape))
    }

    /// What is left of the input, or of the cotangent.
    fn apply_mask<X: Shape, E: Float, P: Phase>(
        &self,
        mask: Option<&Tensor<X, bool>>,
        x: Tensor<X, E>,
    ) -> Tensor<X, E> {
        match mask {
            Some(mask) => masked(x, mask, E::from_f64(1.0 - self.rate)),
            None if P::TRAIN && self.rate == 1.0 => Tensor::zeros(x.shape()),
            None => x,
        }
    }
}

impl<D: Axes, R> Default for Dropout<D, R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<D, R> Layer for Dropout<D, R> {}

impl<D, R, A: Axes> With<keyword::broadcast_dims, A> for Dropout<D, R> {
    type Out = Dropout<A, R>;
}

impl<X, E, P, D, R> Module<(Tensor<X, E>, P)> for Dropout<D, R>
where
    X: Shape,
    E: Float,
    P: Phase,
    D: Axes,
    R: Stream,
{
    type Out = Tensor<X, E>;
    type Params = ();
    type State = ();
    type Updates = ();
    type Draws = P::When<R>;

    fn init(&self, _: &Scope) -> ((), ()) {
        ((), ())
    }

    fn infer(&self, (): &(), (): &mut (), scope: &Scope, (x, _): (Tensor<X, E>, P)) -> Self::Out {
        let mask = self.mask::<X, P>(scope, x.shape());
        self.apply_mask::<X, E, P>(mask.as_ref(), x)
    }
}

impl<X, E, P, D, R, NX, NP> Trainable<(Tensor<X, E>, P), (NX, NP)> for Dropout<D, R>
where
    X: Shape,
    E: Float,
    P: Phase,
    D: Axes,
    R: Stream,
    NX: Need,
    NP: Need,
{
    type Residuals = Option<Tensor<X, bool>>;

    fn forward(
        &self,
        (): &(),
        (): &mut (),
        scope: &Scope,
        (x, _): (Tensor<X, E>, P),
    ) -> (Self::Out, Self::Residuals) {
        let mask = self.mask::<X, P>(scope, x.shape());
        (self.apply_mask::<X, E, P>(mask.as_ref(), x), mask)
    }

    fn backward(
        &self,
        (): &(),
        mask: Self::Residuals,
        cotangent: Self::Out,
    ) -> ((), (NX::Of<Tensor<X, E>>, NP::Of<P>)) {
        let dx = NX::when(|| self.apply_mask::<X, E, P>(mask.as_ref(), cotangent));
        ((), (dx, NP::when(P::default)))
    }
}
