//! The names under which variables are written that a module has in loops and arms.
//!
//! Their struct has a field for each declaration, such as `layers: Each<…, 4>`; Flax has a key for each pass, `layers_0`, …. Beside
//! its fields it therefore says which name is where, to formats that people do not read: flaxen's own then writes the names.

use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// The name of a struct whose parts have names of their own, by which a format of flaxen's own knows it.
pub const NAMED: &str = "flaxen::Named";

/// The key of the names in it.
pub const NAMES: &str = "flaxen::names";

/// The names of all parts of a struct, by place, in Flax's order: `layers_2` is at `layers/2`.
#[derive(Debug, Default)]
pub struct Names(Vec<(String, String)>);

impl Names {
    /// Adds a part, unless it is of a type without values, as a module without variables has.
    pub fn add<T>(&mut self, _part: &T, place: fmt::Arguments, name: fmt::Arguments) {
        if size_of::<T>() > 0 {
            self.0.push((place.to_string(), name.to_string()));
        }
    }
}

impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(place, name)| (place, name)))
    }
}

/// As they are read, though nobody needs them: the places are known.
impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Names(BTreeMap::deserialize(deserializer)?.into_iter().collect()))
    }
}
