//! Initialisers that keep the variance of activations from layer to layer.

use serde::{Deserialize, Serialize};

use super::{Initializer, axis, scaled};
use crate::rng::{Key, Normal, TruncatedNormal, Uniform};

/// What the variance is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FanMode {
    /// The number of inputs of one output.
    FanIn,
    /// The number of outputs of one input.
    FanOut,
    /// Their mean.
    FanAvg,
    /// Their geometric mean.
    FanGeoAvg,
}

/// The distribution that has the variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Normal, cut off at two standard deviations, and widened for what the cut takes away.
    TruncatedNormal,
    /// Normal.
    Normal,
    /// Uniform, symmetric around 0.
    Uniform,
}

/// `variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis)` of `jax.nn.initializers`.
///
/// The variance is `scale / fan`, where `fan_in = sizes[in_axis] * receptive` and
/// `fan_out = sizes[out_axis] * receptive`, and `receptive` is the number of elements divided by the sizes of
/// all the axes named here, one after the other. (So where one axis is both, as in an embedding, `fan_in` is
/// the product of the others.)
///
/// ```
/// use flaxen::init::{FanMode, Initializer, Spread, VarianceScaling};
/// // The default of an embedding, whose rows are the outputs.
/// let embedding = VarianceScaling::new(1.0, FanMode::FanIn, Spread::Normal).out_axis(0);
/// let initializer: Initializer = embedding.into();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VarianceScaling {
    scale: f64,
    mode: FanMode,
    distribution: Spread,
    in_axis: isize,
    out_axis: isize,
    batch_axis: Option<isize>,
}

impl VarianceScaling {
    /// For a kernel `[..., in, out]`.
    pub const fn new(scale: f64, mode: FanMode, distribution: Spread) -> Self {
        Self { scale, mode, distribution, in_axis: -2, out_axis: -1, batch_axis: None }
    }

    /// With another axis of the inputs. Negative axes count from the end.
    pub const fn in_axis(self, in_axis: isize) -> Self {
        Self { in_axis, ..self }
    }

    /// With another axis of the outputs.
    pub const fn out_axis(self, out_axis: isize) -> Self {
        Self { out_axis, ..self }
    }

    /// With an axis that counts for nothing, as it holds kernels beside each other.
    pub const fn batch_axis(self, batch_axis: isize) -> Self {
        Self { batch_axis: Some(batch_axis), ..self }
    }

    /// The variance for these sizes, in the arithmetic of JAX: `f64`, then rounded.
    fn variance(&self, sizes: &[usize]) -> f32 {
        let rank = sizes.len();
        assert!(rank >= 2, "variance scaling needs an axis of inputs and one of outputs, of sizes {sizes:?}");
        let size = |place: isize| sizes[axis(place, rank)] as f64;
        let (input, output) = (size(self.in_axis), size(self.out_axis));
        let elements = sizes.iter().product::<usize>() as f64;
        let receptive = elements / input / output / self.batch_axis.map_or(1.0, size);
        let (fan_in, fan_out) = (input * receptive, output * receptive);
        let fan = match self.mode {
            FanMode::FanIn => fan_in,
            FanMode::FanOut => fan_out,
            FanMode::FanAvg => (fan_in + fan_out) / 2.0,
            FanMode::FanGeoAvg => (fan_in * fan_out).sqrt(),
        };
        (self.scale / fan) as f32
    }

    pub(super) fn fill(&self, key: Key, sizes: &[usize], out: &mut [f32]) {
        /// The standard deviation of a normal number between -2 and 2.
        const TRUNCATED: f32 = 0.879_625_7;
        let variance = self.variance(sizes);
        match self.distribution {
            Spread::TruncatedNormal => {
                scaled(key, &TruncatedNormal::new(-2.0, 2.0), variance.sqrt() / TRUNCATED, out);
            }
            Spread::Normal => scaled(key, &Normal, variance.sqrt(), out),
            Spread::Uniform => scaled(key, &Uniform::new(-1.0, 1.0), (3.0 * variance).sqrt(), out),
        }
    }
}

impl From<VarianceScaling> for Initializer {
    fn from(scaling: VarianceScaling) -> Self {
        Self::VarianceScaling(scaling)
    }
}
