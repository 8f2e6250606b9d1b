//! `for` over constant ranges: one body for all passes, or one for each with `#[unroll]`.

use flaxen::prelude::*;
use flaxen::serialization::{
    Dict, StateDict, from_bytes, from_state_dict, from_state_dict_as, to_bytes, to_state_dict,
};
use flaxen::tree::Tree;

use crate::finite_differences::{check_module, weights};

type Rows = Tensor![2, 3; f64];

fn rows() -> Rows {
    weights(&Tensor::full(Default::default(), 1.0))
}

fn paths(tree: &impl Tree) -> Vec<String> {
    tree.leaves().into_iter().map(|leaf| leaf.path).collect()
}

/// The same block again and again, with names of its own for each pass.
#[module]
struct Stack;

#[module]
impl Stack {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let mut x = x;
        for i in 0..4 {
            x = compact!(Dense<3>, name = format!("layers_{i}"))(x);
            if i != 3 {
                x = tanh(x);
            }
        }
        x
    }
}

#[test]
fn a_loop_has_variables_for_each_pass() {
    let model = Stack::new();
    let params = weights(&model.init(Key::new(0)).params);
    assert_eq!(paths(&params)[..3], ["layers_0/kernel", "layers_0/bias", "layers_1/kernel"]);
    assert_eq!(params.layers.len(), 4);
    let mut x = rows();
    for (i, layer) in params.layers.iter().enumerate() {
        x = matmul(x, layer.kernel.clone()) + layer.bias.clone();
        x = if i != 3 { tanh(x) } else { x };
    }
    assert_eq!(model.apply(&params, rows()), x);
    check_module(&model, params, rows());
}

#[test]
fn each_pass_draws_with_the_key_of_its_name() {
    let params = Stack::new().init(Key::new(5)).params;
    let scope = flaxen::rng::Scope::root(Key::new(5));
    for (i, layer) in params.layers.iter().enumerate() {
        let drawn = flaxen::module::Module::<Rows>::init(&Dense::<U3>::new(), &scope.element("layers", i)).0;
        assert_eq!(*layer, drawn);
    }
}

#[test]
fn trees_with_passes_are_trees() {
    let params = weights(&Stack::new().init(Key::new(0)).params);
    let value = serde_json::to_value(&params).expect("a tree is written");
    assert_eq!(serde_json::from_value::<StackParams>(value).expect("and read"), params);
    let mut twice = params.clone();
    twice.accumulate(params.clone());
    assert_eq!(twice.layers[2].bias, &params.layers[2].bias * 2.0);
}

/// Numbers as Flax counts them: two classes, two of one class in a pass, one before and one after, and an arm in the loop.
#[module]
struct Counted<const N: usize> {
    skip: Option<usize>,
}

#[module]
impl<const N: usize> Counted<N> {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        let mut x = compact!(Dense<4>)(x);
        let shortcut = x.clone();
        for i in 0..N {
            let hidden = tanh(compact!(Dense<5>)(x.clone()));
            if self.skip != Some(i) {
                x = x + compact!(Dense<4>)(hidden) * shortcut.clone();
            }
        }
        compact!(Dense<2>)(x)
    }
}

#[test]
fn submodules_in_loops_are_counted() {
    let shapes = |model: Counted<2>| format!("{:?}", model.init(Key::new(0)).params);
    let dense = |n, i, o| format!("Dense_{n}: {{kernel: ({i}, {o}), bias: ({o},)}}");
    let all =
        [dense(0, 3, 4), dense(1, 4, 5), dense(2, 5, 4), dense(3, 4, 5), dense(4, 5, 4), dense(5, 4, 2)];
    assert_eq!(shapes(Counted::new()), format!("{{{}}}", all.join(", ")));
    let without = [dense(0, 3, 4), dense(1, 4, 5), dense(2, 4, 5), dense(3, 5, 4), dense(4, 4, 2)];
    assert_eq!(shapes(Counted::new().skip(Some(0))), format!("{{{}}}", without.join(", ")));
}

#[test]
fn gradients_through_loops_with_arms() {
    for skip in [None, Some(0), Some(2)] {
        let model = Counted::<3>::new().skip(skip);
        let params = weights(&model.init(Key::new(0)).params);
        check_module(&model, params, rows());
    }
}

