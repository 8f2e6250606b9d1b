//! The variables of a module, of a dict of collections.

use super::{Entry, Node, Source};
use crate::serialization::refusal::Refusal;
use crate::serialization::state_dict::{Dict, StateDict};

/// `{params, state, collections}`, of a dict of collections.
pub fn parts<'de>(
    entries: Vec<Entry<'de>>,
    template: Option<&'de StateDict>,
) -> Result<Vec<Entry<'de>>, Refusal> {
    let (mut params, mut names, mut dicts, mut collections) =
        (Source::Missing, Vec::new(), Vec::new(), Vec::new());
    for Entry { key, node, .. } in entries {
        match node.source {
            source if key == "params" => params = source,
            Source::Value(StateDict::Dict(dict)) => {
                names.push(key);
                dicts.push(dict);
                variables_of(dict, key, "", &mut collections);
            }
            _ => return Err(Refusal::new("no such key", node.describe()).at(key)),
        }
    }
    let state = match dicts.as_slice() {
        [] => Source::Missing,
        _ => Source::Dict(merge(&dicts)),
    };
    let label = if names.is_empty() { "state".into() } else { names.join(" and ").into() };
    let collections = Source::Collections(collections);
    Ok(vec![
        Entry::new("params", Node::of(params, template, "params")),
        Entry { key: "state", label, node: Node::of(state, template, "state") },
        Entry::new("collections", Node { source: collections, template: None }),
    ])
}

/// Dicts seen as one. Where several have a key, their values are dicts, or else the first is taken.
fn merge<'de>(dicts: &[&'de Dict]) -> Vec<Entry<'de>> {
    let mut merged: Vec<(&str, Vec<&StateDict>)> = Vec::new();
    for (key, value) in dicts.iter().flat_map(|dict| dict.iter()) {
        match merged.iter_mut().find(|(other, _)| *other == key) {
            Some((_, values)) => values.push(value),
            None => merged.push((key, vec![value])),
        }
    }
    let source = |values: Vec<&'de StateDict>| {
        let dicts: Option<Vec<&Dict>> = values.iter().map(|value| value.as_dict().ok()).collect();
        match dicts {
            Some(dicts) if dicts.len() > 1 => Source::Dict(merge(&dicts)),
            _ => Source::Value(values[0]),
        }
    };
    let node = |values| Node { source: source(values), template: None };
    merged.into_iter().map(|(key, values)| Entry::new(key, node(values))).collect()
}

/// The paths of all variables of a collection.
fn variables_of<'de>(
    dict: &'de Dict,
    collection: &'de str,
    prefix: &str,
    found: &mut Vec<(String, &'de str)>,
) {
    for (key, value) in dict.iter() {
        let path = format!("{prefix}{key}");
        match value {
            StateDict::Dict(inner) => variables_of(inner, collection, &format!("{path}/"), found),
            _ => found.push((path, collection)),
        }
    }
}
