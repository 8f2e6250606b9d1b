//! Flax's msgpack, byte for byte.

use flaxen::module::BatchStats;
use flaxen::nn::DenseParams;
use flaxen::optim::{self, Count, EmptyState, GradientTransformation};
use flaxen::prelude::*;
use flaxen::serialization::{
    Array, DType, Dict, StateDict, from_bytes, from_bytes_as, from_npz, from_safetensors, from_state_dict,
    from_state_dict_as, msgpack_restore, msgpack_serialize, npz_restore, safetensors_restore,
    safetensors_serialize, to_bytes, to_bytes_chunked, to_safetensors, to_state_dict,
};
use flaxen_tests::Fixture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("bytes in hexadecimal digits");
    let byte = |i| u8::from_str_radix(&text[i..i + 2], 16).expect("two hexadecimal digits");
    (0..text.len()).step_by(2).map(byte).collect()
}

fn array(parts: &Value) -> Array {
    let dtype = DType::from_name(parts["dtype"].as_str().expect("a dtype")).expect("a known dtype");
    let shape: Vec<usize> = serde_json::from_value(parts["shape"].clone()).unwrap_or_default();
    Array::new(dtype, &shape, hex(&parts["data_hex"])).expect("as many bytes as the shape says")
}

/// A node of a fixture's `state_dict`.
fn node(value: &Value) -> StateDict {
    let (kind, value) = value.as_object().and_then(|node| node.iter().next()).expect("a node");
    let list = || value.as_array().expect("a list").iter();
    let text = || value.as_str().expect("text");
    match kind.as_str() {
        "dict" => {
            let entry = |entry: &Value| (entry[0].as_str().expect("a key").to_string(), node(&entry[1]));
            Dict::from_iter(list().map(entry)).into()
        }
        "list" => StateDict::List(list().map(node).collect()),
        "ndarray" => StateDict::Array(array(value)),
        "npscalar" => StateDict::Scalar(array(value)),
        "int" => StateDict::Int(text().parse().expect("an int")),
        "float" => StateDict::Float(text().parse().expect("a float")),
        "bool" => StateDict::Bool(value.as_bool().expect("a bool")),
        "str" => StateDict::Str(text().into()),
        "bin_hex" => StateDict::Bytes(hex(value)),
        "nil" => StateDict::Nil,
        "complex" => StateDict::Complex {
            re: value[0].as_f64().expect("a number"),
            im: value[1].as_f64().expect("a number"),
        },
        other => panic!("a node `{other}`"),
    }
}

fn bytes(fixture: &Fixture, id: &str) -> Vec<u8> {
    fixture.bytes(fixture.case(id)["file"].as_str().expect("a file"))
}

#[test]
fn every_file_is_read_and_written_byte_for_byte() {
    let fixture = Fixture::open("serialization");
    for case in fixture.cases() {
        let id = case["id"].as_str().expect("an id");
        let bytes = bytes(&fixture, id);
        let expected = node(&case["state_dict"]);
        let restored = msgpack_restore(&bytes).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert!(restored == expected, "{id}: {restored:?} in place of {expected:?}");
        if !case["restored"].is_null() {
            assert!(restored == node(&case["restored"]), "{id}");
        }
        let written = match (case["call"].as_str(), case["max_chunk_size"].as_u64()) {
            (Some("to_bytes"), None) => to_bytes(&expected),
            (Some("to_bytes"), Some(size)) => to_bytes_chunked(&expected, size as usize),
            (Some("msgpack_serialize"), None) => msgpack_serialize(&expected),
            other => panic!("{id}: {other:?}"),
        };
        assert_eq!(written.expect(id).escape_ascii().to_string(), bytes.escape_ascii().to_string(), "{id}");
    }
}

/// The type reads the file, and writes the same file again.
#[track_caller]
fn round_trip<T: serde::Serialize + serde::de::DeserializeOwned>(fixture: &Fixture, id: &str) -> T {
    let bytes = bytes(fixture, id);
    let value: T = from_bytes_as(&bytes).unwrap_or_else(|error| panic!("{id}: {error}"));
    assert_eq!(
        to_bytes(&value).expect(id).escape_ascii().to_string(),
        bytes.escape_ascii().to_string(),
        "{id}"
    );
    value
}

