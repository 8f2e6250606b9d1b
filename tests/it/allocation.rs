//! After the first step a training step leaves the heap alone, on all threads.
//!
//! A program of its own: the counters are of the whole process, so nothing else may run beside it.

use std::alloc::System;

use flaxen::data::batches::batches;
use flaxen::data::mnist::LabelledBatch;
use flaxen::optim::{self, Adam, GradientTransformation};
use flaxen::prelude::*;
use flaxen::rng::Key;
use flaxen::tree::Path;
use flaxen_examples::clip::{Classifier, VitTiny};
use flaxen_examples::digits;
use flaxen_examples::fashion_mnist::{create_train_state, train_step};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The first step fills the pools of memory.
const WARM_UP: usize = 1;

const STEPS: usize = 6;

/// Runs steps; all but the first must not allocate, grow or free anything.
fn assert_still(what: &str, mut step: impl FnMut(usize)) {
    (0..WARM_UP).for_each(&mut step);
    for index in WARM_UP..STEPS {
        let region = Region::new(HEAP);
        step(index);
        let change = region.change();
        let calls = (change.allocations, change.reallocations, change.deallocations);
        assert_eq!(calls, (0, 0, 0), "{what}, step {index}: {change:?}");
    }
}

/// The counters count: a vector is one allocation and one deallocation.
fn assert_counted() {
    let region = Region::new(HEAP);
    drop(std::hint::black_box(vec![1u8; 100]));
    let change = region.change();
    assert_eq!((change.allocations, change.deallocations), (1, 1));
}

/// One test, so that no other allocates meanwhile.
#[test]
fn training_steps_leave_the_heap_alone() {
    flaxen::backend::set_threads(2);
    assert_counted();
    let train = digits::load().expect("the digits inside the program").train;
    let order = Key::new(0).permutation(train.len());
    let batch = |index: usize| -> LabelledBatch<Dyn> {
        let indices = batches(&order, 32).expect("whole batches").nth(index).expect("a batch");
        train.gather(indices).expect("indices of the training set")
    };

    let mut state = create_train_state(Key::new(1), 0.02, 0.9);
    assert_still("the CNN", |index| {
        train_step(&mut state, batch(index));
    });
    assert_eq!(state.step, STEPS);

    let params = Mlp::new().init(Key::new(2)).params;
    let mut state = TrainState::create(params, adam(1e-3));
    assert_still("the MLP", |index| step_of_mlp(&mut state, batch(index)));
    assert_eq!(state.step, STEPS);

    let Variables { params, state: mut batch_stats } = Normalized::new().init(Key::new(3));
    let mut state = TrainState::create(params, adam(1e-3));
    assert_still("batch statistics and dropout", |index| {
        step_of_normalized(&mut state, &mut batch_stats, batch(index));
    });
    assert_eq!(state.step, STEPS);

    a_vision_transformer_leaves_the_heap_alone();
    optimisers_leave_the_heap_alone();
    frozen_parameters_have_no_state();
}

/// Convolution, normalisation and attention on two threads, with a stack of layers.
fn a_vision_transformer_leaves_the_heap_alone() {
    let model = Classifier::<VitTiny, U32, U32, U3>::new();
    let images: Tensor![64, 32, 32, 3] = Key::new(4).uniform(Default::default(), 0.0, 1.0);
    let labels: Tensor![64; i32] = Key::new(5).randint(Default::default(), 0, 3);
    let mut state = TrainState::create(model.init(Key::new(3)).params, adam(1e-3));
    assert_still("the vision transformer", |_| {
        let (_, gradients) = value_and_grad!(
            |params| {
                let logits = model.apply(params, images.clone());
                softmax_cross_entropy_with_integer_labels(logits, labels.clone()).mean()
            },
            &state.params
        );
        state.update(gradients);
    });
}

/// A step with the parameters as gradients, of transforms that work in one pass, in several, and by leaves.
fn optimisers_leave_the_heap_alone() {
    let frozen = || {
        let adam = chain((clip_by_global_norm(1.0), adam(1e-3)));
        multi_transform((("train", adam), ("frozen", set_to_zero())), is_frozen)
    };
    let by_kernels =
        adamw(optim::warmup_cosine_decay_schedule(0.0, 1e-3, 2, 9)).mask(|path| path.name() == "kernel");
    let rates = (("learning_rate", linear_schedule(1e-3, 0.0, 9)), ("momentum", 0.9));
    let injected = optim::inject_hyperparams(|[rate, decay]| sgd(rate).momentum(decay), rates);
    let named = optim::named_chain((("nans", optim::zero_nans()), ("adam", optim::novograd(1e-3))));
    assert_still_of("adam", chain((optim::clip(1.0), adam(1e-3), optim::scale(1.0))));
    assert_still_of("adam in bfloat16", optim::adamw(1e-3).mu_dtype(optim::Bf16));
    assert_still_of("multi_transform", frozen());
    assert_still_of("adamw with a mask and a schedule", by_kernels);
    assert_still_of("lamb", lamb(1e-3));
    assert_still_of("sm3", optim::sm3(1e-3));
    assert_still_of("adafactor", adafactor().min_dim_size_to_factor(2).learning_rate(1e-3));
    assert_still_of("multi_steps", optim::apply_if_finite(multi_steps(frozen(), 2), 3));
    assert_still_of("inject_hyperparams", injected);
    assert_still_of("named_chain", named);
    assert_still_of(
        "flatten and centralize",
        chain((optim::flatten(optim::trace(0.9)), optim::centralize())),
    );
    assert_still_of("noise", optim::noisy_sgd(1e-3, Key::new(0)));
    assert_still_of("lookahead", optim::lookahead(optim::prodigy(), 2, 0.5));
}

