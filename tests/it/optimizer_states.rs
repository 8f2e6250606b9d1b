//! States of optimisers, written and read back.

use flaxen::optim::{
    self, Bf16, Bf16Array, GradientTransformation, MaskedState, MultiTransformState, PerLeaf,
    ScaleByFactoredRms, TraceState,
};
use flaxen::prelude::*;
use flaxen::serialization::{DType, StateDict, from_bytes, to_bytes, to_state_dict};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

type Params = ((Tensor![2, 3], Tensor![3]), Tensor![2; f64]);

fn params() -> Params {
    let w = Tensor::from_fn(Default::default(), |i| i as f32 - 2.5);
    ((w, Tensor::full(Default::default(), 0.5)), Tensor::full(Default::default(), -1.0))
}

/// Takes two steps, writes the state, and takes a third with the state and with what was read. Returns what was written.
fn round_trip<T: GradientTransformation>(tx: T) -> Value
where
    T::State<Params>: Serialize + DeserializeOwned,
{
    let mut trained = params();
    let mut state = tx.init(&trained);
    for _ in 0..2 {
        tx.apply_gradients(&mut trained, params(), &mut state);
    }
    let text = serde_json::to_string(&state).expect("numbers");
    let mut read: T::State<Params> = serde_json::from_str(&text).expect("what was written");
    let mut also_trained = trained.clone();
    tx.apply_gradients(&mut trained, params(), &mut state);
    tx.apply_gradients(&mut also_trained, params(), &mut read);
    assert_eq!(also_trained, trained, "{text}");
    let read = from_bytes(&state, &to_bytes(&state).expect("a state dict")).expect("what was written");
    assert_eq!(to_bytes(&read).expect("a state dict"), to_bytes(&state).expect("a state dict"), "{text}");
    let mut also_read = read;
    tx.apply_gradients(&mut also_trained, params(), &mut also_read);
    tx.apply_gradients(&mut trained, params(), &mut state);
    assert_eq!(also_trained, trained, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn every_kind_of_state() {
    let state = round_trip(optim::chain((optim::clip_by_global_norm(1.0), optim::adamw(0.1))));
    assert_eq!(state[1][0]["count"], 2);
    let state = round_trip(optim::chain((optim::zero_nans(), optim::novograd(0.1))));
    assert_eq!(state[0], json!({ "found_nan": { "0": { "0": false, "1": false }, "1": false } }));
    assert_eq!(state[1][0]["nu"]["0"]["1"], json!({ "sizes": [], "elements": [0.75] }));
    let state = round_trip(optim::sm3(0.1));
    assert_eq!(state[0]["mu"]["0"]["0"][1]["sizes"], json!([3]));
    round_trip(optim::adafactor().min_dim_size_to_factor(2).learning_rate(0.1));
    round_trip(optim::flatten(optim::adam(0.1)));
    round_trip(optim::flatten(optim::adam(0.1).mu_dtype(Bf16)));
    round_trip(optim::noisy_sgd(0.1, Key::new(3)));
    round_trip(optim::multi_steps(optim::rmsprop(0.1).centered(), 2));
    round_trip(optim::apply_if_finite(optim::lookahead(optim::sgd(0.1).momentum(0.9), 2, 0.5), 3));
    round_trip(optim::schedule_free_sgd(0.1));
    round_trip(optim::prodigy());
    let tx = optim::inject_hyperparams(
        |[rate]| optim::adam(rate),
        (("learning_rate", linear_schedule(1.0, 0.0, 9)),),
    );
    let state = round_trip(tx);
    assert_eq!(state["hyperparams_states"], json!({ "learning_rate": { "count": 2 } }));
    let named = optim::named_chain((("clip", optim::clip(1.0)), ("adam", optim::adam(0.1))));
    assert_eq!(round_trip(named)["adam"][0]["count"], 2);
}

/// As Flax has them: an array of `bfloat16` among the others.
#[test]
fn moments_in_bfloat16() {
    let tx = || optim::masked(optim::adamw(0.1).mu_dtype(Bf16), |path| !path.is("0/1"));
    let mu = &round_trip(tx())["inner_state"][0]["mu"];
    assert_eq!(mu["0"]["0"]["sizes"], json!([2, 3]));
    assert_eq!((&mu["0"]["1"], &mu["1"]["elements"]), (&json!({}), &json!([-0.18945312, -0.18945312])));
    round_trip(optim::chain((optim::trace(0.9).accumulator_dtype(Bf16), optim::adam(0.1))));

    let (adam, wide) = (optim::adam(0.1).mu_dtype(Bf16), optim::adam(0.1));
    let (mut state, mut wide_state) = (adam.init(&params()), wide.init(&params()));
    adam.update(params(), &mut state, &params());
    wide.update(params(), &mut wide_state, &params());
    let written = to_state_dict(&state).expect("a state dict");
    let array = |path: [&str; 4]| match path.iter().try_fold(&written, |node, key| node.get(key)) {
        Some(StateDict::Array(array)) => (array.dtype(), array.shape().to_vec(), array.bytes().len()),
        other => panic!("{path:?}: {other:?}"),
    };
    assert_eq!(array(["0", "mu", "0", "0"]), (DType::BFloat16, vec![2, 3], 12));
    assert_eq!(array(["0", "nu", "0", "0"]), (DType::Float32, vec![2, 3], 24));

    // A training goes on with less memory.
    let read = from_bytes(&state, &to_bytes(&wide_state).expect("a state dict")).expect("another float");
    assert_eq!(read, state);
    let refused = from_bytes(&wide_state, &to_bytes(&state).expect("a state dict")).expect_err("bfloat16");
    let error = refused.to_string();
    assert!(error.contains("expected float32[2, 3], found bfloat16[2, 3]"), "{error}");
}

#[test]
fn masked_leaves_are_empty_maps() {
    let state = round_trip(optim::masked(optim::adam(0.1), |path| path.is("0/1")));
    let mu = &state["inner_state"][0]["mu"];
    assert_eq!((&mu[0][0], &mu[1]), (&json!({}), &json!({})));
    assert_eq!(mu[0][1]["sizes"], json!([3]));
    let state = round_trip(optim::masked(optim::sm3(0.1), |path| path.contains("0")));
    assert_eq!(state["inner_state"][0]["mu"]["1"], json!({}));
    round_trip(optim::masked(optim::noisy_sgd(0.1, Key::new(3)), |path| path.contains("1")));
}

#[test]
fn states_of_several_transforms_have_names() {
    let tx =
        optim::multi_transform((("x", optim::adam(0.1)), ("y", optim::sgd(0.1).momentum(0.9))), |path| {
            if path.contains("0") { "x" } else { "y" }
        });
    let state = round_trip(tx);
    let names: Vec<_> = state["inner_states"].as_object().expect("names").keys().collect();
    assert_eq!(names, ["x", "y"]);
    assert_eq!(state["inner_states"]["y"]["inner_state"][0]["trace"][0], json!([{}, {}]));
}

#[test]
fn what_does_not_fit_is_refused() {
    let masked = r#"[[{"sizes":[2,3],"elements":[0,0,0,0,0,0]},{}],{"sizes":[2],"elements":[0,0]}]"#;
    let error = serde_json::from_str::<Params>(masked).expect_err("parameters are never masked").to_string();
    assert!(error.contains("missing field `sizes`"), "{error}");
    assert!(serde_json::from_str::<MaskedState<Params>>(&format!(r#"{{"inner_state":{masked}}}"#)).is_ok());
    let half = masked.replace(r#""sizes":[2],"#, "");
    assert!(serde_json::from_str::<MaskedState<Params>>(&format!(r#"{{"inner_state":{half}}}"#)).is_err());

    type Two = MultiTransformState<(Vec<i32>, Vec<i32>), 2>;
    let read = |text: &str| serde_json::from_str::<Two>(text).map_err(|error| error.to_string());
    assert!(read(r#"{"inner_states":{"x":[],"y":[1]}}"#).is_ok());
    let error = read(r#"{"inner_states":{"x":[]}}"#).expect_err("one is missing");
    assert!(error.contains("invalid length 1, expected a map of 2 states"), "{error}");
    let error = read(r#"{"inner_states":{"x":[],"y":[],"z":[]}}"#).expect_err("one too many");
    assert!(error.contains("one state too many: `z`"), "{error}");
    assert!(serde_json::from_str::<optim::ZeroNansState>(r#"{"found_nan":{"0":7}}"#).is_err());
    assert!(serde_json::from_str::<optim::Array>(r#"{"sizes":[2],"elements":[1]}"#).is_err());
}

/// The state of other parameters is refused where it is read, and the target says what was expected.
#[test]
fn states_of_other_parameters_are_refused() {
    fn refusal<T: GradientTransformation>(tx: T, sizes: [usize; 2], other: [usize; 2]) -> String
    where
        T::State<(Tensor<(Dyn, Dyn)>,)>: Serialize + DeserializeOwned,
    {
        let state = |[a, b]: [usize; 2]| tx.init(&(Tensor::<(Dyn, Dyn)>::zeros((Dyn(a), Dyn(b))),));
        let bytes = to_bytes(&state(other)).expect("a state dict");
        assert_eq!(from_bytes(&state(other), &bytes).expect("what was written"), state(other));
        from_bytes(&state(sizes), &bytes).expect_err("of other sizes").to_string()
    }
    let adam = || optim::adam(0.1).mu_dtype(Bf16);
    let error = refusal(adam(), [2, 3], [3, 2]);
    assert_eq!(error, "0/mu/0: expected an array of sizes [2, 3], found bfloat16[3, 2]");
    let error = refusal(optim::flatten(adam()), [2, 3], [2, 4]);
    assert_eq!(error, "0/mu: expected an array of sizes [6], found bfloat16[8]");
    let error = refusal(optim::flatten(optim::adam(0.1)), [2, 3], [2, 4]);
    assert_eq!(error, "0/mu: expected an array of sizes [6], found float32[8]");
    let error = refusal(optim::scale_by_sm3(), [2, 3], [2, 4]);
    assert_eq!(error, "mu/0/1: expected an array of sizes [3], found float32[4]");
    let factored = ScaleByFactoredRms { min_dim_size_to_factor: 2, ..optim::scale_by_factored_rms() };
    let error = refusal(factored, [2, 3], [2, 4]);
    assert_eq!(error, "v_col/0: expected an array of sizes [3], found float32[4]");
}

/// Sizes that are constants, other names, and a whole training state.
#[test]
fn a_state_in_bfloat16_has_the_names_and_sizes_of_the_target() {
    let tx = || optim::trace(0.9).accumulator_dtype(Bf16);
    let bytes = |state: &TraceState<PerLeaf<Bf16Array>>| to_bytes(state).expect("a state dict");
    let state = tx().init(&params());
    let refusal =
        |state, bytes: &[u8]| from_bytes(state, bytes).expect_err("of other parameters").to_string();

    let ((w, b), c) = params();
    let flat = bytes(&tx().init(&(w, b)));
    assert_eq!(refusal(&state, &flat), "trace/0: expected a dict of `0`, `1`, found bfloat16[2, 3]");
    let more = bytes(&tx().init(&(params().0, c.clone(), c.clone())));
    assert_eq!(refusal(&state, &more), "trace/2: expected no such key, found bfloat16[2]");
    let fewer = bytes(&tx().init(&(params().0,)));
    assert_eq!(refusal(&state, &fewer), "trace/1: expected a value, found no such key");
    let masked = optim::masked(tx(), |path| !path.is("1")).init(&params());
    let error = refusal(&state, &bytes(&masked.inner_state));
    assert_eq!(error, "trace/1: expected an array of sizes [2], found an empty dict");

    let train = |size| TrainState::create((Tensor::<(Dyn,)>::zeros((Dyn(size),)),), tx());
    let saved = to_bytes(&train(3)).expect("a state dict");
    let error = from_bytes(&train(2), &saved).expect_err("of other parameters").to_string();
    assert_eq!(error, "opt_state/trace/0: expected an array of sizes [2], found bfloat16[3]");
}

/// A file of another program may have another order of names.
#[test]
fn another_order_of_names() {
    let text = r#"{"found_nan":{"1":true,"0":{"1":false,"0":true}}}"#;
    let mut read: optim::ZeroNansState = serde_json::from_str(text).expect("a state");
    optim::zero_nans().update(params(), &mut read, &params());
    let written = serde_json::to_string(&read).expect("booleans");
    assert_eq!(written, r#"{"found_nan":{"0":{"0":false,"1":false},"1":false}}"#);
}
