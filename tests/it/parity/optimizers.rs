//! Optax's trajectories: ten steps of each transformation, every update, every parameter and the last state.

use flaxen::optim::{self, AdamW, Chain, ClipByGlobalNorm, GradientTransformation};
use flaxen::prelude::*;
use flaxen_tests::{Fixture, Tolerance};
use serde_json::Value;

/// The fixture's `{"w": [3, 2], "b": [2]}`.
type Params = (Tensor![3, 2], Tensor![2]);

const STEPS: usize = 10;
const TOLERANCE: Tolerance = Tolerance { ulp: 2, rtol: 1e-6, atol: 1e-6 };

fn tree(fixture: &Fixture, prefix: &str) -> Params {
    let leaf = |name| fixture.f32s(&format!("{prefix}/{name}"));
    (Tensor::of(&leaf("w")).expect("3 x 2 elements"), Tensor::of(&leaf("b")).expect("2 elements"))
}

fn check_tree(what: &str, got: &Params, expected: &Params) {
    TOLERANCE.check(&format!("{what}/w"), got.0.as_slice(), expected.0.as_slice());
    TOLERANCE.check(&format!("{what}/b"), got.1.as_slice(), expected.1.as_slice());
}

/// Runs a case both ways, as Optax does and in one pass, and returns the last state.
fn run<T: GradientTransformation>(fixture: &Fixture, id: &str, tx: T) -> T::State<Params> {
    let shared = fixture.case(id)["grads_from"].as_str().expect("the case that has the gradients");
    let mut params = tree(fixture, &format!("{shared}/params"));
    let mut state = tx.init(&params);
    let (mut fused_params, mut fused_state) = (params.clone(), state.clone());
    for step in 0..STEPS {
        let gradients = tree(fixture, &format!("{shared}/grads/{step}"));
        let updates = tx.update(gradients.clone(), &mut state, &params);
        check_tree(
            &format!("{id}/updates/{step}"),
            &updates,
            &tree(fixture, &format!("{id}/updates/{step}")),
        );
        optim::apply_updates(&mut params, updates);
        check_tree(&format!("{id}/result/{step}"), &params, &tree(fixture, &format!("{id}/result/{step}")));
        tx.apply_gradients(&mut fused_params, gradients, &mut fused_state);
        assert_eq!(fused_params, params, "{id}: one pass gives the same parameters");
        assert_eq!(fused_state, state, "{id}: one pass gives the same state");
    }
    state
}

/// Compares a tree of the last state.
fn check_state(fixture: &Fixture, id: &str, name: &str, got: &Params) {
    let state = &fixture.case(id)["final_state"];
    let leaf = |leaf: &str| numbers(&state[format!("{name}/{leaf}")]);
    TOLERANCE.check(&format!("{id}: {name}/w"), got.0.as_slice(), &leaf("w"));
    TOLERANCE.check(&format!("{id}: {name}/b"), got.1.as_slice(), &leaf("b"));
}

fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        value => vec![value.as_f64().unwrap_or_else(|| panic!("{value} is a number")) as f32],
    }
}

#[test]
fn stochastic_gradient_descent() {
    let fixture = Fixture::open("optimizers");
    run(&fixture, "sgd", optim::sgd(0.1));
    let state = run(&fixture, "sgd_momentum", optim::sgd(0.1).momentum(0.9));
    check_state(&fixture, "sgd_momentum", "0/trace", &state.0.trace);
    let state = run(&fixture, "sgd_nesterov", optim::sgd(0.1).momentum(0.9).nesterov());
    check_state(&fixture, "sgd_nesterov", "0/trace", &state.0.trace);
}

#[test]
fn adam() {
    let fixture = Fixture::open("optimizers");
    let options = optim::adam(0.1).b1(0.8).b2(0.99).eps(1e-4).eps_root(1e-6);
    for (id, tx) in [
        ("adam", optim::adam(0.1)),
        ("adam_options", options),
        ("adam_nesterov", optim::adam(0.1).nesterov()),
        ("nadam", optim::adam(0.1).nesterov()),
    ] {
        let (adam, _) = run(&fixture, id, tx);
        check_state(&fixture, id, "0/mu", &adam.mu);
        check_state(&fixture, id, "0/nu", &adam.nu);
        assert_eq!(adam.count, 10);
    }
}

#[test]
fn adam_with_weight_decay() {
    let fixture = Fixture::open("optimizers");
    run(&fixture, "adamw", optim::adamw(0.1));
    run(&fixture, "adamw_options", optim::adamw(0.1).weight_decay(0.1).b1(0.8));
    run(&fixture, "nadamw", optim::adamw(0.1).nesterov());
}

#[test]
fn single_transforms() {
    let fixture = Fixture::open("optimizers");
    run(&fixture, "noop_identity", optim::identity());
    run(&fixture, "scale", optim::scale(-0.5));
    run(&fixture, "trace", optim::trace(0.7));
    run(&fixture, "trace_nesterov", optim::trace(0.7).nesterov());
    run(&fixture, "clip_by_global_norm_inactive", optim::clip_by_global_norm(1e3));
}

#[test]
fn chains() {
    let fixture = Fixture::open("optimizers");
    run(&fixture, "add_decayed_weights", optim::chain((optim::add_decayed_weights(0.1), optim::sgd(0.1))));
    run(&fixture, "clip_by_global_norm", optim::chain((optim::clip_by_global_norm(1.0), optim::sgd(0.1))));
    let all = optim::chain((
        optim::clip_by_global_norm(1.0),
        optim::scale_by_adam(),
        optim::add_decayed_weights(0.01),
        optim::scale(-0.1),
    ));
    let state = run(&fixture, "chain_all", all);
    check_state(&fixture, "chain_all", "1/mu", &state.1.mu);
    check_state(&fixture, "chain_all", "1/nu", &state.1.nu);
}

#[test]
fn global_norm() {
    let fixture = Fixture::open("optimizers");
    let input = |index| fixture.f32s(&format!("fn_global_norm/inputs/{index}"));
    let leaf =
        |values: Vec<f32>| Tensor::<(Dyn,)>::from_slice((Dyn(values.len()),), &values).expect("its own size");
    let norm = optim::global_norm(&(leaf(input(0)), leaf(input(1))));
    TOLERANCE.check("fn_global_norm", &[norm as f32], &fixture.f32s("fn_global_norm/output"));
}

#[test]
fn configurations_are_read_back() {
    let tx = optim::chain((optim::clip_by_global_norm(1.0), optim::adamw(0.1).b1(0.8).weight_decay(0.01)));
    let text = serde_json::to_string(&tx).expect("numbers");
    assert_eq!(
        serde_json::from_str::<Chain<(ClipByGlobalNorm, AdamW)>>(&text).expect("what was written"),
        tx
    );
}
