//! Initialisers, under the names of `flax.linen.initializers`.
//!
//! An [`Initializer`] is a value that a layer's configuration holds. From a key and a shape it makes an array:
//!
//! ```
//! use flaxen::prelude::*;
//! use flaxen::init::{glorot_uniform, truncated_normal};
//!
//! let kernel: Tensor![4, 3] = glorot_uniform().init(Key::new(0), Default::default());
//! assert!(kernel.as_slice().iter().all(|weight| weight.abs() <= (6.0_f32 / 7.0).sqrt()));
//! let other: Tensor![4, 3] = truncated_normal(0.02, -2.0, 2.0).init(Key::new(1), Default::default());
//! ```
//!
//! The numbers are those of Flax with the same key, to a few units in the last place.

mod orthogonal;
mod variance_scaling;

use serde::{Deserialize, Serialize};

use crate::rng::{Distribution, Key, Normal, TruncatedNormal, Uniform};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use orthogonal::Orthogonal;

pub use variance_scaling::{FanMode, Spread, VarianceScaling};

/// How the first values of a parameter are made.
///
/// The functions of this module make one, under Flax's names; [`VarianceScaling`] has the axes besides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Initializer {
    /// The same value everywhere.
    Constant(f32),
    /// Normal numbers with this standard deviation.
    Normal {
        /// The standard deviation.
        stddev: f32,
    },
    /// Uniform numbers from 0 to `scale`.
    Uniform {
        /// The upper bound.
        scale: f32,
    },
    /// Normal numbers between two bounds.
    TruncatedNormal {
        /// The standard deviation before the truncation, which makes it smaller.
        stddev: f32,
        /// The lower bound, in standard deviations.
        lower: f32,
        /// The upper bound, in standard deviations.
        upper: f32,
    },
    /// Numbers whose variance depends on the shape.
    VarianceScaling(VarianceScaling),
    /// A matrix with orthonormal rows or columns.
    Orthogonal {
        /// What the matrix is multiplied by.
        scale: f32,
        /// The axis of the columns; the others together are the rows. Negative axes count from the end.
        column_axis: isize,
    },
    /// A convolution kernel that is such a matrix in the middle of its window, and zero elsewhere.
    DeltaOrthogonal {
        /// What the matrix is multiplied by.
        scale: f32,
        /// The axis of the columns of the matrix.
        column_axis: isize,
    },
}

impl Initializer {
    /// Makes a tensor of this shape. In `f64` the numbers are those of `f32`, widened.
    ///
    /// # Panics
    /// As [`fill`](Self::fill).
    pub fn init<S: Shape, E: Float>(&self, key: Key, shape: S) -> Tensor<S, E> {
        let mut values = Tensor::<S, f32>::zeros(shape);
        self.fill(key, shape.sizes().as_ref(), values.as_mut_slice());
        Tensor::from_fn(shape, |i| E::from_f64(values.as_slice()[i].into()))
    }

    /// Fills an array, given by its elements in row-major order and its sizes.
    ///
    /// # Panics
    /// If the elements are not as many as the sizes say, or the initialiser has no meaning for such sizes:
    /// variance scaling and orthogonal matrices need two axes, delta-orthogonal kernels three, and no more
    /// inputs than outputs.
    pub fn fill(&self, key: Key, sizes: &[usize], out: &mut [f32]) {
        assert_eq!(out.len(), sizes.iter().product::<usize>(), "elements of an array of sizes {sizes:?}");
        match *self {
            Self::Constant(value) => out.fill(value),
            Self::Normal { stddev } => scaled(key, &Normal, stddev, out),
            Self::Uniform { scale } => scaled(key, &Uniform::UNIT, scale, out),
            Self::TruncatedNormal { stddev, lower, upper } => {
                scaled(key, &TruncatedNormal::new(lower, upper), stddev, out);
            }
            Self::VarianceScaling(scaling) => scaling.fill(key, sizes, out),
            Self::Orthogonal { scale, column_axis } => {
                Orthogonal { scale, column_axis }.fill(key, sizes, out);
            }
            Self::DeltaOrthogonal { scale, column_axis } => {
                Orthogonal { scale, column_axis }.fill_centre(key, sizes, out);
            }
        }
    }
}

