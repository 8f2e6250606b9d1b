//! Keyword arguments that are types: `compact!(Conv<64, (3, 3)>, strides = (2, 2), use_bias = false)`.
//!
//! The macro turns each keyword that decides a shape or a tree into one application of [`With`] and knows none of them:
//!
//! ```
//! use flaxen::keyword::{self, With};
//! use flaxen::nn::Conv;
//! use flaxen::prelude::*;
//!
//! type Strided = <Conv<U64, (U3, U3)> as With<keyword::strides, (U2, U2)>>::Out;
//! type Layer = <Strided as With<keyword::use_bias, keyword::False>>::Out;
//! # let layer: Layer = Layer::new();
//! ```
#![allow(non_camel_case_types)]

/// A layer with the type-level argument `Keyword` set to `Value`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no argument `{Keyword}` that takes `{Value}`",
    label = "this layer does not know the keyword `{Keyword}`, or not with such a value"
)]
pub trait With<Keyword, Value> {
    /// The layer.
    type Out;
}

macro_rules! keywords {
    ($($(#[$doc:meta])* $keyword:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $keyword;
    )+};
}

keywords! {
    /// The distance between windows: `strides = (2, 2)`, or one for all axes, `strides = 2`.
    strides
    /// What is added around an image: `padding = Valid`, `padding = ((1, 2), (0, 1))`.
    padding
    /// The distance between the taps of a kernel: `kernel_dilation = (2, 2)`.
    kernel_dilation
    /// The number of groups into which the features are divided: `feature_group_count = 4`.
    feature_group_count
    /// Whether there is a bias: `use_bias = false`.
    use_bias
    /// Whether there is a scale: `use_scale = false`.
    use_scale
    /// The axes along which a mask is the same: `broadcast_dims = (1,)`.
    broadcast_dims
    /// How many of the last axes a layer takes together: `axes = 2`.
    axes
    /// How many of the last axes are those of the features: `feature_axes = 2`.
    feature_axes
    /// The features of all heads of an attention together: `qkv_features = 64`.
    qkv_features
    /// The features of an output: `out_features = 64`.
    out_features
    /// Whether queries and keys are normalised: `normalize_qk = true`.
    normalize_qk
    /// Whether a variance is computed in one pass over the input: `use_fast_variance = false`.
    use_fast_variance
    /// The axis of a `vmap!` along which statistics are taken: `axis_name = batch`.
    axis_name
    /// `true` as a type.
    True
    /// `false` as a type.
    False
}

/// [`True`] or [`False`], which chooses between two types.
#[diagnostic::on_unimplemented(message = "`{Self}` is neither `true` nor `false`")]
pub trait Switch {
    /// Whether it is true.
    const ON: bool;
    /// `A` if it is true, `B` if not.
    type Choose<A, B>;
}

impl Switch for True {
    const ON: bool = true;
    type Choose<A, B> = A;
}

impl Switch for False {
    const ON: bool = false;
    type Choose<A, B> = B;
}
