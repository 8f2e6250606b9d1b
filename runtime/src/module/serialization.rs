//! Variables in any format that serde knows.
//!
//! A format that people read gets `{params, state}`. Any other gets, besides, which collection each variable of the state
//! belongs to, so that Flax's order can be made of it: collections first, then modules.

use super::Variables;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit};
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// The name of the struct `{params, state, collections}`, by which a format of flaxen's own knows it.
pub(crate) const VARIABLES: &str = "flaxen::Variables";

const READABLE: &[&str] = &["params", "state"];
const BINARY: &[&str] = &["params", "state", "collections"];

/// The collection of each variable, by path.
fn collections(state: &impl Tree) -> Vec<(String, &'static str)> {
    struct Collect(Vec<(String, &'static str)>);
    impl Visit for Collect {
        fn leaf<S: Shape, E: Float>(&mut self, path: &Path, _: &Tensor<S, E>) {
            let collection = path.collection();
            self.0.extend(collection.map(|collection| (path.to_string(), collection)));
        }
    }
    let mut collect = Collect(Vec::new());
    state.visit(&Path::ROOT, &mut collect);
    collect.0
}

impl<P: Serialize, S: Tree> Serialize for Variables<P, S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        if serializer.is_human_readable() {
            let mut parts = serializer.serialize_struct("Variables", READABLE.len())?;
            parts.serialize_field("params", &self.params)?;
            parts.serialize_field("state", &self.state)?;
            return parts.end();
        }
        /// A map in the order of the state.
        struct InOrder(Vec<(String, &'static str)>);
        impl Serialize for InOrder {
            fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
                serializer.collect_map(self.0.iter().map(|(path, collection)| (path, collection)))
            }
        }
        let mut parts = serializer.serialize_struct(VARIABLES, BINARY.len())?;
        parts.serialize_field("params", &self.params)?;
        parts.serialize_field("state", &self.state)?;
        parts.serialize_field("collections", &InOrder(collections(&self.state)))?;
        parts.end()
    }
}

impl<'de, P: Deserialize<'de>, S: Tree> Deserialize<'de> for Variables<P, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_struct("Variables", READABLE, Parts(PhantomData)),
            false => deserializer.deserialize_struct(VARIABLES, BINARY, Parts(PhantomData)),
        }
    }
}

/// Reads `{params, state}`, and where it is there, which variable belongs to which collection.
struct Parts<P, S>(PhantomData<(P, S)>);

impl<P, S: Tree> Parts<P, S> {
    /// The variables, if each is in its collection.
    fn variables<R: Error>(
        params: P,
        state: S,
        found: Option<BTreeMap<String, String>>,
    ) -> Result<Variables<P, S>, R> {
        for (path, collection) in found.is_some().then(|| collections(&state)).into_iter().flatten() {
            let found = found.as_ref().and_then(|found| found.get(&path));
            if found.is_none_or(|found| found != collection) {
                let found = found.map_or("no collection".into(), |found| format!("the collection {found}"));
                let expected = format!("the variable {path} in the collection {collection}");
                return Err(R::invalid_value(Unexpected::Other(&found), &expected.as_str()));
            }
        }
        Ok(Variables { params, state })
    }
}

impl<'de, P: Deserialize<'de>, S: Tree> Visitor<'de> for Parts<P, S> {
    type Value = Variables<P, S>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the variables of a module")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut params, mut state, mut collections) = (None, None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "params" => params = Some(map.next_value()?),
                "state" => state = Some(map.next_value()?),
                "collections" => collections = Some(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let params = params.ok_or_else(|| A::Error::missing_field("params"))?;
        let state = state.ok_or_else(|| A::Error::missing_field("state"))?;
        Self::variables(params, state, collections)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let missing = |index| A::Error::invalid_length(index, &"the parts of variables");
        let params = seq.next_element()?.ok_or_else(|| missing(0))?;
        let state = seq.next_element()?.ok_or_else(|| missing(1))?;
        Self::variables(params, state, seq.next_element()?)
    }
}
