//! The Fashion-MNIST program on the digits, against twenty steps of the same program in Flax.

use flaxen::rng::{Key, Layout};
use flaxen::shape::Shape;
use flaxen::tensor::{Float, Tensor};
use flaxen::tree::{Path, Tree, Visit};
use flaxen_examples::digits;
use flaxen_examples::fashion_mnist::{CnnParams, create_train_state, eval_model, eval_step, train_step};
use flaxen_tests::Tolerance;
use serde_json::{Value, json};

const STEPS: usize = 20;
const BATCH_SIZE: usize = 32;

/// Sums of many numbers that are themselves within 1e-6 of Flax's.
const OF_INITIAL_PARAMS: Tolerance = Tolerance::close(1e-6, 1e-6);

#[test]
fn twenty_steps_in_the_partitionable_layout() {
    follow("cnn_digits_partitionable.json", Layout::Partitionable, |_| 1e-5);
}

/// After ten steps an exact zero in front of a relu decides, and two versions of Flax differ by 1e-3 there.
#[test]
fn twenty_steps_in_the_legacy_layout() {
    follow("cnn_digits_legacy.json", Layout::Legacy, |step| if step < 10 { 1e-5 } else { 3e-3 });
}

/// Runs the program and compares everything that the transcript tells; `rtol` is of the loss of a step.
fn follow(transcript: &str, layout: Layout, rtol: impl Fn(usize) -> f32) {
    let expected = read(transcript);
    let images = digits::load().expect("the digits inside the program");
    let (key, init_key) = Key::with_layout(0, layout).split();
    let learning_rate = expected["learning_rate"].as_f64().expect("a learning rate");
    let mut state = create_train_state(init_key, learning_rate, 0.9);

    assert_eq!(shapes(&state.params), expected["param_shapes"]);
    check_sums(&state.params, &expected["initial_params"], OF_INITIAL_PARAMS);
    let (test, _) = eval_model(&state, &images.test).expect("images to evaluate");
    check("loss", test.loss, &expected["initial_test"]["loss"], 1e-5);
    check("accuracy", test.accuracy, &expected["initial_test"]["accuracy"], 1e-6);
    let first = images.test.gather(&[0]).expect("a test image");
    let logits: Vec<f32> = number_list(&expected["initial_logits_first_test_image"]);
    let got = eval_step(&state, first.images);
    Tolerance::close(1e-5, 1e-6).check("logits of the first test image", got.as_slice(), &logits);

    let (_, order_key) = key.split();
    let order = order_key.permutation(images.train.len());
    let permutation: Vec<usize> =
        serde_json::from_value(expected["first_permutation"].clone()).expect("indices");
    assert!(permutation.len() >= STEPS * BATCH_SIZE && order.starts_with(&permutation), "{order:?}");
    let steps = expected["steps"].as_array().expect("a list of steps");
    assert_eq!(steps.len(), STEPS);
    for (step, (indices, expected)) in order.chunks(BATCH_SIZE).zip(steps).enumerate() {
        let batch = images.train.gather(indices).expect("indices of the training set");
        let metrics = train_step(&mut state, batch);
        check(&format!("loss of step {step}"), metrics.loss, &expected["loss"], rtol(step));
        check(&format!("accuracy of step {step}"), metrics.accuracy, &expected["accuracy"], 1e-6);
    }
    assert_eq!(state.step, STEPS);
    let rtol = rtol(STEPS - 1);
    check_sums(&state.params, &expected["params_after_steps"], Tolerance::close(rtol, 10.0 * rtol));
}

fn read(transcript: &str) -> Value {
    let path = format!("{}/fixtures/tutorials/{transcript}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn check(what: &str, got: f32, expected: &Value, rtol: f32) {
    let expected = expected.as_f64().expect("a number") as f32;
    Tolerance::close(rtol, 0.0).check(what, &[got], &[expected]);
}

fn number_list(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).expect("a list of numbers")
}

/// `{"Conv_0": {"kernel": [3, 3, 1, 32], "bias": [32]}, …}`
fn shapes(params: &CnnParams) -> Value {
    let mut shapes = json!({});
    for leaf in params.leaves() {
        let (layer, name) = leaf.path.split_once('/').expect("a layer and its parameter");
        shapes[layer][name] = json!(leaf.sizes);
    }
    shapes
}

/// Compares each leaf with its sums, its first six and its last four elements.
fn check_sums(params: &CnnParams, expected: &Value, tolerance: Tolerance) {
    let mut check = CheckSums { expected, tolerance, leaves: 0 };
    params.visit(&Path::ROOT, &mut check);
    assert_eq!(Some(check.leaves), expected.as_object().map(serde_json::Map::len));
}

struct CheckSums<'a> {
    expected: &'a Value,
    tolerance: Tolerance,
    leaves: usize,
}

impl Visit for CheckSums<'_> {
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
        let (name, expected) = (path.to_string(), &self.expected[path.to_string()]);
        assert_eq!(json!(leaf.sizes().as_ref()), expected["shape"], "{name}");
        let elements: Vec<f64> = leaf.as_slice().iter().map(|x| x.to_f64()).collect();
        let f32s: Vec<f32> = elements.iter().map(|&x| x as f32).collect();
        let (first, last) = (number_list(&expected["first"]), number_list(&expected["last"]));
        self.tolerance.check(&name, &f32s[..6], &first);
        self.tolerance.check(&name, &f32s[f32s.len() - 4..], &last);
        let sums = [
            ("sum", elements.iter().sum::<f64>()),
            ("sum_abs", elements.iter().map(|x| x.abs()).sum()),
            ("sum_sq", elements.iter().map(|x| x * x).sum()),
        ];
        // A sum of terms of both signs is as exact as the sum of their magnitudes.
        let magnitude = sums[1].1;
        for (what, sum) in sums {
            let expected = expected[what].as_f64().expect("a sum");
            let allowed = f64::from(self.tolerance.rtol) * magnitude + f64::from(self.tolerance.atol);
            assert!((sum - expected).abs() <= allowed, "{name}: {what} is {sum}, expected {expected}");
        }
        self.leaves += 1;
    }
}