fn is_frozen(path: &Path) -> &'static str {
    if path.contains("Dense_0") { "frozen" } else { "train" }
}

fn assert_still_of<T: GradientTransformation>(what: &str, tx: T) {
    let params = Mlp::new().init(Key::new(2)).params;
    let gradients = Mlp::new().init(Key::new(3)).params;
    let mut state = TrainState::create(params, tx);
    assert_still(what, |_| {
        // A copy of its own, as a backward pass makes one.
        let mut fresh = gradients.zeros_like();
        fresh.accumulate(gradients.clone());
        state.update(fresh);
    });
}

/// The state of what is trained is all that is allocated: `Dense_0` has 25 120 parameters, the rest 362.
fn frozen_parameters_have_no_state() {
    let params = Mlp::new().init(Key::new(2)).params;
    let adam = multi_transform((("train", adam(1e-3)), ("frozen", set_to_zero())), is_frozen);
    flaxen::tensor::release_memory();
    let region = Region::new(HEAP);
    let state = adam.init(&params);
    let change = region.change();
    let (trained, _) = &state.inner_states.states;
    assert_eq!(trained.inner_state.0.mu.elements(), params.elements() - 25_120);
    // Three leaves of two trees with what the pool rounds up, and the labels.
    assert!(change.bytes_allocated < 2 * 4 * 362 + 6 * 256 + 1024, "{change:?}");
    assert_eq!(adam.init(&params), state);
}

/// Two layers on the pixels.
#[module]
struct Mlp {
    #[default(0.1)]
    slope: f64,
}

#[module]
impl Mlp {
    fn call<B: Batch>(&self, x: Tensor![B, 28, 28, 1]) -> Tensor![B, 10] {
        let x = compact!(Dense<32>)(flatten(x));
        let gain = param!("gain", ones(), [32]);
        let x = leaky_relu(x * gain, self.slope);
        compact!(Dense<10>)(x)
    }
}

fn step_of_mlp(state: &mut TrainState<MlpParams, Adam>, batch: LabelledBatch<Dyn>) {
    let LabelledBatch { images, labels } = batch;
    let ((loss, logits), gradients) = value_and_grad!(
        |params| {
            let logits = Mlp::new().apply(params, images);
            let loss = softmax_cross_entropy_with_integer_labels(logits, labels.clone()).mean();
            (loss, logits)
        },
        &state.params
    );
    assert!(loss.item().is_finite());
    assert!((0.0..=1.0).contains(&accuracy(&logits, &labels)));
    state.update(gradients);
}

/// Batch statistics, two dropouts, noise, and a variable that counts.
#[module]
struct Normalized;

stream!(noise);

#[module]
impl Normalized {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 28, 28, 1], phase: P) -> Tensor![B, 10] {
        let x = compact!(Conv<8, (3, 3)>, strides = (2, 2))(x);
        let x = relu(compact!(BatchNorm)(x, phase));
        let x = compact!(Dropout, rate = 0.25, broadcast_dims = (1, 2))(x, phase);
        let x = compact!(Dense<32>)(flatten(x));
        let mean = variable!(BatchStats, "mean", zeros(), [32]);
        if P::TRAIN {
            mean.value = 0.9 * mean.value + 0.1 * mean_axis::<0>(x);
        }
        let x = x - mean.value + 0.01 * normal_like(x, make_rng!(noise));
        let x = compact!(Dropout, rate = 0.5)(relu(x), phase);
        compact!(Dense<10>)(x)
    }
}

fn step_of_normalized(
    state: &mut TrainState<NormalizedParams, Adam>,
    batch_stats: &mut NormalizedState,
    batch: LabelledBatch<Dyn>,
) {
    let LabelledBatch { images, labels } = batch;
    let step = state.step as u32;
    let ((loss, updated), gradients) = value_and_grad!(
        |params| {
            let (logits, updated) = Normalized::new().apply_mut(
                (params, &*batch_stats),
                images,
                Train,
                rngs! { dropout: Key::new(4).fold_in(step), noise: Key::new(5).fold_in(step) },
            );
            (softmax_cross_entropy_with_integer_labels(logits, labels).mean(), updated)
        },
        &state.params
    );
    assert!(loss.item().is_finite());
    *batch_stats = updated;
    state.update(gradients);
}
