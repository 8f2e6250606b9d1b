//! Optimisers, as Optax builds them: gradient transformations that are chained.
//!
//! ```
//! use flaxen::optim::{self, GradientTransformation};
//! use flaxen::prelude::*;
//!
//! let optimizer = optim::chain((optim::clip_by_global_norm(1.0), optim::adam(1e-3)));
//! let mut params = Tensor::<(U2,)>::of(&[1.0, -1.0])?;
//! let mut state = optimizer.init(&params);
//! let gradients = Tensor::<(U2,)>::of(&[0.3, -0.4])?;
//! optimizer.apply_gradients(&mut params, gradients, &mut state);
//! assert!(params.as_slice()[0] < 1.0);
//! # Ok::<(), flaxen::Error>(())
//! ```
//!
//! # How a step runs
//!
//! A step is bound by memory, so a chain goes over memory once. A transform is a configuration, which cannot do
//! anything to an array itself; at the beginning of a step it makes a [`Kernel`] ([`GradientTransformation::begin`]),
//! which holds the few numbers of this step, such as Adam's bias corrections. A kernel changes one chunk of a leaf: a
//! few KiB of updates, the parameters and the transform's own state, one slice for each of its trees, its *slots*. The
//! kernel of a chain is the tuple of its transforms' kernels, run one after the other on a chunk while that is in the
//! first cache. The sweep then adds the updates to the parameters before it goes on to the next chunk. Chunks are
//! independent of each other, so threads share them and the numbers do not depend on how many threads there are.
//!
//! A kernel that needs a number of a whole leaf, such as its norm, computes it when it is prepared for the leaf, right
//! before the leaf's chunks ([`Kernel::prepare`]). And a kernel says what it does to a leaf ([`Kernel::effect`]): what
//! [`set_to_zero`](fn@set_to_zero) freezes is not even read.
//!
//! A transform that must see all updates before it changes any ([`clip_by_global_norm`](fn@clip_by_global_norm)) says
//! so with [`GradientTransformation::WHOLE_TREE`], and so does one that must see all updates of a leaf: the chain
//! finishes the transforms before it in a sweep of their own, which writes the gradients' buffer, and `begin` and
//! `prepare` read the result. At the front of a chain it costs no such sweep.
//!
//! A slot may be kept in bfloat16 ([`Bf16`], [`Kernel::BF16_SLOTS`]): its chunks are made elements in the first cache before
//! the kernels run, and rounded after.
//!
//! State is made by `init` and then only written in place: a step allocates nothing, unless parameters, gradients
//! or state are shared with another holder, which are copied first.
//!
//! # Some of the leaves
//!
//! [`masked`](fn@masked) and [`multi_transform`](fn@multi_transform) show a transform trees in which the other leaves
//! are masked: they have a shape and no elements ([`Tensor::is_masked`](crate::tensor::Tensor::is_masked)). So no
//! transform knows of masks, its state takes no memory for such leaves, and a norm does not count them.
//!
//! # A new transform
//!
//! is one file: a configuration, its state ([`State`], which lists the trees), its [`Kernel`], and the two functions of
//! [`GradientTransformation`]. [`trace`](mod@trace) is a short example. One that remembers nothing is its own kernel
//! ([`Stateless`]), such as [`clip`](mod@clip). What a state keeps of a leaf in another shape than the leaf's is a
//! [`PerLeaf`]. A recipe such as [`adam`](mod@adam) is a type alias of a chain, with its setters.

pub mod accumulator;
pub mod adabelief;
pub mod adadelta;
pub mod adafactor;
pub mod adagrad;
pub mod adam;
pub mod adamax;
pub mod adamaxw;
pub mod adamw;
pub mod adan;
pub mod adaptive_grad_clip;
pub mod add_decayed_weights;
pub mod add_noise;
pub mod amsgrad;
pub mod apply_every;
pub mod apply_if_finite;
mod array;
mod bf16_array;
mod bias_correction;
pub mod centralize;
pub mod chain;
pub mod clip;
pub mod clip_by_block_rms;
pub mod clip_by_global_norm;
pub mod dadapt_adamw;
pub mod ema;
pub mod flatten;
pub mod fromage;
mod gate;
mod group;
pub mod identity;
pub mod incremental_update;
pub mod inject_hyperparams;
pub mod keep_params_nonnegative;
mod kernel;
mod labels;
pub mod lamb;
pub mod lars;
pub mod lion;
pub mod lookahead;
pub mod masked;
pub mod multi_steps;
pub mod multi_transform;
mod named;
pub mod named_chain;
pub mod noisy_sgd;
pub mod normalize_by_update_norm;
mod norms;
pub mod novograd;
pub mod optimistic_adam_v2;
pub mod optimistic_gradient_descent;
mod path_fn;
mod per_leaf;
pub mod prodigy;
pub mod radam;
pub mod rmsprop;
pub mod rprop;
pub mod scale;
pub mod scale_by_adadelta;
pub mod scale_by_adam;
pub mod scale_by_adamax;
pub mod scale_by_adan;
pub mod scale_by_amsgrad;
pub mod scale_by_belief;
pub mod scale_by_factored_rms;
pub mod scale_by_learning_rate;
pub mod scale_by_lion;
pub mod scale_by_novograd;
pub mod scale_by_optimistic_gradient;
pub mod scale_by_param_block_norm;
pub mod scale_by_param_block_rms;
pub mod scale_by_radam;
pub mod scale_by_rms;
pub mod scale_by_rprop;
pub mod scale_by_rss;
pub mod scale_by_schedule;
pub mod scale_by_sign;
pub mod scale_by_sm3;
pub mod scale_by_stddev;
pub mod scale_by_trust_ratio;
pub mod scale_by_yogi;
mod schedule;
pub mod schedule_free;
pub mod set_to_zero;
mod setters;
pub mod sgd;
pub mod sign_sgd;
pub mod signum;
pub mod sm3;
mod state;
mod stateless;
mod sweep;
pub mod trace;
pub mod yogi;
pub mod zero_nans;

