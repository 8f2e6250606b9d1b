//! Ten steps of each transformation.

use super::{Cases, STEPS};
use flaxen::optim::{
    self, Bf16, adafactor, adam, adamw, chain, clip, inject_hyperparams, masked, multi_steps,
    multi_transform, named_chain, rmsprop, schedule_fn, sgd,
};
use flaxen::rng::{Key, Layout};

#[test]
fn every_trajectory() {
    let mut cases = Cases::of("trajectory");
    momentum(&mut cases);
    adams(&mut cases);
    squares(&mut cases);
    by_leaf(&mut cases);
    signs_and_differences(&mut cases);
    single_transforms(&mut cases);
    clips(&mut cases);
    combined(&mut cases);
    accumulated(&mut cases);
    scheduled(&mut cases);
    contributed(&mut cases);
    assert_eq!(cases.done.len(), 92);
    cases.finish();
}

fn momentum(cases: &mut Cases) {
    cases.run("sgd", sgd(0.1));
    cases.run("sgd_momentum", sgd(0.1).momentum(0.9));
    cases.run("sgd_nesterov", sgd(0.1).momentum(0.9).nesterov());
    cases.run("trace", optim::trace(0.7));
    cases.run("trace_nesterov", optim::trace(0.7).nesterov());
    cases.run("ema", chain((optim::ema(0.9), optim::scale(-0.1))));
    cases.run("ema_no_debias", optim::ema(0.9).debias(false));
    let noise = |layout| optim::noisy_sgd(0.1, Key::with_layout(0, layout)).eta(0.1).gamma(0.55);
    cases.run_params("noisy_sgd_legacy", noise(Layout::Legacy), |_, _, _| {});
    cases.run_params("noisy_sgd_partitionable", noise(Layout::Partitionable), |_, step, (noise, _)| {
        assert_eq!(noise.count as usize, step + 1);
    });
    cases.run_lookahead("lookahead", optim::lookahead(sgd(0.1), 3, 0.5));
}

fn adams(cases: &mut Cases) {
    cases.run("adam", adam(0.1));
    cases.run("adam_options", adam(0.1).b1(0.8).b2(0.99).eps(1e-4).eps_root(1e-6));
    cases.run("adam_nesterov", adam(0.1).nesterov());
    cases.run("adam_mu_bf16", adam(0.1).mu_dtype(Bf16));
    cases.run("nadam", optim::nadam(0.1));
    cases.run("adamw", adamw(0.1));
    cases.run("adamw_options", adamw(0.1).weight_decay(0.1).b1(0.8));
    cases.run("adamw_mask", adamw(0.1).weight_decay(0.1).mask(|path| path.is("w")));
    cases.run("nadamw", optim::nadamw(0.1));
    cases.run("amsgrad", optim::amsgrad(0.1));
    cases.run("adamax", optim::adamax(0.1));
    cases.run("adamaxw", optim::adamaxw(0.1));
    cases.run("adabelief", optim::adabelief(0.1));
    cases.run("radam", optim::radam(0.1));
    cases.run("radam_threshold", optim::radam(0.1).threshold(6.0).b2(0.9));
    cases.run("yogi", optim::yogi(0.1));
    cases.run("adan", optim::adan(0.1));
    cases.run("optimistic_adam_v2", optim::optimistic_adam_v2(0.1));
    cases.run("scale_by_belief", optim::scale_by_belief());
}

fn squares(cases: &mut Cases) {
    cases.run("rmsprop", rmsprop(0.1));
    let options = rmsprop(0.1).decay(0.8).centered().momentum(0.9).nesterov().initial_scale(0.5);
    cases.run("rmsprop_options", options);
    cases.run("rmsprop_bias_correction", rmsprop(0.1).bias_correction(true).eps_in_sqrt(false));
    cases.run("adagrad", optim::adagrad(0.1));
    cases.run("adagrad_options", optim::adagrad(0.1).initial_accumulator_value(0.5).eps(1e-3));
    cases.run("adadelta", optim::adadelta(1.0));
    cases.run("adadelta_options", optim::adadelta(0.1).rho(0.8).eps(1e-4).weight_decay(0.01));
    cases.run("scale_by_rss", optim::scale_by_rss());
    cases.run("scale_by_stddev", optim::scale_by_stddev());
}

fn by_leaf(cases: &mut Cases) {
    cases.run("lamb", optim::lamb(0.1));
    cases.run("lamb_wd", optim::lamb(0.1).weight_decay(0.1));
    cases.run("lars", optim::lars(0.1));
    let options = optim::lars(0.1).weight_decay(0.05).momentum(0.8).nesterov().trust_coefficient(0.02);
    cases.run("lars_options", options);
    cases.run("fromage", optim::fromage(0.1));
    cases.run("novograd", optim::novograd(0.1));
    cases.run("novograd_wd", optim::novograd(0.1).weight_decay(0.1).b1(0.8));
    cases.run("adafactor", adafactor().learning_rate(0.1));
    cases.run("adafactor_factored", adafactor().learning_rate(0.1).min_dim_size_to_factor(2));
    cases.run("adafactor_no_lr", adafactor());
    cases.run("sm3", optim::sm3(0.1));
    cases.run("scale_by_trust_ratio", optim::scale_by_trust_ratio());
    cases.run("centralize", optim::centralize());
}

