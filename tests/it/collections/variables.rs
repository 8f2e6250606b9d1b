//! `variable!`: state that a call reads and writes.

use flaxen::init::normal;
use flaxen::module::{Module, Trainable};
use flaxen::op::Yes;
use flaxen::prelude::*;
use flaxen::rng::Scope;
use flaxen::shape::Shape;
use flaxen::tree::{Path, Visit};

use crate::finite_differences::check;

/// The module of Flax's guide to states: a running mean, subtracted, and a bias.
#[module]
struct BiasAdderWithRunningMean<F: Static> {
    #[default(0.99)]
    decay: f64,
}

#[module]
impl<F: Static> BiasAdderWithRunningMean<F> {
    fn call<B: Batch, E: Float>(&self, x: Tensor![B, F; E]) -> Tensor![B, F; E] {
        let mean = variable!(BatchStats, "mean", zeros(), [F; E]);
        let bias = param!("bias", zeros(), [F; E]);
        mean.value = self.decay * mean.value + (1.0 - self.decay) * mean_axis::<0>(x);
        x - mean.value + bias
    }
}

type Model = BiasAdderWithRunningMean<U5>;

fn ones_of_ten() -> Tensor![10, 5] {
    Tensor::full(Default::default(), 1.0)
}

fn close(found: &[f32], expected: f32) -> bool {
    found.iter().all(|found| (found - expected).abs() < 1e-6)
}

#[test]
fn a_running_mean_moves_and_later_reads_see_it() {
    let model = Model::new();
    let mut variables = model.init::<f32>(Key::new(0));
    assert_eq!(format!("{variables:?}"), "{params: {bias: (5,)}, batch_stats: {mean: (5,)}}");
    assert_eq!(variables.state.mean, Tensor::zeros(Default::default()));
    // The numbers that Flax prints for three steps.
    for expected in [0.01, 0.0199, 0.029701] {
        let (y, state) = model.apply_mut(&variables, ones_of_ten(), rngs! {});
        assert!(close(state.mean.as_slice(), expected), "{:?}", state.mean);
        assert!(close(y.as_slice(), 1.0 - expected), "{y:?}");
        variables.state = state;
    }
}

#[test]
fn variables_are_taken_apart_and_put_together_again() {
    let model = Model::new();
    let Variables { params, mut state } = model.init::<f32>(Key::new(0));
    for _ in 0..3 {
        let (_, updated) = model.apply_mut((&params, &state), ones_of_ten(), rngs! {});
        assert_ne!(updated, state, "a call leaves the state that it was given alone");
        state = updated;
    }
    let variables = Variables { params, state };
    assert!(close(variables.state.mean.as_slice(), 0.029701));
}

#[test]
fn a_written_value_is_differentiated_and_a_value_that_is_read_is_a_constant() {
    let model = BiasAdderWithRunningMean::<U2>::new().decay(0.75);
    let x = Tensor::<(U3, U2), f64>::of(&[1.0, -2.0, 0.5, 3.0, 2.0, 1.5]).expect("six elements");
    let Variables { params, state } = model.init::<f64>(Key::new(0));
    let scope = Scope::without_streams();
    let forward = |params: &BiasAdderWithRunningMeanParams<U2, f64>, x: Tensor![3, 2; f64]| {
        Trainable::<_, Yes>::forward(&model, params, &mut state.clone(), &scope, x)
    };
    check(
        (params, x),
        |(params, x)| forward(&params, x).0,
        |(params, x), cotangent| {
            let (y, residuals) = forward(&params, x);
            Trainable::<Tensor![3, 2; f64], Yes>::backward(&model, &params, residuals, cotangent(&y))
        },
    );
}

#[test]
fn gradients_go_beside_the_state() {
    let model = Model::new();
    let Variables { params, state } = model.init::<f32>(Key::new(0));
    let x = ones_of_ten();
    let ((loss, state), gradients) = value_and_grad!(
        |params| {
            let (y, state) = model.apply_mut((params, &state), x, rngs! {});
            ((y - 1.0).square().sum(), state)
        },
        &params
    );
    assert!((loss.item() - 50.0 * 0.01 * 0.01).abs() < 1e-6);
    assert!(close(gradients.bias.as_slice(), 10.0 * 2.0 * -0.01));
    assert!(close(state.mean.as_slice(), 0.01));
}