pub use accumulator::{Accumulator, AccumulatorDtype, Bf16, ParamsDtype};
pub use adabelief::{Adabelief, adabelief};
pub use adadelta::{Adadelta, adadelta};
pub use adafactor::{Adafactor, adafactor};
pub use adagrad::{Adagrad, adagrad};
pub use adam::{Adam, adam, nadam};
pub use adamax::{Adamax, adamax};
pub use adamaxw::{AdamaxW, adamaxw};
pub use adamw::{AdamW, adamw, nadamw};
pub use adan::{Adan, adan};
pub use adaptive_grad_clip::{AdaptiveGradClip, adaptive_grad_clip};
pub use add_decayed_weights::{AddDecayedWeights, add_decayed_weights};
pub use add_noise::{AddNoise, AddNoiseState, add_noise};
pub use amsgrad::{Amsgrad, amsgrad};
pub use apply_every::{ApplyEvery, ApplyEveryState, apply_every};
pub use apply_if_finite::{ApplyIfFinite, ApplyIfFiniteState, apply_if_finite};
pub use array::Array;
pub use bf16_array::Bf16Array;
pub use bias_correction::bias_correction;
pub use centralize::{Centralize, centralize};
pub use chain::{Chain, chain};
pub use clip::{Clip, clip};
pub use clip_by_block_rms::{ClipByBlockRms, clip_by_block_rms};
pub use clip_by_global_norm::{ClipByGlobalNorm, clip_by_global_norm, global_norm};
pub use dadapt_adamw::{DadaptAdamw, DadaptAdamwState, dadapt_adamw};
pub use ema::{Ema, EmaState, ema};
pub use flatten::{Flatten, FlattenState, flatten};
pub use fromage::{Fromage, fromage};
pub use identity::{Identity, identity};
pub use incremental_update::incremental_update;
pub use inject_hyperparams::{InjectHyperparams, InjectHyperparamsState, inject_hyperparams};
pub use keep_params_nonnegative::{KeepParamsNonnegative, keep_params_nonnegative};
pub use kernel::{Effect, Kernel};
pub use lamb::{Lamb, lamb};
pub use lars::{Lars, lars};
pub use lion::{Lion, lion};
pub use lookahead::{Lookahead, LookaheadState, lookahead};
pub use masked::{Masked, MaskedState, masked};
pub use multi_steps::{MultiSteps, MultiStepsState, multi_steps};
pub use multi_transform::{MultiTransform, MultiTransformState, multi_transform};
pub use named::Named;
pub use named_chain::{NamedChain, NamedTransforms, named_chain};
pub use noisy_sgd::{NoisySgd, noisy_sgd};
pub use normalize_by_update_norm::{NormalizeByUpdateNorm, normalize_by_update_norm};
pub use norms::{safe_norm, safe_root_mean_squares};
pub use novograd::{Novograd, novograd};
pub use optimistic_adam_v2::{OptimisticAdamV2, optimistic_adam_v2};
pub use optimistic_gradient_descent::{OptimisticGradientDescent, optimistic_gradient_descent};
pub use path_fn::PathFn;
pub(crate) use per_leaf::OF_PARAMETERS;
pub use per_leaf::PerLeaf;
pub use prodigy::{Prodigy, ProdigyState, prodigy};
pub use radam::{Radam, radam};
pub use rmsprop::{Rmsprop, rmsprop};
pub use rprop::{Rprop, rprop};
pub use scale::{Scale, scale};
pub use scale_by_adadelta::{ScaleByAdadelta, ScaleByAdadeltaState, scale_by_adadelta};
pub use scale_by_adam::{ScaleByAdam, ScaleByAdamState, scale_by_adam};
pub use scale_by_adamax::{ScaleByAdamax, ScaleByAdamaxState, scale_by_adamax};
pub use scale_by_adan::{ScaleByAdan, ScaleByAdanState, scale_by_adan};
pub use scale_by_amsgrad::{ScaleByAmsgrad, ScaleByAmsgradState, scale_by_amsgrad};
pub use scale_by_belief::{ScaleByBelief, ScaleByBeliefState, scale_by_belief};
pub use scale_by_factored_rms::{FactoredState, ScaleByFactoredRms, scale_by_factored_rms};
pub use scale_by_learning_rate::{ScaleByLearningRate, scale_by_learning_rate};
pub use scale_by_lion::{ScaleByLion, ScaleByLionState, scale_by_lion};
pub use scale_by_novograd::{ScaleByNovograd, ScaleByNovogradState, scale_by_novograd};
pub use scale_by_optimistic_gradient::{
    ScaleByOptimisticGradient, ScaleByOptimisticGradientState, scale_by_optimistic_gradient,
};
pub use scale_by_param_block_norm::{ScaleByParamBlockNorm, scale_by_param_block_norm};
pub use scale_by_param_block_rms::{ScaleByParamBlockRms, scale_by_param_block_rms};
pub use scale_by_radam::{ScaleByRadam, ScaleByRadamState, scale_by_radam};
pub use scale_by_rms::{ScaleByRms, ScaleByRmsState, scale_by_rms};
pub use scale_by_rprop::{ScaleByRprop, ScaleByRpropState, scale_by_rprop};
pub use scale_by_rss::{ScaleByRss, ScaleByRssState, scale_by_rss};
pub use scale_by_schedule::{ScaleBySchedule, scale_by_schedule};
pub use scale_by_sign::{ScaleBySign, scale_by_sign};
pub use scale_by_sm3::{ScaleBySm3, ScaleBySm3State, scale_by_sm3};
pub use scale_by_stddev::{ScaleByStddev, ScaleByStddevState, scale_by_stddev};
pub use scale_by_trust_ratio::{ScaleByTrustRatio, scale_by_trust_ratio};
pub use scale_by_yogi::{ScaleByYogi, ScaleByYogiState, scale_by_yogi};
pub use schedule::{
    Constant, CosineDecay, Count, Counter, ExponentialDecay, Interpolation, Join, JoinedSchedules,
    PiecewiseConstant, PiecewiseInterpolate, Polynomial, Schedule, ScheduleFn, ScheduleState, Sgdr,
    WarmupCosineDecay, WarmupExponentialDecay, constant_schedule, cosine_decay_schedule,
    cosine_onecycle_schedule, exponential_decay, join_schedules, linear_onecycle_schedule, linear_schedule,
    piecewise_constant_schedule, piecewise_interpolate_schedule, polynomial_schedule, schedule_fn,
    sgdr_schedule, warmup_constant_schedule, warmup_cosine_decay_schedule, warmup_exponential_decay_schedule,
};
pub use schedule_free::{
    ScheduleFree, ScheduleFreeState, schedule_free, schedule_free_eval_params, schedule_free_sgd,
};
pub use set_to_zero::{SetToZero, set_to_zero};
pub use sgd::{Sgd, sgd};
pub use sign_sgd::{SignSgd, sign_sgd};
pub use signum::{Signum, signum};
pub use sm3::{Sm3, sm3};
pub use state::{EmptyState, MAX_BF16_SLOTS, MAX_SLOTS, Slots, State};
pub use stateless::Stateless;
pub use trace::{Trace, TraceState, trace};
pub use yogi::{Yogi, yogi};
pub use zero_nans::{ZeroNans, ZeroNansState, zero_nans};