fn signs_and_differences(cases: &mut Cases) {
    cases.run("lion", optim::lion(0.1));
    cases.run("lion_options", optim::lion(0.1).b1(0.8).b2(0.95).weight_decay(0.1));
    cases.run("sign_sgd", optim::sign_sgd(0.1));
    cases.run("signum", optim::signum(0.1));
    cases.run("rprop", optim::rprop(0.1));
    cases.run("optimistic_gradient_descent", optim::optimistic_gradient_descent(0.1));
}

fn single_transforms(cases: &mut Cases) {
    cases.run("noop_identity", optim::identity());
    cases.run("scale", optim::scale(-0.5));
    cases.run("set_to_zero", optim::set_to_zero());
    cases.run("zero_nans", optim::zero_nans());
    cases.run("zero_nans_adam", chain((optim::zero_nans(), clip(1.0), adam(0.1))));
    cases.run("keep_nonneg", chain((sgd(0.1), optim::keep_params_nonnegative())));
    cases.run("normalize_by_update_norm", optim::normalize_by_update_norm());
    cases.run("add_decayed_weights", chain((optim::add_decayed_weights(0.1), sgd(0.1))));
}

fn clips(cases: &mut Cases) {
    cases.run("clip", chain((clip(0.5), sgd(0.1))));
    cases.run("clip_by_global_norm", chain((optim::clip_by_global_norm(1.0), sgd(0.1))));
    cases.run("clip_by_global_norm_inactive", optim::clip_by_global_norm(1e3));
    cases.run("clip_by_block_rms", optim::clip_by_block_rms(0.4));
    cases.run("adaptive_grad_clip", chain((optim::adaptive_grad_clip(0.1), sgd(0.1))));
}

fn combined(cases: &mut Cases) {
    let all = chain((
        optim::clip_by_global_norm(1.0),
        optim::scale_by_adam(),
        optim::add_decayed_weights(0.01),
        optim::scale(-0.1),
    ));
    cases.run("chain_all", all);
    cases.run("named_chain", named_chain((("clip", clip(1.0)), ("adam", adam(0.1)))));
    cases.run("masked", masked(adam(0.1), |path| path.name() == "w"));
    // The fixture asks for more than one dimension, which `w` alone has.
    let decay = optim::add_decayed_weights(0.5).mask(|path| path.name() == "w");
    cases.run("masked_callable", chain((decay, sgd(0.1))));
    let frozen = multi_transform((("train", adam(0.1)), ("frozen", optim::set_to_zero())), |path| {
        if path.is("w") { "frozen" } else { "train" }
    });
    cases.run("multi_transform", frozen);
    let two = multi_transform((("x", adam(0.1)), ("y", sgd(0.01).momentum(0.9))), |path| {
        if path.is("w") { "x" } else { "y" }
    });
    cases.run("multi_transform_two", two);
    cases.run("flatten", optim::flatten(adam(0.1)));
    cases.run("apply_if_finite", optim::apply_if_finite(adam(0.1), 5));
    cases.run("apply_if_finite_limit", optim::apply_if_finite(sgd(0.1), 1));
}

fn accumulated(cases: &mut Cases) {
    cases.run("multisteps", multi_steps(adam(0.1), 3));
    cases.run("multisteps_sum", multi_steps(sgd(0.1), 2).sum());
    cases.run("apply_every", chain((sgd(0.1), optim::apply_every(3))));
}

fn scheduled(cases: &mut Cases) {
    cases
        .run("scale_by_schedule", optim::scale_by_schedule(schedule_fn(|count| -0.1 / f64::from(1 + count))));
    cases.run("sgd_schedule", sgd(optim::warmup_cosine_decay_schedule(0.0, 0.5, 3, STEPS as i32)));
    cases.run("adam_schedule", adam(optim::exponential_decay(0.1, 2, 0.5)));
    cases.run("adamw_schedule", adamw(optim::cosine_decay_schedule(0.1, 8)).weight_decay(0.1));
    let polynomial = optim::polynomial_schedule(0.5, 0.01, 2.0, 6).transition_begin(2);
    cases.run("polynomial_sgd", sgd(polynomial).momentum(0.5));
    let injected = inject_hyperparams(
        |[rate, b1, b2, eps, eps_root]| adam(rate).b1(b1).b2(b2).eps(eps).eps_root(eps_root),
        (
            ("learning_rate", optim::linear_schedule(0.1, 0.0, 8)),
            ("b1", 0.9),
            ("b2", 0.999),
            ("eps", 1e-8),
            ("eps_root", 0.0),
        ),
    );
    cases.run("inject_hyperparams", injected);
    let constant = inject_hyperparams(
        |[rate, momentum]| sgd(rate).momentum(momentum),
        (("learning_rate", 0.1), ("momentum", 0.9)),
    );
    cases.run("inject_constant", constant);
}

fn contributed(cases: &mut Cases) {
    cases.run("schedule_free_sgd", optim::schedule_free_sgd(0.1));
    cases.run("dadapt_adamw", optim::dadapt_adamw());
    cases.run("prodigy", optim::prodigy());
}