#[test]
fn a_state_that_a_closure_has_made_goes_into_its_next_call() {
    let model = Model::new();
    let Variables { params, state } = model.init::<f32>(Key::new(0));
    let ((_, (first, (second, state))), _) = value_and_grad!(
        |params| {
            let (first, once) = model.apply_mut((params, &state), &ones_of_ten(), rngs! {});
            let (second, twice) = model.apply_mut((params, &once), &ones_of_ten(), rngs! {});
            ((first + second).sum(), (first, (second, twice)))
        },
        &params
    );
    assert!(close(first.as_slice(), 0.99) && close(second.as_slice(), 0.9801));
    assert!(close(state.mean.as_slice(), 0.0199));
}

collection!(pub Cache);

/// Counts its calls, and remembers the last input: a write on which no output depends.
#[module]
struct Remember;

#[module]
impl Remember {
    fn call(&self, x: Tensor![3]) -> Tensor![3] {
        let calls = variable!(Cache, "calls", zeros(), []);
        let last = variable!(Cache, "last", constant(-1.0), [3]);
        let before = last.value;
        last.value = x;
        calls.value = calls.value + 1.0;
        x + before
    }
}

/// Two of them beside a running mean, so that one module has several collections.
#[module]
struct Both;

#[module]
impl Both {
    fn call(&self, x: Tensor![3]) -> Tensor![3] {
        let remember = compact!(Remember);
        let mean = variable!(BatchStats, "mean", zeros(), [3]);
        let x = remember(remember(x));
        mean.value = 0.5 * mean.value + 0.5 * x;
        x
    }
}

#[test]
fn what_no_output_depends_on_is_written_and_a_shared_submodule_goes_on_with_its_state() {
    let x = Tensor::<(U3,)>::of(&[1.0, 2.0, 3.0]).expect("three elements");
    let variables = Both::new().init(Key::new(0));
    let (y, state) = Both::new().apply_mut(&variables, x, rngs! {});
    // Once x - 1, and then that plus x.
    assert_eq!(y.as_slice(), [1.0, 3.0, 5.0]);
    assert_eq!(state.remember_0.calls.item(), 2.0);
    assert_eq!(state.remember_0.last.as_slice(), [0.0, 1.0, 2.0]);
    assert_eq!(state.mean.as_slice(), [0.5, 1.5, 2.5]);
}

#[test]
fn leaves_know_their_collection_and_print_by_it() {
    struct Leaves(Vec<String>);
    impl Visit for Leaves {
        fn leaf<S: Shape, E: Float>(&mut self, path: &Path, _: &Tensor<S, E>) {
            self.0.push(format!("{}/{path}", path.collection().unwrap_or("params")));
        }
    }
    let variables = Both::new().init(Key::new(0));
    let mut leaves = Leaves(Vec::new());
    variables.state.visit(&Path::ROOT, &mut leaves);
    assert_eq!(leaves.0, ["batch_stats/mean", "cache/Remember_0/calls", "cache/Remember_0/last"]);
    assert_eq!(
        format!("{variables:?}"),
        "{params: {}, batch_stats: {mean: (3,)}, cache: {Remember_0: {calls: (), last: (3,)}}}"
    );
}

/// A variable that is drawn takes a key of `params`, between those of two parameters; a constant takes none.
#[module]
struct Drawn;

#[module]
impl Drawn {
    fn call(&self, x: Tensor![2]) -> Tensor![2] {
        let first = param!("first", normal(1.0), [2]);
        let constant = variable!(Cache, "constant", ones(), [2]);
        let drawn = variable!(Cache, "drawn", normal(1.0), [2]);
        let second = param!("second", normal(1.0), [2]);
        x + first + second + constant.value + drawn.value
    }
}

#[test]
fn variables_that_are_drawn_take_their_turn() {
    let Variables { params, state } = Drawn::new().init(Key::new(3));
    let root = Scope::root(Key::new(3));
    let [first, drawn, second]: [Tensor![2]; 3] =
        std::array::from_fn(|_| normal(1.0).init(root.param(), Default::default()));
    assert_eq!((params.first, params.second), (first, second));
    assert_eq!((state.drawn, state.constant.as_slice()), (drawn, &[1.0, 1.0][..]));
}

