//! Parameters as trees: walked, combined, written and read.

use flaxen::prelude::*;
use flaxen::shape::Shape;
use flaxen::tree::{Leaf, Path, Visit, Zip};
use flaxen_examples::fashion_mnist::{Cnn, CnnParams, CnnState};

fn params() -> CnnParams {
    Cnn::new().init(Key::new(0)).params
}

const LEAVES: [(&str, &[usize]); 8] = [
    ("Conv_0/kernel", &[3, 3, 1, 32]),
    ("Conv_0/bias", &[32]),
    ("Conv_1/kernel", &[3, 3, 32, 64]),
    ("Conv_1/bias", &[64]),
    ("Dense_0/kernel", &[3136, 256]),
    ("Dense_0/bias", &[256]),
    ("Dense_1/kernel", &[256, 10]),
    ("Dense_1/bias", &[10]),
];

#[test]
fn leaves_and_their_paths() {
    let expected =
        LEAVES.map(|(path, sizes)| Leaf { path: path.into(), sizes: sizes.into(), element: "f32" });
    assert_eq!(params().leaves(), expected);
    assert_eq!(params().elements(), 320 + 18_496 + 803_072 + 2_570);
}

#[test]
fn every_leaf_is_visited_once_in_order() {
    struct Names(Vec<(String, String, String)>);
    impl Visit for Names {
        fn leaf<S: Shape, E: Float>(&mut self, path: &Path, _: &Tensor<S, E>) {
            let parent = path.parent().expect("a leaf is inside a layer");
            self.0.push((path.to_string(), parent.name().to_string(), path.name().to_string()));
        }
    }
    let mut names = Names(Vec::new());
    params().visit(&Path::ROOT, &mut names);
    assert_eq!(names.0.len(), LEAVES.len());
    for ((path, parent, name), (expected, _)) in names.0.iter().zip(LEAVES) {
        assert_eq!(path, expected);
        assert_eq!(format!("{parent}/{name}"), expected);
    }
}

/// `a = 2 a + b - c`, on every leaf.
struct Combine(Vec<String>);

impl Zip<2> for Combine {
    fn leaf<S: Shape, E: Float>(
        &mut self,
        path: &Path,
        a: &mut Tensor<S, E>,
        [b, c]: [&mut Tensor<S, E>; 2],
    ) {
        self.0.push(path.to_string());
        let terms = b.as_slice().iter().zip(c.as_slice());
        for (a, (&b, &c)) in a.as_mut_slice().iter_mut().zip(terms) {
            *a = *a + *a + b - c;
        }
    }
}

#[test]
fn trees_are_zipped_leaf_by_leaf() {
    let (mut a, mut b, mut c) = (params(), Cnn::new().init(Key::new(1)).params, params());
    b.dense_1.bias = Tensor::full(Default::default(), 3.0);
    let mut combine = Combine(Vec::new());
    a.zip([&mut b, &mut c], &Path::ROOT, &mut combine);
    assert_eq!(combine.0, LEAVES.map(|(path, _)| path));
    assert_eq!(a.dense_1.bias.as_slice(), [3.0; 10]);
    let kernels = [&a, &b, &c].map(|tree| tree.conv_1.kernel.as_slice()[100]);
    assert_eq!(kernels[0], kernels[2] + kernels[2] + kernels[1] - kernels[2]);
    assert_eq!(c, params(), "what is only read stays");
}

#[test]
fn zeros_and_sums() {
    let params = params();
    let zeros = params.zeros_like();
    assert_eq!(zeros.leaves(), params.leaves());
    assert!(zeros.dense_0.kernel.as_slice().iter().all(|&x| x == 0.0));
    assert_ne!(params, zeros, "the tree itself stays as it is");

    let mut sum = zeros;
    sum.accumulate(params.clone());
    assert_eq!(sum, params);
    sum.accumulate(params.clone());
    let doubled: Vec<f32> = params.conv_0.kernel.as_slice().iter().map(|x| 2.0 * x).collect();
    assert_eq!(sum.conv_0.kernel.as_slice(), doubled);
    assert_eq!(params, self::params(), "a clone is not written through");
}

#[test]
fn parameters_survive_json_under_flaxs_names() {
    let variables = Cnn::new().init(Key::new(3));
    let value = serde_json::to_value(&variables).expect("numbers");
    for (path, sizes) in LEAVES {
        let leaf = value.pointer(&format!("/params/{path}")).expect(path);
        assert_eq!(leaf["sizes"], serde_json::json!(sizes), "{path}");
    }
    let layers = value["params"].as_object().expect("layers by name");
    assert_eq!(layers.len(), 4);
    let text = serde_json::to_string(&variables).expect("numbers");
    let read: Variables<CnnParams, CnnState> = serde_json::from_str(&text).expect("what was written");
    assert!(read == variables, "every bit survives");
}

/// What reading says of a file in which one value was replaced or, for `None`, left out.
fn refusal(pointer: &str, value: Option<serde_json::Value>) -> String {
    let mut json = serde_json::to_value(Small::new().init(Key::new(0)).params).expect("numbers");
    match (value, pointer.rsplit_once('/')) {
        (Some(value), _) => *json.pointer_mut(pointer).expect(pointer) = value,
        (None, Some((parent, name))) => {
            let parent = json.pointer_mut(parent).and_then(serde_json::Value::as_object_mut);
            parent.and_then(|parent| parent.remove(name)).expect(pointer);
        }
        (None, None) => panic!("`{pointer}` is no pointer"),
    }
    let read: Result<SmallParams, _> = serde_json::from_str(&json.to_string());
    read.expect_err("parameters of another model").to_string()
}

#[module]
struct Small;

#[module]
impl Small {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 2] {
        compact!(Dense<2>)(x)
    }
}

#[test]
fn parameters_of_another_model_are_refused() {
    let wrong_sizes = serde_json::json!({ "sizes": [2, 3], "elements": [1, 2, 3, 4, 5, 6] });
    let message = refusal("/Dense_0/kernel", Some(wrong_sizes));
    assert!(message.contains("sizes [2, 3] in place of one of [3, 2]"), "{message}");
    let message = refusal("/Dense_0/bias/elements", Some(serde_json::json!([1])));
    assert!(message.contains("sizes [2] with 1 elements"), "{message}");
    let message = refusal("/Dense_0/bias", None);
    assert!(message.contains("missing field `bias`"), "{message}");
    let message = refusal("/Dense_0", None);
    assert!(message.contains("missing field `Dense_0`"), "{message}");
    let message = refusal("/Dense_0/kernel/elements/2", Some(serde_json::json!("x")));
    assert!(message.contains("invalid type"), "{message}");
}
