//! States under names: what a `dict` of states is in Optax.

use super::state::{Slots, State};
use crate::tree::Tree;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// A tuple of states, each with a name. It is written as a map, and read in the order of the tuple: the type does not
/// know the names.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T, const N: usize> {
    pub(super) names: [Cow<'static, str>; N],
    /// The states.
    pub states: T,
}

impl<T, const N: usize> Named<T, N> {
    pub(super) fn new(names: [&'static str; N], states: T) -> Self {
        Named { names: names.map(Cow::Borrowed), states }
    }

    /// The names, in the order of the states.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }
}

impl<P: Tree, T: State<P>, const N: usize> State<P> for Named<T, N> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        self.states.slots(slots);
    }
}

macro_rules! tuples {
    ($($count:literal: $($state:ident $index:tt)+;)+) => {$(
        impl<$($state: Serialize),+> Serialize for Named<($($state,)+), $count> {
            fn serialize<Out: Serializer>(&self, serializer: Out) -> Result<Out::Ok, Out::Error> {
                let mut map = serializer.serialize_map(Some($count))?;
                $(map.serialize_entry(&self.names[$index], &self.states.$index)?;)+
                map.end()
            }
        }

        impl<'de, $($state: Deserialize<'de>),+> Deserialize<'de> for Named<($($state,)+), $count> {
            fn deserialize<In: Deserializer<'de>>(deserializer: In) -> Result<Self, In::Error> {
                struct Entries<T>(PhantomData<T>);
                impl<'de, $($state: Deserialize<'de>),+> Visitor<'de> for Entries<($($state,)+)> {
                    type Value = Named<($($state,)+), $count>;

                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        write!(formatter, "a map of {} states", $count)
                    }

                    fn visit_map<Map: MapAccess<'de>>(self, mut map: Map) -> Result<Self::Value, Map::Error> {
                        let mut names = [const { Cow::Borrowed("") }; $count];
                        let states = ($({
                            let entry = map.next_entry::<String, $state>()?;
                            let (name, state) = entry.ok_or_else(|| Map::Error::invalid_length($index, &self))?;
                            names[$index] = Cow::Owned(name);
                            state
                        },)+);
                        match map.next_key::<String>()? {
                            Some(name) => Err(Map::Error::custom(format_args!("one state too many: `{name}`"))),
                            None => Ok(Named { names, states }),
                        }
                    }
                }
                deserializer.deserialize_map(Entries(PhantomData))
            }
        }
    )+};
}

tuples! {
    1: A 0;
    2: A 0 B 1;
    3: A 0 B 1 C 2;
    4: A 0 B 1 C 2 D 3;
    5: A 0 B 1 C 2 D 3 E 4;
    6: A 0 B 1 C 2 D 3 E 4 F 5;
    7: A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
}