/// Draws, multiplied by a number.
fn scaled(key: Key, distribution: &impl Distribution<Value = f32>, factor: f32, out: &mut [f32]) {
    key.fill(distribution, out);
    out.iter_mut().for_each(|value| *value *= factor);
}

/// 0 everywhere.
pub const fn zeros() -> Initializer {
    constant(0.0)
}

/// 1 everywhere.
pub const fn ones() -> Initializer {
    constant(1.0)
}

/// The same value everywhere.
pub const fn constant(value: f32) -> Initializer {
    Initializer::Constant(value)
}

/// Normal numbers with mean 0 and this standard deviation; Flax's default is 0.01.
pub const fn normal(stddev: f32) -> Initializer {
    Initializer::Normal { stddev }
}

/// Uniform numbers from 0 to `scale`; Flax's default is 0.01.
pub const fn uniform(scale: f32) -> Initializer {
    Initializer::Uniform { scale }
}

/// Normal numbers between `lower` and `upper` standard deviations, which Flax has -2 and 2 for, and 0.01 for
/// `stddev`.
///
/// As in JAX the standard deviation is that before the truncation.
pub const fn truncated_normal(stddev: f32, lower: f32, upper: f32) -> Initializer {
    Initializer::TruncatedNormal { stddev, lower, upper }
}

/// Numbers with the variance `scale / fan` for a kernel `[.., in, out]`. [`VarianceScaling`] has other axes too.
pub const fn variance_scaling(scale: f64, mode: FanMode, distribution: Spread) -> Initializer {
    Initializer::VarianceScaling(VarianceScaling::new(scale, mode, distribution))
}

/// Truncated normal numbers with the variance `1 / fan_in`: LeCun et al., "Efficient BackProp" (1998). The
/// kernels of Flax's layers.
pub const fn lecun_normal() -> Initializer {
    variance_scaling(1.0, FanMode::FanIn, Spread::TruncatedNormal)
}

/// Uniform numbers with the variance `1 / fan_in`.
pub const fn lecun_uniform() -> Initializer {
    variance_scaling(1.0, FanMode::FanIn, Spread::Uniform)
}

/// Truncated normal numbers with the variance `2 / (fan_in + fan_out)`: Glorot and Bengio, "Understanding the
/// difficulty of training deep feedforward neural networks" (2010).
pub const fn glorot_normal() -> Initializer {
    variance_scaling(1.0, FanMode::FanAvg, Spread::TruncatedNormal)
}

/// Uniform numbers with the variance `2 / (fan_in + fan_out)`.
pub const fn glorot_uniform() -> Initializer {
    variance_scaling(1.0, FanMode::FanAvg, Spread::Uniform)
}

/// Truncated normal numbers with the variance `2 / fan_in`: He et al., "Delving deep into rectifiers" (2015).
pub const fn he_normal() -> Initializer {
    variance_scaling(2.0, FanMode::FanIn, Spread::TruncatedNormal)
}

/// Uniform numbers with the variance `2 / fan_in`.
pub const fn he_uniform() -> Initializer {
    variance_scaling(2.0, FanMode::FanIn, Spread::Uniform)
}

pub use {
    glorot_normal as xavier_normal, glorot_uniform as xavier_uniform, he_normal as kaiming_normal,
    he_uniform as kaiming_uniform,
};

/// A matrix with orthonormal rows or columns, whichever are fewer: Saxe et al., "Exact solutions to the
/// nonlinear dynamics of learning in deep linear neural networks" (2013). The last axis is that of the
/// columns; Flax's default for `scale` is 1.
pub const fn orthogonal(scale: f32) -> Initializer {
    Initializer::Orthogonal { scale, column_axis: -1 }
}

/// A convolution kernel that is an orthogonal matrix in the middle of its window and zero elsewhere: Xiao et
/// al., "Dynamical isometry and a mean field theory of CNNs" (2018).
pub const fn delta_orthogonal(scale: f32) -> Initializer {
    Initializer::DeltaOrthogonal { scale, column_axis: -1 }
}

/// The place of an axis that may count from the end.
///
/// # Panics
/// If there is no such axis.
fn axis(axis: isize, rank: usize) -> usize {
    let place = if axis < 0 { axis + rank as isize } else { axis };
    assert!((0..rank as isize).contains(&place), "an array of {rank} axes has no axis {axis}");
    place as usize
}
