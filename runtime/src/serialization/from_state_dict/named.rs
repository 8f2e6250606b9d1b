//! Parts of a struct that are written under other names than their places have: those of submodules in loops and in arms.

use super::{Entry, Node, Source};
use crate::module::named::NAMES;
use crate::serialization::refusal::Refusal;
use crate::serialization::state_dict::{Dict, StateDict};
use std::collections::BTreeMap;

/// The parts in their places, of a dict of their names. The template knows which name is where.
pub fn parts<'de>(
    entries: Vec<Entry<'de>>,
    template: Option<&'de StateDict>,
) -> Result<Vec<Entry<'de>>, Refusal> {
    if entries.is_empty() && template.is_none() {
        return Ok(entries);
    }
    let (Some(StateDict::Dict(template)), Some(StateDict::Dict(names))) =
        (template, template.and_then(|template| template.get(NAMES)))
    else {
        let expected = "a template: the names of these submodules follow from hyper-parameters";
        return Err(Refusal::new(expected, "a type alone"));
    };
    let text = |(place, name): (&'de str, &'de StateDict)| match name {
        StateDict::Str(name) => Some((place, name.as_str())),
        _ => None,
    };
    let mut named = Named { names: names.iter().filter_map(text).collect(), found: Vec::new() };
    named.found = entries.into_iter().map(|Entry { key, node, .. }| (key, Some(node.source))).collect();
    let parts = named.parts(template, "");
    match named.found.into_iter().find_map(|(name, left)| Some((name, left?))) {
        Some((name, source)) => {
            Err(Refusal::new("no such key", Node { source, template: None }.describe()).at(name))
        }
        None => Ok(parts),
    }
}

struct Named<'de> {
    /// The name of each place.
    names: BTreeMap<&'de str, &'de str>,
    /// What was found under a name, until it is put in its place.
    found: Vec<(&'de str, Option<Source<'de>>)>,
}

impl<'de> Named<'de> {
    /// What is in the places inside of one, as the template has them.
    fn parts(&mut self, template: &'de Dict, outer: &str) -> Vec<Entry<'de>> {
        let mut parts = Vec::with_capacity(template.len());
        for (key, part) in template.iter().filter(|(key, _)| *key != NAMES) {
            let place = if outer.is_empty() { key.to_string() } else { format!("{outer}/{key}") };
            parts.push(match (self.names.get(place.as_str()).copied(), part) {
                (Some(name), _) => {
                    let node = Node { source: self.take(name), template: Some(part) };
                    Entry { key, label: name.into(), node }
                }
                (None, StateDict::Dict(inner)) if !inner.is_empty() => {
                    let source = Source::Dict(self.parts(inner, &place));
                    Entry { key, label: "".into(), node: Node { source, template: None } }
                }
                // An arm that is not taken, or a module without variables.
                (None, _) => Entry { key, label: "".into(), node: Node::MISSING },
            });
        }
        parts
    }

    fn take(&mut self, name: &str) -> Source<'de> {
        let found = self.found.iter_mut().find(|(other, _)| *other == name);
        found.and_then(|(_, source)| source.take()).unwrap_or(Source::Missing)
    }
}
