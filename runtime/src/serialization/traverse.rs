//! Nested dicts as flat ones: `flax.traverse_util`.

use super::msgpack::MAX_DEPTH;
use super::refusal::Refusal;
use super::state_dict::{Dict, StateDict};
use crate::error::Result;

/// The values of a nested dict by path, the keys joined with `sep`: `flax.traverse_util.flatten_dict`.
///
/// An empty dict inside is left out, unless `keep_empty_nodes` is set: then it is a value like others.
///
/// ```
/// use flaxen::serialization::{Dict, StateDict, flatten_dict, unflatten_dict};
///
/// let bar = Dict::from_iter([("a", StateDict::Int(2)), ("b", Dict::new().into())]);
/// let nested = Dict::from_iter([("foo", StateDict::Int(1)), ("bar", bar.into())]);
/// let flat = flatten_dict(nested.clone(), true, "/")?;
/// assert_eq!(format!("{flat:?}"), r#"{"foo": 1, "bar/a": 2, "bar/b": {}}"#);
/// assert_eq!(unflatten_dict(flat, "/")?, nested);
/// assert_eq!(flatten_dict(nested, false, ".")?.len(), 2);
/// # Ok::<(), flaxen::Error>(())
/// ```
///
/// # Errors
/// [`Error::Mismatch`](crate::Error::Mismatch) if two values have the same joined path, as some key has `sep` in it.
pub fn flatten_dict(nested: Dict, keep_empty_nodes: bool, sep: &str) -> Result<Dict> {
    let mut flat = Dict::new();
    flatten_into(&mut flat, nested, "", keep_empty_nodes, sep);
    match flat.duplicate() {
        Some(path) => {
            let found = format!("two, as some key has `{sep}` in it");
            Err(Refusal::new("one value of this path", found).at(path).into())
        }
        None => Ok(flat),
    }
}

fn flatten_into(flat: &mut Dict, nested: Dict, prefix: &str, keep_empty_nodes: bool, sep: &str) {
    for (key, value) in nested {
        match value {
            StateDict::Dict(inner) if !(keep_empty_nodes && inner.is_empty()) => {
                flatten_into(flat, inner, &format!("{prefix}{key}{sep}"), keep_empty_nodes, sep);
            }
            value => flat.push(format!("{prefix}{key}"), value),
        }
    }
}

/// The nested dict of a flat one: `flax.traverse_util.unflatten_dict`.
///
/// # Errors
/// [`Error::Mismatch`](crate::Error::Mismatch) if a path leads through a value that is not a dict, or to one that is there
/// already; or with an empty `sep`.
pub fn unflatten_dict(flat: Dict, sep: &str) -> Result<Dict> {
    if sep.is_empty() {
        return Err(Refusal::new("a separator", "empty text").into());
    }
    let entries = flat.into_iter().enumerate();
    let mut entries: Vec<Entry> =
        entries.map(|(order, (path, value))| Entry { order, path, value: Some(value) }).collect();
    Ok(nest(&mut entries, 0, sep, 0)?)
}

/// A value that has not found its place yet.
struct Entry {
    order: usize,
    path: String,
    value: Option<StateDict>,
}

impl Entry {
    /// The key that begins at a byte of the path, and the byte where the next one begins.
    fn key(&self, start: usize, sep: &str) -> (&str, Option<usize>) {
        let rest = self.path.get(start..).unwrap_or_default();
        match rest.split_once(sep) {
            Some((key, _)) => (key, Some(start + key.len() + sep.len())),
            None => (rest, None),
        }
    }
}

/// The dict of all entries whose paths are the same up to a byte. A key stands where the first of its entries stood.
fn nest(entries: &mut [Entry], start: usize, sep: &str, depth: usize) -> Result<Dict, Refusal> {
    if depth > MAX_DEPTH {
        return Err(Refusal::new(format!("at most {MAX_DEPTH} dicts inside of each other"), "more"));
    }
    entries.sort_by(|a, b| a.key(start, sep).0.cmp(b.key(start, sep).0));
    let mut values = Vec::new();
    for group in entries.chunk_by_mut(|a, b| a.key(start, sep).0 == b.key(start, sep).0) {
        let order = group.iter().map(|entry| entry.order).min().unwrap_or_default();
        let key = group[0].key(start, sep).0.to_string();
        let leaf = group.iter().position(|entry| entry.key(start, sep).1.is_none());
        let next = start + key.len() + sep.len();
        let value = match leaf {
            None => nest(group, next, sep, depth + 1).map_err(|refusal| refusal.at(key.as_str()))?.into(),
            Some(leaf) if group.len() == 1 => group[leaf].value.take().unwrap_or(StateDict::Nil),
            Some(_) => return Err(Refusal::new("a value or a dict", "both").at(key)),
        };
        values.push((order, key, value));
    }
    values.sort_by_key(|(order, ..)| *order);
    let mut dict = Dict::with_capacity(values.len());
    values.into_iter().for_each(|(_, key, value)| dict.push(key, value));
    Ok(dict)
}

/// A nested dict with every value replaced by what `map` makes of it and its path: `flax.traverse_util.path_aware_map`.
///
/// Empty dicts stay as they are. For a typed tree there is
/// [`Tree::map_with_path`](crate::tree::Tree::map_with_path).
///
/// ```
/// use flaxen::serialization::{Dict, StateDict, path_aware_map};
///
/// let a = Dict::from_iter([("x", StateDict::Int(10)), ("y", StateDict::Int(3))]);
/// let nested = Dict::from_iter([("a", a.into()), ("b", StateDict::Int(20))]);
/// let labels = path_aware_map(
///     |path, _| StateDict::Str(if path.contains(&"x") { "trained".into() } else { path.join(".") }),
///     &nested,
/// );
/// assert_eq!(format!("{labels:?}"), r#"{"a": {"x": "trained", "y": "a.y"}, "b": "b"}"#);
/// ```
pub fn path_aware_map(mut map: impl FnMut(&[&str], &StateDict) -> StateDict, nested: &Dict) -> Dict {
    fn inside<'a>(
        map: &mut impl FnMut(&[&str], &StateDict) -> StateDict,
        nested: &'a Dict,
        path: &mut Vec<&'a str>,
    ) -> Dict {
        let mut mapped = Dict::with_capacity(nested.len());
        for (key, value) in nested.iter() {
            path.push(key);
            let value = match value {
                StateDict::Dict(inner) => inside(map, inner, path).into(),
                leaf => map(path, leaf),
            };
            path.pop();
            mapped.push(key.into(), value);
        }
        mapped
    }
    inside(&mut map, nested, &mut Vec::new())
}