/// A variable may have the name of a parameter: it is of another collection.
#[module]
struct SameName;

#[module]
impl SameName {
    fn call(&self, x: Tensor![2]) -> Tensor![2] {
        let param = param!("mean", ones(), [2]);
        let mean = variable!(BatchStats, "mean", zeros(), [2]);
        x * param + mean.value
    }
}

#[test]
fn a_call_that_only_reads_is_applied_purely() {
    let variables = SameName::new().init(Key::new(0));
    let x = Tensor::<(U2,)>::of(&[1.0, 2.0]).expect("two elements");
    assert_eq!(SameName::new().apply(&variables, x.clone()).as_slice(), [1.0, 2.0]);
    let state = &mut variables.state.clone();
    let y = Module::infer(&SameName::new(), &variables.params, state, &Scope::without_streams(), x);
    assert_eq!(y.as_slice(), [1.0, 2.0]);
}

/// The running statistics of a feature, which move in training only; the output sees them after they have moved.
#[module]
struct Standardize;

#[module]
impl Standardize {
    fn call<B: Batch, P: Phase, E: Float>(&self, x: Tensor![B, 2; E], phase: P) -> Tensor![B, 2; E] {
        let mean = variable!(BatchStats, "mean", zeros(), [2; E]);
        let var = variable!(BatchStats, "var", ones(), [2; E]);
        if P::TRAIN {
            let batch_mean = mean_axis::<0>(x);
            mean.value = 0.5 * mean.value + 0.5 * batch_mean;
            var.value = 0.5 * var.value + 0.5 * (mean_axis::<0>(square(x)) - square(mean.value));
        }
        let scale = param!("scale", ones(), [2; E]);
        (x - mean.value) / sqrt(var.value + 0.1) * scale
    }
}

fn pairs() -> Tensor![3, 2; f64] {
    Tensor::of(&[1.0, -2.0, 0.5, 3.0, 2.0, 1.5]).expect("six elements")
}

#[test]
fn in_training_only() {
    let model = Standardize::new();
    let variables = model.init::<f64>(Key::new(0));
    let evaluated = model.apply(&variables, pairs(), Eval);
    assert!((evaluated.as_slice()[0] - 1.0 / 1.1_f64.sqrt()).abs() < 1e-12);
    let (trained, state) = model.apply_mut(&variables, pairs(), Train, rngs! {});
    let mean = 0.5 * 3.5 / 3.0;
    let var = 0.5 + 0.5 * (5.25 / 3.0 - mean * mean);
    assert!((state.mean.as_slice()[0] - mean).abs() < 1e-12);
    assert!((state.var.as_slice()[0] - var).abs() < 1e-12);
    assert!((trained.as_slice()[0] - (1.0 - mean) / (var + 0.1_f64).sqrt()).abs() < 1e-12);
    let (again, same) = model.apply_mut(&variables, pairs(), Eval, rngs! {});
    assert_eq!((again, same), (evaluated, variables.state));
}

/// The gradient goes through what was written in training, and not in evaluation.
fn check_standardize<P: Phase>(phase: P) {
    use flaxen::op::No;
    let model = Standardize::new();
    let Variables { params, state } = model.init::<f64>(Key::new(0));
    let scope = Scope::without_streams();
    let forward = |params: &StandardizeParams<f64>, x: Tensor![3, 2; f64]| {
        Trainable::<_, (Yes, No)>::forward(&model, params, &mut state.clone(), &scope, (x, phase))
    };
    check(
        (params, pairs()),
        |(params, x)| forward(&params, x).0,
        |(params, x), cotangent| {
            let (y, residuals) = forward(&params, x);
            let (gradient, (dx, ())) = Trainable::<(Tensor![3, 2; f64], P), (Yes, No)>::backward(
                &model,
                &params,
                residuals,
                cotangent(&y),
            );
            (gradient, dx)
        },
    );
}

#[test]
fn gradients_through_what_is_written_in_training() {
    check_standardize(Train);
    check_standardize(Eval);
}
