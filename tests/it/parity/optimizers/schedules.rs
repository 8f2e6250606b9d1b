//! Schedules by themselves.

use super::Cases;
use flaxen::optim::{self, Interpolation, Schedule};
use flaxen_tests::Tolerance;
use serde_json::Value;

/// Compares all values of a case, with those that Optax computes in a compiled function and those that it computes outside.
fn check(cases: &mut Cases, id: &str, schedule: impl Schedule) {
    let id = format!("schedule_{id}");
    let case = cases.fixture.case(&id);
    let list = |name: &str| case[name].as_array().expect("a list").iter();
    let float = |value: &Value| value.as_f64().expect("a number") as f32;
    let value = |count: &Value| schedule.value(count.as_i64().expect("a step") as i32) as f32;
    let got: Vec<f32> = list("steps").map(value).collect();
    for name in ["values", "values_traced"] {
        let expected: Vec<f32> = list(name).map(float).collect();
        Tolerance::close(1e-6, 1e-7).check(&format!("{id}: {name}"), &got, &expected);
    }
    cases.done.push(id);
}

#[test]
fn every_schedule() {
    let mut cases = Cases::of("schedule");
    let all = &mut cases;
    check(all, "constant", optim::constant_schedule(0.1));
    check(all, "linear", optim::linear_schedule(1.0, 0.1, 10));
    check(all, "linear_begin", optim::linear_schedule(1.0, 0.0, 10).transition_begin(5));
    check(all, "linear_zero_steps", optim::linear_schedule(1.0, 0.5, 0));
    check(all, "polynomial", optim::polynomial_schedule(1.0, 0.1, 2.0, 20));
    check(all, "polynomial_begin", optim::polynomial_schedule(1.0, 0.1, 3.0, 20).transition_begin(10));
    check(all, "exponential", optim::exponential_decay(1.0, 10, 0.5));
    check(all, "exponential_staircase", optim::exponential_decay(1.0, 10, 0.5).staircase());
    let stopped = optim::exponential_decay(1.0, 10, 0.5).transition_begin(5).end_value(0.2);
    check(all, "exponential_begin_end", stopped);
    check(all, "exponential_up", optim::exponential_decay(0.1, 10, 2.0).end_value(5.0));
    let scales = [(20, 0.1), (5, 0.5)];
    check(all, "piecewise_constant", optim::piecewise_constant_schedule(1.0, scales));
    let piecewise = |interpolation| optim::piecewise_interpolate_schedule(interpolation, 1.0, scales);
    check(all, "piecewise_interpolate_linear", piecewise(Interpolation::Linear));
    check(all, "piecewise_interpolate_cosine", piecewise(Interpolation::Cosine));
    check(all, "cosine", optim::cosine_decay_schedule(0.5, 30));
    check(all, "cosine_alpha_exponent", optim::cosine_decay_schedule(0.5, 30).alpha(0.1).exponent(2.0));
    let parts = (optim::linear_schedule(0.0, 1.0, 10), optim::cosine_decay_schedule(1.0, 40));
    check(all, "join", optim::join_schedules(parts, [10]));
    check(all, "warmup_constant", optim::warmup_constant_schedule(0.0, 0.5, 10));
    let warmup = optim::warmup_cosine_decay_schedule;
    check(all, "warmup_cosine", warmup(0.0, 1.0, 10, 50));
    check(all, "warmup_cosine_end", warmup(0.0, 1.0, 10, 50).end_value(0.1).exponent(2.0));
    let exponential = optim::warmup_exponential_decay_schedule(0.0, 1.0, 10, 10, 0.5).transition_begin(5);
    check(all, "warmup_exponential", exponential);
    check(all, "cosine_onecycle", optim::cosine_onecycle_schedule(50, 1.0));
    check(all, "linear_onecycle", optim::linear_onecycle_schedule(50, 1.0));
    let cycles = [warmup(0.0, 1.0, 5, 20), warmup(0.1, 0.5, 5, 30).end_value(0.01)];
    check(all, "sgdr", optim::sgdr_schedule(cycles));
    cases.finish();
}