use crate::tree::Tree;
use std::fmt::Debug;

/// A gradient transformation: Optax's `init` and `update`.
pub trait GradientTransformation: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The state for parameters `P`.
    type State<P: Tree>: State<P>;
    /// What it does to the updates in one step.
    type Kernel: Kernel;
    /// Whether `begin` or its kernel's [`prepare`](Kernel::prepare) reads the updates, so that the transforms before it must
    /// have finished.
    const WHOLE_TREE: bool = false;

    /// The state before the first step.
    fn init<P: Tree>(&self, params: &P) -> Self::State<P>;

    /// Begins a step: counts it, and computes what is the same for all elements. `updates` are what the transforms
    /// before this one made of the gradients if `WHOLE_TREE` is set, and otherwise anything between the two.
    fn begin<P: Tree>(&self, state: &mut Self::State<P>, updates: &mut P, params: &P) -> Self::Kernel;

    /// Transforms gradients into what is to be added to the parameters: see [`apply_updates`].
    fn update<P: Tree>(&self, mut gradients: P, state: &mut Self::State<P>, params: &P) -> P {
        let kernel = self.begin(state, &mut gradients, params);
        sweep::update(&kernel, &mut gradients, state, params);
        gradients
    }

    /// One step of training: [`update`](Self::update) and [`apply_updates`] in one pass over memory.
    fn apply_gradients<P: Tree>(&self, params: &mut P, mut gradients: P, state: &mut Self::State<P>) {
        let kernel = self.begin(state, &mut gradients, params);
        sweep::apply(&kernel, params, &mut gradients, state);
    }
}

/// Adds updates to parameters, as `optax.apply_updates`.
pub fn apply_updates<P: Tree>(params: &mut P, mut updates: P) {
    sweep::apply(&identity(), params, &mut updates, &mut EmptyState {});
}
