//! The last state of a trajectory, as Flax's `to_state_dict` gives it.

use super::check_numbers;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Compares what serde makes of a state: the names, and under each the numbers.
pub fn check(id: &str, rtol: f32, state: &impl Serialize, expected: &Value) {
    let mut got = BTreeMap::new();
    flatten("", &serde_json::to_value(state).expect("numbers"), &mut got);
    let expected: BTreeMap<String, Vec<f32>> = match expected {
        Value::Object(map) => map.iter().map(|(path, value)| (renamed(id, path), numbers(value))).collect(),
        other => panic!("{id}: final_state is {other}"),
    };
    let names = |map: &BTreeMap<String, Vec<f32>>| map.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&got), names(&expected), "{id}: the names of the state");
    for (path, got) in &got {
        check_numbers(&format!("{id}: {path}"), rtol, None, got, &expected[path]);
    }
}

/// In a `named_chain`, whose states are in a dictionary of another class, the fixture has the fields of a state by number.
fn renamed(id: &str, path: &str) -> String {
    match path.strip_prefix("adam/0/") {
        Some(rest) if id == "named_chain" => {
            let (field, rest) = rest.split_at(1);
            let field = ["count", "mu", "nu"][field.parse::<usize>().expect("a number of a field")];
            format!("adam/0/{field}{rest}")
        }
        _ => path.to_string(),
    }
}

/// Collects the tensors and numbers under their paths. Empty states have none.
fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, Vec<f32>>) {
    let child = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}/{name}") };
    match value {
        Value::Object(map) if map.contains_key("elements") => {
            into.insert(path.to_string(), numbers(&map["elements"]));
        }
        Value::Object(map) => map.iter().for_each(|(name, value)| flatten(&child(name), value, into)),
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(index, value)| flatten(&child(&index.to_string()), value, into));
        }
        value => {
            into.insert(path.to_string(), numbers(value));
        }
    }
}

fn numbers(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        Value::Bool(value) => vec![f32::from(u8::from(*value))],
        value => vec![value.as_f64().unwrap_or_else(|| panic!("{value} is a number")) as f32],
    }
}
