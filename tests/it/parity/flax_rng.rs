//! The keys that Flax derives for variables and draws.

use flaxen::init::lecun_normal;
use flaxen::rng::{Bernoulli, Key, Layout, Scope};
use flaxen_tests::{Fixture, Tolerance};
use serde_json::{Value, json};

use super::{key, words};

#[test]
fn hashes() {
    let fixture = Fixture::open("flax_rng");
    let hashes = fixture.json()["hashes"].as_array().expect("a list of hashes");
    assert!(hashes.len() > 10);
    for hash in hashes {
        let suffix = hash["suffix"].as_array().expect("names, then a counter");
        let (counter, names) = suffix.split_last().expect("a counter");
        let counter = counter.as_u64().expect("a counter");
        let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
        let key = draw_at(&Scope::root(Key::new(0)), &names, counter);
        assert_eq!(key.words(), words(&hash["fold_in_of_PRNGKey0"]), "{suffix:?}");
        let hash = hash["hash_u32"].as_u64().expect("a hash") as u32;
        assert_eq!(key, Key::new(0).fold_in(hash), "{suffix:?}");
    }
}

/// The `count`-th draw of the module with this path.
fn draw_at(scope: &Scope, path: &[&str], count: u64) -> Key {
    match path {
        [] => (0..count).map(|_| scope.param()).last().expect("the first draw is number 1"),
        [name, path @ ..] => draw_at(&scope.child(name), path, count),
    }
}

/// The module `Leaf` of the fixture: two draws from a stream.
fn leaf(scope: Scope, stream: &str) -> Value {
    json!({ "call_1": draw(&scope, stream), "call_2": draw(&scope, stream) })
}

fn draw(scope: &Scope, stream: &str) -> [u32; 2] {
    scope.make_rng(stream).expect("a stream that was given").words()
}

/// What the fixture's module of this name draws, or nothing if it needs more than plain scopes.
fn result(name: &str, key: Key) -> Option<Value> {
    let (seed, layout) = (u64::from(key.words()[1]), key.layout());
    let other = |offset| Key::with_layout(seed + offset, layout);
    let streams = [("params", key.duplicate()), ("dropout", other(1)), ("noise", other(2))];
    let root = &Scope::root(key);
    let call = |scope: &Scope| draw(scope, "params");
    Some(match name {
        "root" | "apply_dropout" => {
            json!({ "call_1": call(root), "call_2": call(root), "call_3": call(root) })
        }
        "auto_names" => json!({
            "Leaf_0": leaf(root.child("Leaf_0"), "params"),
            "Leaf_1": leaf(root.child("Leaf_1"), "params"),
            "Enc": leaf(root.child("Enc"), "params"),
            "root": call(root),
        }),
        "setup_names" => {
            let names =
                ["one", "layers_0", "layers_1", "table_x", "table_y", "nest_0_0", "nest_1_0", "nest_1_1"];
            names.map(|name| (name.to_owned(), leaf(root.child(name), "params"))).into_iter().collect()
        }
        "deep" => ["Mid_0", "Mid_1", "Enc"]
            .map(|name| (name.to_owned(), mid(root.child(name))))
            .into_iter()
            .collect(),
        "twice" => {
            let first = leaf(root.child("shared"), "params");
            json!({ "first": first, "second": leaf(root.child("shared"), "params") })
        }
        "params" => json!({
            "param_a": root.param().words(),
            "make_rng": call(root),
            "param_b": root.param().words(),
        }),
        "streams" => {
            let root = &Scope::with_streams(streams);
            json!({
                "p1": draw(root, "params"),
                "d1": draw(root, "dropout"),
                "d2": draw(root, "dropout"),
                "p2": draw(root, "params"),
                "n1": draw(root, "noise"),
                "child": { "d": leaf(root.child("child"), "dropout") },
            })
        }
        "apply_params_exist" => json!({ "make_rng_1": call(root), "make_rng_2": call(root) }),
        "init_params_draw" => {
            let _ = root.param();
            let first = call(root);
            let _ = root.param();
            json!({ "make_rng_1": first, "make_rng_2": call(root) })
        }
        "fallback" => json!({ "p1": call(root), "other1": draw(root, "other"), "p2": call(root) }),
        "many" => {
            let calls: Vec<_> = (0..300).map(|_| call(root)).collect();
            let at = [1, 127, 128, 255, 256, 257, 300];
            at.map(|i| (format!("call_{i}"), json!(calls[i - 1]))).into_iter().collect()
        }
        "remat" => {
            let mut inner = root.child("inner");
            let dropout = Key::with_layout(seed, layout).fold_in(9);
            let apply = Scope::with_streams([("dropout", dropout)]);
            json!({ "params": call(&mut inner), "dropout": draw(&apply.child("inner"), "dropout") })
        }
        "dropout_masks" => dropout_masks(root),
        _ => return None,
    })
}