#[test]
fn the_keys_are_those_of_the_numbers() {
    let params = Counted::<2>::new().skip(Some(0)).init(Key::new(1)).params;
    let scope = flaxen::rng::Scope::root(Key::new(1));
    let input = Tensor::<(Dyn, U4), f64>::zeros((Dyn(1), Default::default()));
    let drawn = |name| {
        fn of<In, M: flaxen::module::Module<In>>(model: M, scope: &flaxen::rng::Scope, _: &In) -> M::Params {
            model.init(scope).0
        }
        of(Dense::<U2>::new(), &scope.child(name), &input).kernel
    };
    assert_eq!(params.dense_3.kernel, drawn("Dense_4"));
}

/// The names are Flax's, each pass a key. What was written is read back by a template with the same hyper-parameters.
#[test]
fn passes_are_written_under_their_names() {
    type Params = CountedParams<2>;
    let bytes = |params: &Params| to_bytes(params).expect("tensors");
    let params = weights(&Stack::new().init(Key::new(0)).params);
    let layers = params.layers.iter().enumerate();
    let dict = |layer| to_state_dict(layer).expect("tensors");
    let dict = Dict::from_iter(layers.map(|(i, layer)| (format!("layers_{i}"), dict(layer))));
    assert_eq!(to_state_dict(&params).expect("tensors"), StateDict::from(dict.clone()));
    let template = Stack::new().init(Key::new(1)).params;
    assert_eq!(from_bytes(&template, &to_bytes(&params).expect("tensors")).expect("the same model"), params);

    let mut other = dict;
    let layer = other.remove("layers_2").expect("a layer");
    let refused = |dict: &Dict| from_state_dict(&template, &dict.clone().into()).unwrap_err().to_string();
    assert_eq!(refused(&other), "layers_2/kernel: expected float64[3, 3], found no such key");
    other.insert("layers_2", layer.clone());
    other.insert("layers_4", layer);
    assert_eq!(refused(&other), "layers_4: expected no such key, found a dict of `kernel`, `bias`");

    for skip in [None, Some(0), Some(1)] {
        let model = Counted::<2>::new().skip(skip);
        let params = weights(&model.init(Key::new(0)).params);
        let state = to_state_dict(&params).expect("tensors");
        let keys: Vec<_> = state.as_dict().expect("a dict").keys().map(String::from).collect();
        let count = if skip.is_some() { 5 } else { 6 };
        assert_eq!(keys, (0..count).map(|i| format!("Dense_{i}")).collect::<Vec<_>>());
        let template = model.init(Key::new(1)).params;
        assert_eq!(from_bytes(&template, &bytes(&params)).expect("the same model"), params);
        let state = TrainState::create(params, adam(0.1));
        let template = TrainState::create(template, adam(0.1));
        let restored = from_bytes(&template, &to_bytes(&state).expect("tensors")).expect("the same model");
        assert_eq!(restored, state);
        let error = from_state_dict_as::<Params>(&to_state_dict(&state.params).expect("tensors"));
        let error = error.expect_err("which arm is taken?").to_string();
        assert_eq!(
            error,
            "the whole tree: expected a template: the names of these submodules follow from hyper-parameters, found a type alone"
        );
    }
    let [one, other] = [Some(0), Some(1)].map(|skip| Counted::<2>::new().skip(skip).init(Key::new(0)).params);
    let error = from_bytes(&one, &bytes(&other)).unwrap_err().to_string();
    assert_eq!(error, "Dense_2/kernel: expected float64[4, 5], found float64[5, 4]");
}

/// A submodule that all passes share, one that only some of them call, plain values that change from pass to pass, two
/// carried variables, and a loop in a loop.
#[module]
struct Shared {
    #[default(0.5)]
    slope: f64,
}

#[module]
impl Shared {
    const PASSES: usize = 3;

    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> (Tensor![B, 3; f64], Tensor![B, 3; f64]) {
        let dense = compact!(Dense<3>);
        let last = compact!(Dense<3>, name = "last");
        let mut slope = self.slope;
        let (mut x, mut y) = (x.clone(), tanh(x));
        for i in 0..Self::PASSES {
            x = leaky_relu(dense(x), slope);
            slope *= 0.5;
            for j in 1..=2 {
                let factor = (i + j) as f64;
                y *= x.clone() / factor;
            }
            (x, y) = (y, x);
            if i == 1 {
                x = last(x);
            }
        }
        (x, y * slope)
    }
}

