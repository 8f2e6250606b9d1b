//! From a state dict to anything that serde can deserialise: what `to_state_dict` makes, read back.
//!
//! The type decides. A struct has to find all of its keys and no others, a tensor its own sizes and elements; a number is
//! read from one of Python's, NumPy's, or an array without dimensions, if it fits. What is missing is asked for too, as
//! `Option` and `()` need nothing, and a struct of those neither; so `#[serde(default)]` has no effect here.

use super::array::Array;
use super::refusal::Refusal;
use super::state_dict::{Dict, StateDict, describe_dict, index_of};
use crate::module::serialization::VARIABLES;
use crate::tensor::{DType, masked_leaves_are_allowed, serde::TENSOR};
use serde::de::value::{BorrowedStrDeserializer, MapDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Expected, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt::Display;

/// The value that a state dict holds.
pub fn from_state_dict<T: DeserializeOwned>(state: &StateDict) -> Result<T, Refusal> {
    T::deserialize(Node::Value(state))
}

impl de::Error for Refusal {
    fn custom<T: Display>(message: T) -> Self {
        Refusal::new("a value of this type", message.to_string())
    }

    fn invalid_type(found: Unexpected, expected: &dyn Expected) -> Self {
        Refusal::new(expected.to_string(), found.to_string())
    }

    fn invalid_value(found: Unexpected, expected: &dyn Expected) -> Self {
        Refusal::new(expected.to_string(), found.to_string())
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        Refusal::new(expected.to_string(), format!("{found} values"))
    }
}

/// Where a value is read from.
enum Node<'de> {
    Value(&'de StateDict),
    /// The key that there is none.
    Missing,
    /// A dict put together: the collections of a module's variables seen as one.
    Dict(Vec<(&'de str, Node<'de>)>),
    /// Which variable is in which collection.
    Collections(Vec<(String, &'de str)>),
}

impl<'de> Node<'de> {
    fn describe(&self) -> String {
        match self {
            Node::Value(value) => value.describe(),
            Node::Missing | Node::Collections(_) => "no such key".into(),
            Node::Dict(entries) => describe_dict(entries.iter().map(|(key, _)| *key)),
        }
    }

    /// The refusal of a visitor that expects something else.
    fn refused(&self, visitor: &dyn Expected) -> Refusal {
        Refusal::new(visitor.to_string(), self.describe())
    }

    /// A number or truth value.
    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let int = |value: i128, visitor: V| match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => visitor.visit_i64(value),
            (_, Ok(value)) => visitor.visit_u64(value),
            _ => visitor.visit_i128(value),
        };
        match self {
            Node::Value(StateDict::Int(value)) => int(*value, visitor),
            Node::Value(StateDict::Float(value)) => visitor.visit_f64(*value),
            Node::Value(StateDict::Bool(value)) => visitor.visit_bool(*value),
            Node::Value(StateDict::Array(array) | StateDict::Scalar(array)) if array.shape().is_empty() => {
                match (array.to_int(), array.to_float()) {
                    (Some(value), _) if array.dtype() == DType::Bool => visitor.visit_bool(value != 0),
                    (Some(value), _) => int(value, visitor),
                    (_, Some(value)) if array.dtype() == DType::Float32 => visitor.visit_f32(value as f32),
                    (_, Some(value)) => visitor.visit_f64(value),
                    _ => Err(self.refused(&visitor)),
                }
            }
            _ => Err(self.refused(&visitor)),
        }
    }

    /// The entries of a dict, if it is one.
    fn entries(self) -> Result<Vec<(&'de str, Node<'de>)>, Self> {
        match self {
            Node::Value(StateDict::Dict(dict)) => {
                Ok(dict.iter().map(|(key, value)| (key, Node::Value(value))).collect())
            }
            Node::Dict(entries) => Ok(entries),
            other => Err(other),
        }
    }

    /// A list of any length, or of the one that is expected.
    fn list<V: Visitor<'de>>(self, expected: Option<usize>, visitor: V) -> Result<V::Value, Refusal> {
        let mut nodes: Vec<Node> = match self {
            Node::Value(StateDict::List(values)) => values.iter().map(Node::Value).collect(),
            // What is missing may be a tuple of what needs nothing.
            Node::Missing if let Some(length) = expected => {
                std::iter::repeat_with(|| Node::Missing).take(length).collect()
            }
            other => {
                let refusal = other.refused(&visitor);
                other.entries().ok().and_then(in_order).ok_or(refusal)?
            }
        };
        if expected.is_some_and(|expected| expected != nodes.len()) {
            return Err(de::Error::invalid_length(nodes.len(), &visitor));
        }
        nodes.reverse();
        visitor.visit_seq(Elements { rest: nodes, index: 0 })
    }

    /// The fields of a struct, of a dict that has no other keys.
    fn fields(
        entries: Vec<(&'de str, Self)>,
        fields: &'static [&'static str],
    ) -> Result<Entries<'de>, Refusal> {
        if let Some((key, extra)) = entries.iter().find(|(key, _)| !fields.contains(key)) {
            return Err(Refusal::new("no such key", extra.describe()).at(*key));
        }
        let mut found: Vec<(&str, Node)> = fields.iter().map(|&field| (field, Node::Missing)).collect();
        for (key, node) in entries {
            if let Some(place) = found.iter_mut().find(|(field, _)| *field == key) {
                place.1 = node;
            }
        }
        Ok(Entries::of(found))
    }

    /// `{params, state, collections}`, of a dict of collections.
    fn variables(entries: Vec<(&'de str, Self)>) -> Result<Entries<'de>, Refusal> {
        let (mut params, mut names, mut dicts, mut collections) =
            (Node::Missing, Vec::new(), Vec::new(), Vec::new());
        for (key, node) in entries {
            match node {
                params_of if key == "params" => params = params_of,
                Node::Value(StateDict::Dict(dict)) => {
                    names.push(key);
                    dicts.push(dict);
                    variables_of(dict, key, "", &mut collections);
                }
                extra => return Err(Refusal::new("no such key", extra.describe()).at(key)),
            }
        }
        let state = match dicts.as_slice() {
            [] => Node::Missing,
            _ => Node::Dict(merge(&dicts)),
        };
        let parts =
            vec![("params", params), ("state", state), ("collections", Node::Collections(collections))];
        Ok(Entries { state: Some(names.join(" and ")).filter(|name| !name.is_empty()), ..Entries::of(parts) })
    }
}

/// The values of the keys `0`, `1`, …, if these are all keys.
fn in_order<'de>(entries: Vec<(&'de str, Node<'de>)>) -> Option<Vec<Node<'de>>> {
    let mut nodes: Vec<Node> = entries.iter().map(|_| Node::Missing).collect();
    for (key, node) in entries {
        *nodes.get_mut(index_of(key)?)? = node;
    }
    Some(nodes)
}

/// Dicts seen as one. Where several have a key, their values are dicts, or else the first is taken.
fn merge<'de>(dicts: &[&'de Dict]) -> Vec<(&'de str, Node<'de>)> {
    let mut merged: Vec<(&str, Vec<&StateDict>)> = Vec::new();
    for (key, value) in dicts.iter().flat_map(|dict| dict.iter()) {
        match merged.iter_mut().find(|(other, _)| *other == key) {
            Some((_, values)) => values.push(value),
            None => merged.push((key, vec![value])),
        }
    }
    let node = |values: Vec<&'de StateDict>| {
        let dicts: Option<Vec<&Dict>> = values.iter().map(|value| value.as_dict().ok()).collect();
        match dicts {
            Some(dicts) if dicts.len() > 1 => Node::Dict(merge(&dicts)),
            _ => Node::Value(values[0]),
        }
    };
    merged.into_iter().map(|(key, values)| (key, node(values))).collect()
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

