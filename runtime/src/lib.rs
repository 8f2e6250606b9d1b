//! Flax Linen for Rust: shapes checked and backward passes written at compile time.

// Generated code names this crate `flaxen`, here too.
extern crate self as flaxen;

#[doc(hidden)]
pub mod __private;
pub mod backend;
pub mod batching;
pub mod checkpoint;
pub mod data;
pub mod error;
#[doc = include_str!("from_flax.md")]
pub mod from_flax {}
pub mod init;
pub mod keyword;
pub mod loss;
pub mod module;
pub mod nn;
pub mod op;
pub mod ops;
pub mod optim;
pub mod rng;
pub mod serialization;
pub mod shape;
pub mod tensor;
pub mod train;
pub mod transform;
pub mod tree;

#[doc(hidden)]
pub use flaxen_macros::__implementation;

pub use error::{Error, Result};
pub use flaxen_macros::{
    Tensor, axis, collection, compact, custom_vjp, differentiable, dim, grad, hessian, hvp, jacfwd, jacrev,
    jvp, make_rng, module, param, rngs, sow, stream, value_and_grad, variable, vjp, vmap,
};
pub use rng::Key;
pub use shape::dim::names;
pub use tensor::Tensor;

/// The code in the README, run as all examples in documentation are.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;

/// What a program that uses flaxen wants in scope.
pub mod prelude {
    pub use crate::init::{
        constant, glorot_normal, glorot_uniform, he_normal, he_uniform, lecun_normal, lecun_uniform, ones,
        zeros,
    };
    pub use crate::loss::*;
    pub use crate::module::{BatchStats, Eval, Intermediates, Phase, Remat, Train, Variables};
    pub use crate::nn::{
        BatchNorm, Conv, Dense, DenseGeneral, Dropout, Embed, Frozen, GroupNorm, InstanceNorm, Layer,
        LayerNorm, MultiHeadDotProductAttention, RMSNorm, SelfAttention, Stack,
    };
    pub use crate::op::Op as _;
    pub use crate::ops::avg_pool_with::{ExcludePad, IncludePad};
    pub use crate::ops::*;
    pub use crate::optim::Schedule as _;
    pub use crate::optim::{
        adafactor, adagrad, adam, adamw, chain, clip_by_global_norm, constant_schedule,
        cosine_decay_schedule, exponential_decay, global_norm, join_schedules, lamb, linear_schedule, lion,
        masked, multi_steps, multi_transform, piecewise_constant_schedule, rmsprop, set_to_zero, sgd,
        warmup_cosine_decay_schedule,
    };
    pub use crate::rng::{dropout, params};
    pub use crate::shape::dim::names::*;
    pub use crate::shape::dim::{Dim1, Dim2, Dim3, Dim4, Dim5, Dim6, Dim7, Dim8, Dim9};
    pub use crate::shape::window::{Pad, Same, Strides, Valid, Window};
    pub use crate::shape::{Batch, Dim, Dyn, Shape, Static, StaticShape};
    pub use crate::tensor::{Dual, Element, Float};
    pub use crate::train::TrainState;
    pub use crate::train::metrics::accuracy;
    pub use crate::tree::Tree;
    pub use crate::{
        Key, Tensor, axis, collection, compact, custom_vjp, differentiable, dim, grad, hessian, hvp, jacfwd,
        jacrev, jvp, make_rng, module, param, rngs, sow, stream, value_and_grad, variable, vjp, vmap,
    };
}