#[test]
fn passes_share_what_is_declared_around_them() {
    let model = Shared::new();
    let params = weights(&model.init(Key::new(0)).params);
    assert_eq!(paths(&params), ["Dense_0/kernel", "Dense_0/bias", "last/kernel", "last/bias"]);
    let dense = |x| matmul(x, params.dense_0.kernel.clone()) + params.dense_0.bias.clone();
    let last = params.last.clone().expect("a pass that calls it");
    let (mut x, mut y, mut slope) = (rows(), tanh(rows()), 0.5);
    for i in 0..3 {
        x = leaky_relu::Op::new(slope).infer(dense(x));
        slope *= 0.5;
        for j in 1..=2 {
            y = y * (x.clone() / (i + j) as f64);
        }
        (x, y) = (y, x);
        if i == 1 {
            x = matmul(x, last.kernel.clone()) + last.bias.clone();
        }
    }
    assert_eq!(model.apply(&params, rows()), (x, y * slope));
    check_module(&model, params, rows());
}

/// A loop in an arm, and a list of layers each of which has its name.
#[module]
struct LoopInArm {
    deep: bool,
}

#[module]
impl LoopInArm {
    fn call<B: Batch>(&self, mut x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        if self.deep {
            for i in 1..3 {
                x = sigmoid(compact!(Dense<3>, name = format!("hidden_{i}"))(x));
            }
        }
        x
    }
}

#[test]
fn loops_in_arms() {
    let model = LoopInArm::new().deep(true);
    let params = weights(&model.init(Key::new(0)).params);
    assert_eq!(paths(&params)[1..3], ["hidden_1/bias", "hidden_2/kernel"]);
    check_module(&model, params, rows());
    let model = LoopInArm::new();
    let params = model.init(Key::new(0)).params;
    assert_eq!(format!("{params:?}"), "{}");
    assert_eq!(model.apply(&params, rows()), rows());
    check_module(&model, params, rows());
}

/// Passes that differ in their types.
#[module]
struct Unrolled;

#[module]
impl Unrolled {
    fn call<B: Batch>(&self, mut x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        #[unroll]
        for i in 0..3 {
            x = compact!(Dense<5>)(x);
            if i != 2 {
                x = tanh(x) * (i as f64 + 1.0);
            }
        }
        for layer in (compact!(Dense<4>, name = "middle"), compact!(Dense<2>)) {
            x = sigmoid(layer(x));
        }
        #[unroll]
        for i in 1..=2 {
            x = compact!(Dense<2>, name = format!("end_{i}"))(x);
        }
        x
    }
}

#[test]
fn unrolled_passes_have_types_of_their_own() {
    let params = Unrolled::new().init(Key::new(0)).params;
    assert_eq!(
        format!("{params:?}"),
        "{Dense_0: {kernel: (3, 5), bias: (5,)}, Dense_1: {kernel: (5, 5), bias: (5,)}, Dense_2: {kernel: (5, 5), bias: (5,)}, \
        middle: {kernel: (5, 4), bias: (4,)}, Dense_3: {kernel: (4, 2), bias: (2,)}, \
        end_1: {kernel: (2, 2), bias: (2,)}, end_2: {kernel: (2, 2), bias: (2,)}}"
    );
    let params = weights(&params);
    check_module(&Unrolled::new(), params, rows());
}

/// More passes than serde's arrays have elements.
#[module]
struct Long;

#[module]
impl Long {
    fn call<B: Batch>(&self, mut x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        for _ in 0..40 {
            x += compact!(Dense<3>, kernel_init = zeros())(x.clone()) * 0.1;
        }
        x
    }
}

#[test]
fn a_long_loop() {
    let params = weights(&Long::new().init(Key::new(0)).params);
    assert_eq!(params.leaves().len(), 80);
    assert_eq!(paths(&params)[78..], ["Dense_39/kernel", "Dense_39/bias"]);
    let value = serde_json::to_value(&params).expect("a tree is written");
    assert_eq!(serde_json::from_value::<LongParams>(value).expect("and read"), params);
    check_module(&Long::new(), params, rows());
}
