//! Optax's transformations, schedules and functions: every case of the fixture.

mod functions;
mod schedules;
mod state;
mod trajectories;

use flaxen::optim::{self, AdamW, Lookahead, LookaheadState};
use flaxen::optim::{Chain, ClipByGlobalNorm, GradientTransformation, apply_updates};
use flaxen::prelude::*;
use flaxen_tests::{Fixture, Tolerance};

/// The fixture's parameters, `{"b": [2], "w": [3, 2]}`, in the order in which JAX walks a `dict`.
#[module]
struct Toy;

#[module]
impl Toy {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 2] {
        let b = param!("b", zeros(), [2]);
        let w = param!("w", zeros(), [3, 2]);
        matmul(x, w) + b
    }
}

type Params = ToyParams;

const STEPS: usize = 10;

/// Runs cases, and remembers which.
struct Cases {
    fixture: Fixture,
    kind: &'static str,
    done: Vec<String>,
}

impl Cases {
    /// The cases of a kind.
    fn of(kind: &'static str) -> Self {
        Cases { fixture: Fixture::open("optimizers"), kind, done: Vec::new() }
    }

    /// Panics if there are cases that were not run.
    fn finish(self) {
        let cases = self.fixture.cases().iter().filter(|case| case["kind"] == self.kind);
        let ids = cases.map(|case| case["id"].as_str().expect("an id"));
        let missing: Vec<_> = ids.filter(|id| !self.done.iter().any(|done| done == id)).collect();
        assert!(missing.is_empty(), "cases that no test runs: {missing:?}");
    }

    fn tree(&self, prefix: &str) -> Params {
        let leaf = |name| self.fixture.f32s(&format!("{prefix}/{name}"));
        Params {
            b: Tensor::of(&leaf("b")).expect("2 elements"),
            w: Tensor::of(&leaf("w")).expect("3 x 2 elements"),
        }
    }

    /// What a case begins with: the parameters, and then the gradients.
    fn inputs(&self, id: &str) -> (Params, impl Iterator<Item = Params> + use<'_>) {
        let shared = self.fixture.case(id)["grads_from"].as_str().expect("the case that has the gradients");
        let grads = move |step| self.tree(&format!("{shared}/grads/{step}"));
        (self.tree(&format!("{shared}/params")), (0..STEPS).map(grads))
    }

    /// Runs a trajectory both ways, as Optax does and in one pass, and compares the last state.
    fn run<T: GradientTransformation>(&mut self, id: &str, tx: T)
    where
        T::State<Params>: serde::Serialize,
    {
        let rtol = match id.split('_').next() {
            Some("sm3" | "adafactor" | "lamb" | "fromage") => 3e-5,
            _ => 1e-6,
        };
        let (mut params, grads) = self.inputs(id);
        let mut state = tx.init(&params);
        let (mut fused_params, mut fused_state) = (params.clone(), state.clone());
        for (step, gradients) in grads.enumerate() {
            let updates = tx.update(gradients.clone(), &mut state, &params);
            // Where an update is a difference of parameters or in proportion to them, it is as precise as those.
            let scale = ["schedule_free_sgd", "scale_by_trust_ratio"].contains(&id).then_some(1.0);
            let expected = self.tree(&format!("{id}/updates/{step}"));
            check_tree(&format!("{id}/updates/{step}"), rtol, scale, &updates, &expected);
            apply_updates(&mut params, updates);
            let expected = self.tree(&format!("{id}/result/{step}"));
            check_tree(&format!("{id}/result/{step}"), rtol, Some(1.0), &params, &expected);
            tx.apply_gradients(&mut fused_params, gradients, &mut fused_state);
            assert_eq!(fused_params, params, "{id}: one pass gives the same parameters");
            assert_eq!(fused_state, state, "{id}: one pass gives the same state");
        }
        state::check(id, rtol, &state, &self.fixture.case(id)["final_state"]);
        self.done.push(id.to_string());
    }

    /// Runs a case of which the fixture has the parameters only, and gives the state after each step to `check`.
    fn run_params<T: GradientTransformation>(
        &mut self,
        id: &str,
        tx: T,
        check: impl Fn(&Self, usize, &T::State<Params>),
    ) {
        let (mut params, grads) = self.inputs(id);
        let mut state = tx.init(&params);
        for (step, gradients) in grads.enumerate() {
            tx.apply_gradients(&mut params, gradients, &mut state);
            let expected = self.tree(&format!("{id}/result/{step}"));
            check_tree(&format!("{id}/result/{step}"), 1e-6, Some(1.0), &params, &expected);
            check(self, step, &state);
        }
        self.done.push(id.to_string());
    }

    fn run_lookahead<T: GradientTransformation>(&mut self, id: &str, tx: Lookahead<T>) {
        let name = id.to_string();
        let check = move |cases: &Self, step: usize, state: &LookaheadState<T::State<Params>, Params>| {
            let expected = cases.tree(&format!("{name}/slow/{step}"));
            check_tree(&format!("{name}/slow/{step}"), 1e-6, Some(1.0), &state.slow, &expected);
        };
        self.run_params(id, tx, check);
    }
}

fn check_tree(what: &str, rtol: f32, scale: Option<f32>, got: &Params, expected: &Params) {
    check_numbers(&format!("{what}/b"), rtol, scale, got.b.as_slice(), expected.b.as_slice());
    check_numbers(&format!("{what}/w"), rtol, scale, got.w.as_slice(), expected.w.as_slice());
}

/// Numbers that belong together: each may be off by `rtol` of itself and of the scale, which is the largest of them if it is
/// not given.
fn check_numbers(what: &str, rtol: f32, scale: Option<f32>, got: &[f32], expected: &[f32]) {
    let finite = expected.iter().filter(|x| x.is_finite());
    let scale = scale.unwrap_or_else(|| finite.fold(0.0, |largest: f32, x| largest.max(x.abs())));
    Tolerance { ulp: 2, rtol, atol: rtol * scale }.check(what, got, expected);
}

#[test]
fn configurations_are_read_back() {
    let schedule = optim::warmup_cosine_decay_schedule(0.0, 0.1, 10, 100);
    let tx =
        optim::chain((optim::clip_by_global_norm(1.0), optim::adamw(schedule).b1(0.8).weight_decay(0.01)));
    let text = serde_json::to_string(&tx).expect("numbers");
    let read: Chain<(ClipByGlobalNorm, AdamW<optim::WarmupCosineDecay>)> =
        serde_json::from_str(&text).expect("what was written");
    assert_eq!(read, tx);
}