/// The module `Mid` of the fixture.
fn mid(scope: Scope) -> Value {
    let before = leaf(scope.child("Leaf_0"), "params");
    let own = draw(&scope, "params");
    json!({ "Leaf_0": before, "own": own, "Leaf_1": leaf(scope.child("Leaf_1"), "params") })
}

/// `Dropout_0` called twice, then `Dropout_1`, on eleven ones.
fn dropout_masks(root: &Scope) -> Value {
    let masks = ["Dropout_0", "Dropout_0", "Dropout_1"].map(|name| {
        let mut mask = [false; 11];
        root.child(name).param().fill(&Bernoulli::new(0.5), &mut mask);
        mask.map(u32::from)
    });
    json!(masks)
}

#[test]
fn modules_of_plain_scopes() {
    let fixture = Fixture::open("flax_rng");
    let mut checked = 0;
    for case in fixture.cases() {
        let name = case["name"].as_str().expect("a case has a name");
        if let Some(result) = result(name, key(case)) {
            assert_eq!(result, case["result"], "{name}, {} {}", case["mode"], case["seed"]);
            checked += 1;
        }
    }
    assert_eq!(checked, 14 * 4);
}

/// Cases of `naming.json` that are made of Dense and Conv layers, norms and plain parameters: every module is
/// entered in the order of creation of its variables, each of which is one draw.
const PLAIN: [&str; 22] = [
    "auto_numbers",
    "explicit_name_between",
    "instance_called_twice",
    "created_but_not_called",
    "created_order_vs_call_order",
    "sequential_inline",
    "sequential_setup",
    "sequential_inline_twice",
    "setup_list_dict",
    "setup_not_called",
    "setup_call_order",
    "setup_param",
    "setup_shared_attr",
    "field_module",
    "field_module_list",
    "field_module_shared",
    "field_module_named",
    "nested_compact_method",
    "subclass_name",
    "setup_two_methods_compact",
    "helper_method",
    "two_collections",
];

#[test]
fn first_elements_of_parameters() {
    let fixture = Fixture::open("flax_rng");
    let naming = fixture.other_json("naming.json");
    let cases = naming["cases"].as_array().expect("a list of cases");
    for name in PLAIN {
        let case = cases.iter().find(|case| case["name"] == name).expect(name);
        let root = Scope::root(Key::with_layout(0, Layout::Legacy));
        for variable in case["variables"].as_array().expect("variables") {
            let path: Vec<&str> =
                variable["path"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let ["params", modules @ .., leaf] = &path[..] else {
                continue;
            };
            let sizes: Vec<usize> = serde_json::from_value(variable["shape"].clone()).expect("sizes");
            let key = draw_at(&root, modules, 1);
            let mut value = vec![0.0; sizes.iter().product()];
            match *leaf {
                "kernel" => lecun_normal().fill(key, &sizes, &mut value),
                "w" if name == "setup_param" => flaxen::init::normal(0.01).fill(key, &sizes, &mut value),
                "scale" | "w" => flaxen::init::ones().fill(key, &sizes, &mut value),
                _ => flaxen::init::zeros().fill(key, &sizes, &mut value),
            }
            let first = variable["first"].as_f64().expect("a number") as f32;
            Tolerance::ulp(4).check(&format!("{name} {path:?}"), &value[..1], &[first]);
        }
    }
}