macro_rules! numbers {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            self.number(visitor)
        }
    )+};
}

impl<'de> de::Deserializer<'de> for Node<'de> {
    type Error = Refusal;

    numbers! {
        deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    forward_to_deserialize_any! {
        char str string identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self {
            Node::Value(StateDict::Dict(_)) | Node::Dict(_) => self.deserialize_map(visitor),
            Node::Value(StateDict::List(_)) => self.list(None, visitor),
            Node::Value(StateDict::Array(array)) if !array.shape().is_empty() => {
                visitor.visit_map(Parts::of(array))
            }
            Node::Value(StateDict::Str(text)) => visitor.visit_borrowed_str(text),
            Node::Value(StateDict::Bytes(bytes)) => visitor.visit_borrowed_bytes(bytes),
            Node::Value(StateDict::Nil) => visitor.visit_unit(),
            _ => self.number(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self {
            Node::Value(StateDict::Bytes(bytes)) => visitor.visit_borrowed_bytes(bytes),
            _ => self.list(None, visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self {
            Node::Missing | Node::Value(StateDict::Nil) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self {
            Node::Missing | Node::Value(StateDict::Nil) => visitor.visit_unit(),
            Node::Value(StateDict::Dict(dict)) if dict.is_empty() => visitor.visit_unit(),
            extra => Err(Refusal::new("no such key", extra.describe())),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.list(None, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.list(Some(length), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.list(Some(length), visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        if let Node::Collections(collections) = self {
            return visitor.visit_map(MapDeserializer::new(collections.into_iter()));
        }
        match self.entries() {
            Ok(entries) => visitor.visit_map(Entries::of(entries)),
            Err(other) => Err(other.refused(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self {
            Node::Value(StateDict::Array(array)) if name == TENSOR => {
                return visitor.visit_map(Parts::of(array));
            }
            // A leaf that an optimiser leaves out; the visitor knows whether there may be one.
            Node::Value(StateDict::Dict(dict))
                if name == TENSOR && dict.is_empty() && masked_leaves_are_allowed() =>
            {
                return visitor.visit_map(MapDeserializer::<_, Refusal>::new(std::iter::empty::<((), ())>()));
            }
            _ if name == TENSOR => return Err(self.refused(&visitor)),
            _ => {}
        }
        let entries = match self {
            // It may be a struct of what needs nothing.
            Node::Missing => Vec::new(),
            other => other.entries().map_err(|other| other.refused(&visitor))?,
        };
        visitor.visit_map(match name {
            VARIABLES => Node::variables(entries)?,
            _ => Node::fields(entries, fields)?,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self {
            Node::Value(StateDict::Str(variant)) => visitor.visit_enum(StrDeserializer::new(variant)),
            Node::Value(StateDict::Dict(dict))
                if let (1, Some((variant, value))) = (dict.len(), dict.iter().next()) =>
            {
                visitor.visit_enum(Variant { variant, value: Node::Value(value) })
            }
            _ => Err(self.refused(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// What is left of a list, the next element last.
struct Elements<'de> {
    rest: Vec<Node<'de>>,
    index: usize,
}

impl<'de> de::SeqAccess<'de> for Elements<'de> {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refusal> {
        let Some(element) = self.rest.pop() else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(element).map(Some).map_err(|refusal| refusal.at(index.to_string()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// What is left of a dict.
struct Entries<'de> {
    rest: std::vec::IntoIter<(&'de str, Node<'de>)>,
    /// The entry whose key was read and whose value was not.
    next: Option<(&'de str, Node<'de>)>,
    /// What the state of a module's variables is called: the collections that it is made of.
    state: Option<String>,
}

impl<'de> Entries<'de> {
    fn of(entries: Vec<(&'de str, Node<'de>)>) -> Self {
        Entries { rest: entries.into_iter(), next: None, state: None }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refusal> {
        self.next = self.rest.next();
        match self.next {
            Some((key, _)) => seed.deserialize(Key(key)).map(Some).map_err(|refusal| refusal.at(key)),
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refusal> {
        let (key, value) = self.next.take().unwrap_or(("", Node::Missing));
        seed.deserialize(value).map_err(|refusal| match &self.state {
            Some(collections) if key == "state" => refusal.at(collections.as_str()),
            _ => refusal.at(key),
        })
    }
}

/// A key, which may be a number in the map that is read.
struct Key<'de>(&'de str);

macro_rules! number_keys {
    ($($method:ident $visit:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            match self.0.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(de::Error::invalid_type(Unexpected::Str(self.0), &visitor)),
            }
        }
    )+};
}

impl<'de> de::Deserializer<'de> for Key<'de> {
    type Error = Refusal;

    number_keys! {
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
    }

    forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_enum(BorrowedStrDeserializer::new(self.0))
    }
}

/// A variant of an enum with its value.
struct Variant<'de> {
    variant: &'de str,
    value: Node<'de>,
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = Refusal;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Refusal> {
        let variant = BorrowedStrDeserializer::<Refusal>::new(self.variant);
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'de> {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        Err(Refusal::new("the name of a variant alone", self.value.describe()))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refusal> {
        seed.deserialize(self.value).map_err(|refusal| refusal.at(self.variant))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refusal> {
        self.value.list(Some(length), visitor).map_err(|refusal| refusal.at(self.variant))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        de::Deserializer::deserialize_struct(self.value, "", fields, visitor)
            .map_err(|refusal| refusal.at(self.variant))
    }
}

/// The parts of an array, as a tensor reads them: `{dtype, sizes, bytes}`.
struct Parts<'de> {
    array: &'de Array,
    part: usize,
}

impl<'de> Parts<'de> {
    fn of(array: &'de Array) -> Self {
        Parts { array, part: 0 }
    }
}

impl<'de> de::MapAccess<'de> for Parts<'de> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refusal> {
        let key = ["dtype", "sizes", "bytes"].get(self.part);
        key.map(|key| seed.deserialize(BorrowedStrDeserializer::new(key))).transpose()
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refusal> {
        self.part += 1;
        match self.part {
            1 => seed.deserialize(BorrowedStrDeserializer::new(self.array.dtype().name())),
            2 => seed.deserialize(de::value::SeqDeserializer::new(self.array.shape().iter().copied())),
            _ => seed.deserialize(de::value::BorrowedBytesDeserializer::new(self.array.bytes())),
        }
    }
}
