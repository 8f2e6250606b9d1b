//! What a transform remembers of each leaf, where that is not an array of the leaf's own shape.

use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The name of the struct [`OfParameters`], by which a format of flaxen's own knows it.
pub(crate) const OF_PARAMETERS: &str = "flaxen::OfParameters";

/// What has the names and sizes of parameters, which its type does not have. Where there is a template, what is read must agree with
/// it.
#[derive(Serialize, Deserialize)]
#[serde(rename = "flaxen::OfParameters")]
struct OfParameters<T>(T);

/// A value for each leaf, written as a map with the names of the parameters: `{"Dense_0": {"kernel": …}}`.
///
/// A clone is cheap: it shares the values until one of the two is changed.
#[derive(Clone, Debug, PartialEq)]
pub struct PerLeaf<T>(Arc<Vec<Entry<T>>>);

#[derive(Clone, Debug, PartialEq)]
struct Entry<T> {
    path: String,
    value: Value<T>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Value<T> {
    Kept(T),
    /// Of a leaf that the optimiser leaves out.
    Masked {},
}

impl<T: Clone> PerLeaf<T> {
    /// The values that `value` gives for the leaves of a tree, but for those that are masked.
    pub fn of<P: Tree>(tree: &P, value: impl LeafValue<T>) -> Self {
        struct Collect<T, F>(Vec<Entry<T>>, F);
        impl<T, F: LeafValue<T>> Visit for Collect<T, F> {
            fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
                let kept = !leaf.is_masked();
                let value = if kept { Value::Kept(self.1.of(leaf)) } else { Value::Masked {} };
                self.0.push(Entry { path: path.to_string(), value });
            }
        }
        let mut collect = Collect(Vec::new(), value);
        tree.visit(&Path::ROOT, &mut collect);
        PerLeaf(Arc::new(collect.0))
    }

    /// The value of the leaf `index`; nothing if the optimiser leaves it out.
    pub fn get(&self, index: usize) -> Option<&T> {
        match self.0.get(index).map(|entry| &entry.value) {
            Some(Value::Kept(value)) => Some(value),
            _ => None,
        }
    }

    /// The value of the leaf `index`, whose path it is, to be changed. What was read in another order, from a file of another
    /// program, is put in order.
    pub fn get_mut(&mut self, index: usize, path: &Path) -> Option<&mut T> {
        let entries = Arc::make_mut(&mut self.0);
        if !path.is(&entries.get(index)?.path) {
            let found = entries.iter().position(|entry| path.is(&entry.path))?;
            entries.swap(index, found);
        }
        match &mut entries.get_mut(index)?.value {
            Value::Kept(value) => Some(value),
            Value::Masked {} => None,
        }
    }
}

/// A function of a leaf, of any shape and element.
pub trait LeafValue<T> {
    /// Its value.
    fn of<S: Shape, E: Float>(&mut self, leaf: &Tensor<S, E>) -> T;
}

/// The same value for every leaf.
pub struct Same<T>(pub T);

impl<T: Clone> LeafValue<T> for Same<T> {
    fn of<S: Shape, E: Float>(&mut self, _: &Tensor<S, E>) -> T {
        self.0.clone()
    }
}

impl<T: Serialize> Serialize for PerLeaf<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        OfParameters(Part { entries: &self.0, depth: 0 }).serialize(serializer)
    }
}

/// Neighbours whose paths begin with the same `depth` bytes.
struct Part<'a, T> {
    entries: &'a [Entry<T>],
    depth: usize,
}

impl<T: Serialize> Serialize for Part<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let [Entry { path, value }] = self.entries
            && path.len() <= self.depth
        {
            return value.serialize(serializer);
        }
        let name = |entry: &Entry<T>| {
            entry.path.get(self.depth..).unwrap_or_default().split('/').next().map(str::to_owned)
        };
        let parts = || self.entries.chunk_by(|a, b| name(a) == name(b));
        let mut map = serializer.serialize_map(Some(parts().count()))?;
        for entries in parts() {
            let name = entries.first().and_then(name).unwrap_or_default();
            map.serialize_entry(&name, &Part { entries, depth: self.depth + name.len() + 1 })?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PerLeaf<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let OfParameters(node) = OfParameters::<Node<T>>::deserialize(deserializer)?;
        let mut entries = Vec::new();
        node.flatten("", &mut entries);
        Ok(PerLeaf(Arc::new(entries)))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Node<T> {
    Leaf(Value<T>),
    Branch(Branch<T>),
}

impl<T> Node<T> {
    fn flatten(self, path: &str, entries: &mut Vec<Entry<T>>) {
        match self {
            Node::Leaf(value) => entries.push(Entry { path: path.to_string(), value }),
            Node::Branch(Branch(parts)) => {
                for (name, node) in parts {
                    let path = if path.is_empty() { name } else { format!("{path}/{name}") };
                    node.flatten(&path, entries);
                }
            }
        }
    }
}

/// A map in the order in which it was read.
struct Branch<T>(Vec<(String, Node<T>)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Branch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Branch<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of names")
            }

            fn visit_map<Map: MapAccess<'de>>(self, mut map: Map) -> Result<Branch<T>, Map::Error> {
                let mut parts = Vec::new();
                while let Some(part) = map.next_entry()? {
                    parts.push(part);
                }
                Ok(Branch(parts))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}