#[test]
fn the_literal_of_the_first_tutorial_is_a_dense_layers_parameters() {
    let fixture = Fixture::open("serialization");
    type Variables_ = Variables<DenseParams<U10, U5>>;
    let variables: Variables_ = from_bytes_as(&bytes(&fixture, "seed000_literal")).expect("the tutorial's");
    let bias = variables.params.bias.as_slice();
    assert_eq!(bias, [-1.455_576_8, -2.027_799_1, 2.079_097_5, 1.218_614_5, -0.998_097_54]);
    assert_eq!(variables.params.kernel.as_slice()[..2], [1.009_881_4, 0.189_343_74]);
    // It was trained, so its keys are in alphabetical order.
    let sorted = to_state_dict(&variables).expect("tensors").sorted();
    assert_eq!(to_bytes(&sorted).expect("tensors"), bytes(&fixture, "seed000_literal"));
}

#[module]
struct DenseOfThree;

#[module]
impl DenseOfThree {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 2] {
        compact!(Dense<2>)(x)
    }
}

#[test]
fn parameters_are_flaxs() {
    let fixture = Fixture::open("serialization");
    type Linear = Variables<DenseParams<U3, U2>>;
    let params = round_trip::<Linear>(&fixture, "dense_init").params;
    let trained: Linear = from_bytes_as(&bytes(&fixture, "dense_tree_mapped")).expect("in any order");
    assert_ne!(trained.params, params);

    // With the submodule's name around it, it is another model.
    let variables = DenseOfThree::new().init(Key::new(0));
    let error = from_bytes(&variables, &bytes(&fixture, "dense_init")).expect_err("another tree").to_string();
    assert_eq!(error, "params/kernel: expected no such key, found float32[3, 2]");
}

#[module]
struct Mlp {
    layers: (Dense<4>, Dense<3>, Dense<1>),
}

#[module]
impl Mlp {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 1] {
        let x = relu((self.layers.0)(x));
        let x = relu((self.layers.1)(x));
        (self.layers.2)(x)
    }
}

/// The second of three equal layers is not called, so that it has no variables.
#[module]
struct Gap {
    layers: (Dense<3>, Dense<3>, Dense<3>),
}

#[module]
impl Gap {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let x = (self.layers.0)(x);
        (self.layers.2)(x)
    }
}

#[test]
fn submodules_in_one_field_have_flaxs_names() {
    let fixture = Fixture::open("serialization");
    let mlp = round_trip::<Variables<MlpParams, MlpState>>(&fixture, "mlp").params;
    assert_eq!(mlp.layers.2.kernel.as_slice()[0], f32::from_bits(0xbf00_421e));
    assert_eq!(mlp.layers.0.bias.as_slice(), [0.0; 4]);

    let layer = || DenseParams::<U3, U3> {
        kernel: Tensor::full(Default::default(), 0.5),
        bias: Tensor::zeros(Default::default()),
    };
    let params = GapParams { layers: (layer(), (), layer()) };
    let state = to_state_dict(&params).expect("tensors");
    let keys: Vec<&str> = state.as_dict().expect("a dict").keys().collect();
    assert_eq!(keys, ["layers_0", "layers_2"]);
    assert_eq!(from_state_dict(&params, &state).expect("what was written"), params);
    let paths: Vec<String> = params.leaves().into_iter().map(|leaf| leaf.path).collect();
    assert_eq!(paths[2], "layers_2/kernel");

    let refusal = |change: fn(&mut Dict)| {
        let mut changed = state.as_dict().expect("a dict").clone();
        change(&mut changed);
        from_state_dict(&params, &changed.into()).expect_err("another model").to_string()
    };
    let message = refusal(|dict| drop(dict.remove("layers_2")));
    assert_eq!(message, "layers_2/kernel: expected float32[3, 3], found no such key");
    let message =
        refusal(|dict| drop(dict.insert("layers_1", Dict::from_iter([("x", StateDict::Nil)]).into())));
    assert_eq!(message, "layers_1: expected no such key, found a dict of `x`");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Leaves {
    a: Tensor![3],
    b: Tensor![2, 2],
}

impl Tree for Leaves {
    fn visit(&self, path: &flaxen::tree::Path, visitor: &mut impl flaxen::tree::Visit) {
        self.a.visit(&path.child("a"), visitor);
        self.b.visit(&path.child("b"), visitor);
    }

    fn zip<const N: usize>(
        &mut self,
        mut others: [&mut Self; N],
        path: &flaxen::tree::Path,
        zip: &mut impl flaxen::tree::Zip<N>,
    ) {
        self.a.zip(others.each_mut().map(|other| &mut other.a), &path.child("a"), zip);
        self.b.zip(others.map(|other| &mut other.b), &path.child("b"), zip);
    }
}

#[test]
fn states_of_optimisers_are_optaxs() {
    let fixture = Fixture::open("serialization");
    let params = Leaves { a: Tensor::zeros(Default::default()), b: Tensor::zeros(Default::default()) };
    fn check<T: GradientTransformation>(fixture: &Fixture, id: &str, tx: T, params: &Leaves)
    where
        T::State<Leaves>: Serialize + serde::de::DeserializeOwned,
    {
        let state = tx.init(params);
        assert_eq!(to_bytes(&state).expect(id), bytes(fixture, id), "{id}");
        assert_eq!(from_bytes(&state, &bytes(fixture, id)).expect(id), state, "{id}");
    }
    check(&fixture, "optstate_sgd", optim::sgd(0.1), &params);
    check(&fixture, "optstate_adamw", optim::adamw(0.1), &params);
    let clipped = optim::chain((optim::clip_by_global_norm(1.0), optim::adam(0.1)));
    check(&fixture, "optstate_clip_adam", clipped, &params);
    check(&fixture, "optstate_rmsprop", optim::rmsprop(0.1), &params);
    check(&fixture, "optstate_sgd_schedule", optim::sgd(optim::linear_schedule(0.1, 0.0, 10)), &params);
    let groups = (("t", optim::adam(0.1)), ("f", optim::set_to_zero()));
    let tx = optim::multi_transform(groups, |path| if path.is("a") { "t" } else { "f" });
    check(&fixture, "optstate_multi_transform", tx.clone(), &params);
    // In a training state too, leaves that are left out stay empty dicts.
    let mut state = TrainState::create(params.clone(), tx);
    state.update(Leaves {
        a: Tensor::full(Default::default(), 1.0),
        b: Tensor::full(Default::default(), 1.0),
    });
    let saved = to_state_dict(&state).expect("tensors");
    let inner = ["opt_state", "inner_states", "t", "inner_state", "0", "mu"];
    let mu = inner.iter().try_fold(&saved, |state, key| state.get(key)).expect("the mean");
    assert_eq!(format!("{mu:?}"), r#"{"a": float32[3], "b": {}}"#);
    assert_eq!(from_state_dict(&state, &saved).expect("what was written"), state);
    // Among parameters they are refused.
    let masked = Dict::from_iter([("a", mu.get("a").expect("a").clone()), ("b", Dict::new().into())]);
    let error = from_state_dict(&params, &masked.into()).unwrap_err().to_string();
    assert_eq!(error, "b: expected float32[2, 2], found an empty dict");
    let (empty, counted): (EmptyState, Count) = round_trip(&fixture, "optstate_sgd_schedule");
    assert_eq!((empty, counted), (EmptyState {}, Count { count: 0 }));
}

/// States that hold more than trees of the parameters' shapes: sums over rows, flags, hyper-parameters.
#[test]
fn every_kind_of_state_survives() {
    fn check<T: GradientTransformation>(tx: T)
    where
        T::State<Leaves>: Serialize + serde::de::DeserializeOwned,
    {
        let params =
            Leaves { a: Tensor::full(Default::default(), 1.0), b: Tensor::full(Default::default(), 2.0) };
        let mut state = TrainState::create(params, tx);
        state.update(state.params.clone());
        let saved = to_bytes(&state).expect("tensors and numbers");
        let restored = from_bytes(&state, &saved).unwrap_or_else(|error| panic!("{:?}: {error}", state.tx));
        assert_eq!(to_bytes(&restored).expect("as before"), saved, "{:?}", state.tx);
        // It goes on as the one that was saved.
        let (mut state, mut restored) = (state, restored);
        for state in [&mut state, &mut restored] {
            state.update(state.params.clone());
        }
        assert_eq!(restored.params, state.params, "{:?}", state.tx);
    }
    check(optim::adafactor());
    check(optim::zero_nans());
    check(optim::apply_if_finite(adam(0.1), 3));
    check(optim::multi_steps(adam(0.1), 2));
    check(optim::lookahead(sgd(0.1), 5, 0.5));
    check(optim::flatten(adam(0.1)));
    check(optim::noisy_sgd(0.1, Key::new(0)));
    check(optim::schedule_free_sgd(0.1));
}

/// The parameters of the fixture's model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(non_snake_case)]
struct Model {
    Dense_0: DenseParams<U3, U4>,
    BatchNorm_0: Norm,
    Dense_1: DenseParams<U4, U1>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Norm {
    scale: Tensor![4],
    bias: Tensor![4],
}

impl Tree for Model {
    fn visit(&self, path: &flaxen::tree::Path, visitor: &mut impl flaxen::tree::Visit) {
        self.Dense_0.visit(&path.child("Dense_0"), visitor);
        let norm = path.child("BatchNorm_0");
        self.BatchNorm_0.scale.visit(&norm.child("scale"), visitor);
        self.BatchNorm_0.bias.visit(&norm.child("bias"), visitor);
        self.Dense_1.visit(&path.child("Dense_1"), visitor);
    }

    fn zip<const N: usize>(
        &mut self,
        mut others: [&mut Self; N],
        path: &flaxen::tree::Path,
        zip: &mut impl flaxen::tree::Zip<N>,
    ) {
        self.Dense_0.zip(others.each_mut().map(|other| &mut other.Dense_0), &path.child("Dense_0"), zip);
        let norm = path.child("BatchNorm_0");
        let scales = others.each_mut().map(|other| &mut other.BatchNorm_0.scale);
        self.BatchNorm_0.scale.zip(scales, &norm.child("scale"), zip);
        let biases = others.each_mut().map(|other| &mut other.BatchNorm_0.bias);
        self.BatchNorm_0.bias.zip(biases, &norm.child("bias"), zip);
        self.Dense_1.zip(others.map(|other| &mut other.Dense_1), &path.child("Dense_1"), zip);
    }
}

#[test]
fn training_states_are_flaxs() {
    let fixture = Fixture::open("serialization");
    let zeros = || -> Model {
        #[derive(Deserialize)]
        struct Saved {
            params: Model,
        }
        let state = msgpack_restore(&bytes(&fixture, "trainstate_adam_step0")).expect("a state");
        let params = Dict::from_iter([("params", state.get("params").expect("parameters").clone())]);
        let saved: Saved = from_state_dict_as(&params.into()).expect("the model's");
        saved.params.zeros_like()
    };
    let template = TrainState::create(zeros(), adam(1e-3));
    for (id, step) in [("trainstate_adam_step0", 0), ("trainstate_adam_step2", 2)] {
        let state =
            from_bytes(&template, &bytes(&fixture, id)).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!((state.step, state.opt_state.0.count), (step, step as i32), "{id}");
        assert_eq!(
            to_bytes(&state).expect(id).escape_ascii().to_string(),
            bytes(&fixture, id).escape_ascii().to_string()
        );
    }
    // A compiled step makes an array of the number of steps, which is a number too.
    let compiled = from_bytes(&template, &bytes(&fixture, "trainstate_adam_jit")).expect("a state");
    assert_eq!(compiled.step, 1);
    assert_ne!(compiled.params, template.params);

    let with_statistics = bytes(&fixture, "trainstate_batch_stats_sgd_momentum");
    let error = from_bytes(&TrainState::create(zeros(), sgd(0.1).momentum(0.9)), &with_statistics);
    let error = error.expect_err("a field too many").to_string();
    assert_eq!(error, "batch_stats: expected no such key, found a dict of `BatchNorm_0`");
}

/// The statistics of the fixture's model, and a variable of a collection of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(non_snake_case)]
struct Statistics<Seen> {
    BatchNorm_0: NormStatistics<Seen>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct NormStatistics<Seen> {
    mean: Tensor<(U4,)>,
    var: Tensor<(U4,)>,
    seen: Seen,
}

enum Cache {}

impl flaxen::module::Collection for Cache {
    const NAME: &'static str = "cache";
}

impl<Seen: Tree> Tree for Statistics<Seen> {
    fn visit(&self, path: &flaxen::tree::Path, visitor: &mut impl flaxen::tree::Visit) {
        let norm = path.child("BatchNorm_0");
        self.BatchNorm_0.mean.visit(&norm.variable::<BatchStats>("mean"), visitor);
        self.BatchNorm_0.var.visit(&norm.variable::<BatchStats>("var"), visitor);
        self.BatchNorm_0.seen.visit(&norm.variable::<Cache>("seen"), visitor);
    }

    fn zip<const N: usize>(
        &mut self,
        mut others: [&mut Self; N],
        path: &flaxen::tree::Path,
        zip: &mut impl flaxen::tree::Zip<N>,
    ) {
        let norm = path.child("BatchNorm_0");
        let means = others.each_mut().map(|other| &mut other.BatchNorm_0.mean);
        self.BatchNorm_0.mean.zip(means, &norm.variable::<BatchStats>("mean"), zip);
        let vars = others.each_mut().map(|other| &mut other.BatchNorm_0.var);
        self.BatchNorm_0.var.zip(vars, &norm.variable::<BatchStats>("var"), zip);
        let seen = others.map(|other| &mut other.BatchNorm_0.seen);
        self.BatchNorm_0.seen.zip(seen, &norm.variable::<Cache>("seen"), zip);
    }
}

#[test]
fn collections_come_before_modules() {
    let fixture = Fixture::open("serialization");
    type Normalised<Seen = ()> = Variables<Model, Statistics<Seen>>;
    let variables: Normalised = round_trip(&fixture, "batchnorm_variables");
    assert_eq!(variables.state.BatchNorm_0.var.as_slice(), [1.0; 4]);

    // A model with one collection more.
    let norm = variables.state.BatchNorm_0.clone();
    let norm = NormStatistics { mean: norm.mean, var: norm.var, seen: Tensor::scalar(8.0f32) };
    let more = Normalised { params: variables.params.clone(), state: Statistics { BatchNorm_0: norm } };
    let state = to_state_dict(&more).expect("tensors");
    let keys: Vec<&str> = state.as_dict().expect("a dict").keys().collect();
    assert_eq!(keys, ["params", "batch_stats", "cache"]);
    assert!(from_state_dict(&more, &state).expect("what was written") == more);
    let text = serde_json::to_string(&more).expect("numbers");
    assert!(serde_json::from_str::<Normalised<Tensor![]>>(&text).expect("what was written") == more);

    let error = from_state_dict(&variables, &state).expect_err("a collection too many").to_string();
    assert_eq!(error, "batch_stats and cache/BatchNorm_0/seen: expected no such key, found float32[]");
    let error = from_bytes(&more, &bytes(&fixture, "batchnorm_variables")).expect_err("one is missing");
    assert_eq!(error.to_string(), "batch_stats/BatchNorm_0/seen: expected float32[], found no such key");
    let mut renamed = state.as_dict().expect("a dict").clone();
    let cache = renamed.remove("cache").expect("the collection");
    renamed.insert("cached", cache);
    let error = from_state_dict(&more, &renamed.into()).expect_err("another collection").to_string();
    let expected = "the variable BatchNorm_0/seen in the collection cache, found the collection cached";
    assert!(error.ends_with(expected), "{error}");
    let stateless = Variables { params: variables.params.clone(), state: () };
    let error = from_bytes(&stateless, &bytes(&fixture, "batchnorm_variables")).expect_err("no state");
    assert_eq!(error.to_string(), "batch_stats: expected no such key, found a dict of `BatchNorm_0`");
}

#[test]
fn modules_without_variables_have_no_keys() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Nothing {}
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Around {
        empty: Nothing,
        dense: flaxen::nn::KernelBias<(U1, U1), f32, flaxen::nn::NoBias>,
    }
    let params = Around {
        empty: Nothing {},
        dense: flaxen::nn::KernelBias { kernel: Tensor::full(Default::default(), 1.0), bias: () },
    };
    let state = to_state_dict(&Variables { params, state: () }).expect("tensors");
    assert_eq!(format!("{state:?}"), r#"{"params": {"dense": {"kernel": float32[1, 1]}}}"#);
    let read: Variables<Around> = from_state_dict_as(&state).expect("what was written");
    assert_eq!(read.params.dense.kernel.as_slice(), [1.0]);
}

#[test]
fn numbers_and_containers_have_types_too() {
    let fixture = Fixture::open("serialization");
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Dtypes {
        bool: Tensor![2, 3; bool],
        int32: Tensor![2, 3; i32],
        uint8: Tensor![2, 3; u8],
        uint32: Tensor![2, Dyn; u32],
        float32: Tensor![Dyn, 3],
        float64: Tensor![2, 3; f64],
    }
    let state = msgpack_restore(&bytes(&fixture, "dtypes")).expect("arrays");
    let known = ["bool", "int32", "uint8", "uint32", "float32", "float64"];
    let known = known.map(|name| (name, state.get(name).expect(name).clone()));
    let arrays: StateDict = Dict::from_iter(known).into();
    let typed: Dtypes = from_state_dict_as(&arrays).expect("their own types");
    assert_eq!(typed.bool.as_slice(), [false, true, true, true, true, true]);
    assert_eq!(typed.float64.as_slice(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(typed.uint32.as_slice(), [0, 1, 2, 3, 4, 5]);
    assert!(to_state_dict(&typed).expect("tensors") == arrays);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Scalars {
        int: i8,
        neg: i64,
        u16: u32,
        big: u64,
        float: f32,
        pi: f64,
        r#true: bool,
        none: Option<i32>,
        str_ko: String,
        np_f32: f32,
        np_i64: i64,
        np_bool: bool,
        zero_d: f64,
        zero_d_int: usize,
    }
    let state = msgpack_restore(&bytes(&fixture, "scalars")).expect("scalars");
    let mut dict = state.as_dict().expect("a dict").clone();
    for key in ["neg33", "i128", "neg_big", "str", "str_long", "bytes", "complex"] {
        dict.remove(key).expect(key);
    }
    let scalars: Scalars = from_state_dict_as(&dict.clone().into()).expect("scalars");
    assert_eq!((scalars.int, scalars.neg, scalars.u16, scalars.big), (7, -1, 70_000, 1 << 63));
    assert_eq!((scalars.float, scalars.pi, scalars.none), (1.5, std::f64::consts::PI, None));
    assert_eq!((scalars.str_ko.as_str(), scalars.np_f32, scalars.np_i64), ("한국어", 1.25, -5));
    assert_eq!((scalars.r#true, scalars.np_bool, scalars.zero_d, scalars.zero_d_int), (true, true, 2.5, 3));
    dict.insert("int", StateDict::Int(200));
    let error = from_state_dict_as::<Scalars>(&dict.into()).unwrap_err();
    assert_eq!(error.to_string(), "int: expected i8, found integer `200`");

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Containers {
        l: (f32, Vec<i64>),
        t: (i64, (i64,)),
        intkeys: std::collections::BTreeMap<i32, String>,
    }
    let containers: Containers = from_bytes_as(&bytes(&fixture, "containers")).expect("containers");
    assert_eq!((containers.l, containers.t), ((1.0, vec![2, 3]), (4, (5,))));
    assert_eq!(containers.intkeys.into_keys().collect::<Vec<_>>(), [1, 2, 10]);
}

/// What is restored names the first path that is not the template's.
#[test]
fn another_model_is_refused_by_the_first_path_that_differs() {
    let fixture = Fixture::open("serialization");
    let state = msgpack_restore(&bytes(&fixture, "dense_init")).expect("a layer");
    type Linear = Variables<DenseParams<U3, U2>>;
    let template = Linear {
        params: DenseParams {
            kernel: Tensor::zeros(Default::default()),
            bias: Tensor::zeros(Default::default()),
        },
        state: (),
    };
    let refusal = |change: &dyn Fn(&mut Dict)| {
        let mut params = state.get("params").expect("parameters").as_dict().expect("a dict").clone();
        change(&mut params);
        let state = Dict::from_iter([("params", params.into())]).into();
        from_state_dict(&template, &state).expect_err("another model").to_string()
    };
    let array = |dtype, shape: &[usize], bytes: usize| {
        StateDict::from(Array::new(dtype, shape, vec![0; bytes]).expect("as many bytes"))
    };
    for (expected, change) in [
        (
            "params/kernel: expected float32[3, 2], found float32[2, 3]",
            &(|dict: &mut Dict| drop(dict.insert("kernel", array(DType::Float32, &[2, 3], 24))))
                as &dyn Fn(&mut Dict),
        ),
        ("params/kernel: expected float32[3, 2], found float16[3, 2]", &|dict| {
            drop(dict.insert("kernel", array(DType::Float16, &[3, 2], 12)));
        }),
        ("params/bias: expected float32[2], found float32[2, 1]", &|dict| {
            drop(dict.insert("bias", array(DType::Float32, &[2, 1], 8)));
        }),
        ("params/bias: expected float32[2], found no such key", &|dict| drop(dict.remove("bias"))),
        ("params/scale: expected no such key, found None", &|dict| {
            drop(dict.insert("scale", StateDict::Nil))
        }),
        ("params/bias: expected float32[2], found 0.5", &|dict| {
            drop(dict.insert("bias", StateDict::Float(0.5)))
        }),
    ] {
        assert_eq!(refusal(change), expected);
    }
}

#[test]
fn arrays_of_numpy_by_name() {
    let fixture = Fixture::open("serialization");
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[allow(non_snake_case)]
    struct Layers {
        Dense_0: DenseParams<U3, U2>,
    }
    let layer =
        DenseParams { kernel: Tensor::zeros(Default::default()), bias: Tensor::zeros(Default::default()) };
    let template = Variables { params: Layers { Dense_0: layer }, state: () };
    for file in ["params.npz", "compressed.npz"] {
        let read = from_npz(&template, &fixture.bytes(file), "/").unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(read.params.Dense_0.kernel.as_slice(), [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]);
        assert_eq!(read.params.Dense_0.bias.as_slice(), [-1.0, 2.5]);
    }
    let error = from_npz(&template, &fixture.bytes("params.npz"), ".").expect_err("other names").to_string();
    assert_eq!(error, "params.Dense_0.kernel: expected float32[3, 2], found no such name");
    let error = npz_restore(&fixture.bytes("text.npz")).unwrap_err().to_string();
    assert_eq!(error, "npz: text.npy: elements of `<U2`, which are no numbers");

    let arrays = npz_restore(&fixture.bytes("arrays.npz")).expect("numbers");
    let array = |name| match arrays.get(name) {
        Some(StateDict::Array(array)) => array,
        other => panic!("{name}: {other:?}"),
    };
    let little_endian = |bytes: &[u8]| -> Vec<i32> {
        bytes.as_chunks().0.iter().map(|&word| i32::from_le_bytes(word)).collect()
    };
    assert_eq!(little_endian(array("fortran").bytes()), (0..24).collect::<Vec<_>>());
    assert_eq!(array("fortran").shape(), [2, 3, 4]);
    assert_eq!(array("big_endian").bytes(), [1, 0, 254, 255, 44, 1]);
    assert_eq!(array("big_complex").bytes(), [1f32.to_le_bytes(), 2f32.to_le_bytes()].concat());
    let described: Vec<String> = arrays.iter().map(|(name, array)| format!("{name}: {array:?}")).collect();
    let expected = [
        "fortran: int32[2, 3, 4]",
        "big_endian: int16[3]",
        "big_complex: complex64[1]",
        "half: float16[1]",
        "truth: bool[2, 1]",
        "scalar: uint64[]",
        "empty: float64[0, 3]",
    ];
    assert_eq!(described, expected);
}

#[test]
fn safetensors_have_every_type_but_one() {
    let fixture = Fixture::open("serialization");
    let state = msgpack_restore(&bytes(&fixture, "dtypes")).expect("arrays");
    let error = to_safetensors(&state, ".").unwrap_err().to_string();
    assert_eq!(error, "complex128: expected elements that safetensors have, found complex128[2, 3]");
    let mut arrays = state.as_dict().expect("a dict").clone();
    arrays.remove("complex128");
    let read = safetensors_restore(&safetensors_serialize(&arrays).expect("arrays")).expect("safetensors");
    assert_eq!(read.len(), 14);
    assert!(read.iter().all(|(name, array)| arrays.get(name) == Some(array)));

    // Empty dicts have no names, and numbers are arrays: an optimiser's state comes back whole.
    let params = Leaves { a: Tensor::zeros(Default::default()), b: Tensor::full(Default::default(), 2.0) };
    let mut state = TrainState::create(params, optim::chain((optim::clip_by_global_norm(1.0), adam(0.1))));
    state.update(state.params.clone());
    let saved = to_safetensors(&state, "/").expect("arrays and numbers");
    let fresh = TrainState::create(state.params.zeros_like(), state.tx);
    assert_eq!(from_safetensors(&fresh, &saved, "/").expect("the same state"), state);
    let other = TrainState::create(state.params.zeros_like(), sgd(0.1));
    let error = from_safetensors(&other, &saved, "/").unwrap_err().to_string();
    assert_eq!(error, "opt_state/1/0/count: expected no such name, found int32[]");
    let error = to_safetensors(&StateDict::from(Dict::from_iter([("name", StateDict::Nil)])), "/");
    assert_eq!(error.unwrap_err().to_string(), "name: expected an array or a number, found None");
}
