//! From a state dict to anything that serde can deserialise: what `to_state_dict` makes, read back.
//!
//! The type decides. A struct has to find all of its keys and no others, a tensor its own sizes and elements; a number is
//! read from one of Python's, NumPy's, or an array without dimensions, if it fits. What is missing is asked for too, as
//! `Option` and `()` need nothing, and a struct of those neither; so `#[serde(default)]` has no effect here.
//!
//! A template, which another value of the type gives, goes down beside what is read: it knows the names that
//! do not follow from the type, and the sizes of what is kept of parameters.

mod access;
mod named;
mod of_parameters;
mod variables;

use super::refusal::Refusal;
use super::state_dict::{StateDict, describe_dict, index_of};
use crate::module::named::NAMED;
use crate::module::serialization::VARIABLES;
use crate::optim::OF_PARAMETERS;
use crate::tensor::{DType, masked_leaves_are_allowed, serde::TENSOR};
use access::{Elements, Entries, Parts, Variant};
use serde::de::value::{MapDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, Expected, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use std::borrow::Cow;
use std::fmt::Display;

/// The value that a state dict holds, with the [`template`](super::to_state_dict::template) of another one of its type.
pub fn from_state_dict<T: DeserializeOwned>(
    template: Option<&StateDict>,
    state: &StateDict,
) -> Result<T, Refusal> {
    T::deserialize(Node { source: Source::Value(state), template })
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

/// What a value is read from.
struct Node<'de> {
    source: Source<'de>,
    /// The template of the same value.
    template: Option<&'de StateDict>,
}

enum Source<'de> {
    Value(&'de StateDict),
    /// The key that there is none.
    Missing,
    /// A dict put together: the collections of a module's variables seen as one, or its fields found by name.
    Dict(Vec<Entry<'de>>),
    /// Which variable is in which collection.
    Collections(Vec<(String, &'de str)>),
}

/// A value in a dict.
struct Entry<'de> {
    key: &'de str,
    /// What it is called in an error; nothing if it is not written as a value of its own.
    label: Cow<'de, str>,
    node: Node<'de>,
}

impl<'de> Entry<'de> {
    fn new(key: &'de str, node: Node<'de>) -> Self {
        Entry { key, label: key.into(), node }
    }
}

impl<'de> Node<'de> {
    const MISSING: Self = Node { source: Source::Missing, template: None };

    /// This source, with what the template has for a key.
    fn of(source: Source<'de>, template: Option<&'de StateDict>, key: &str) -> Self {
        Node { source, template: template.and_then(|template| template.get(key)) }
    }

    fn describe(&self) -> String {
        match &self.source {
            Source::Value(value) => value.describe(),
            Source::Missing | Source::Collections(_) => "no such key".into(),
            Source::Dict(entries) => describe_dict(entries.iter().map(|entry| entry.key)),
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
        match self.source {
            Source::Value(StateDict::Int(value)) => int(*value, visitor),
            Source::Value(StateDict::Float(value)) => visitor.visit_f64(*value),
            Source::Value(StateDict::Bool(value)) => visitor.visit_bool(*value),
            Source::Value(StateDict::Array(array) | StateDict::Scalar(array)) if array.shape().is_empty() => {
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
    fn entries(self) -> Result<Vec<Entry<'de>>, Self> {
        match self.source {
            Source::Value(StateDict::Dict(dict)) => Ok(dict
                .iter()
                .map(|(key, value)| Entry::new(key, Node::of(Source::Value(value), self.template, key)))
                .collect()),
            Source::Dict(mut entries) => {
                if let Some(template) = self.template {
                    entries.iter_mut().for_each(|entry| entry.node.template = template.get(entry.key));
                }
                Ok(entries)
            }
            source => Err(Node { source, ..self }),
        }
    }

    /// A list of any length, or of the one that is expected.
    fn list<V: Visitor<'de>>(self, expected: Option<usize>, visitor: V) -> Result<V::Value, Refusal> {
        let mut elements: Vec<Entry> = match (&self.source, expected) {
            (Source::Value(StateDict::List(values)), _) => {
                let element = |(index, value): (usize, &'de StateDict)| {
                    let index = index.to_string();
                    let node = Node::of(Source::Value(value), self.template, &index);
                    Entry { key: "", label: index.into(), node }
                };
                values.iter().enumerate().map(element).collect()
            }
            // What is missing may be a tuple of what needs nothing.
            (Source::Missing, Some(length)) => {
                let label = |index: usize| index.to_string().into();
                (0..length).map(|index| Entry { key: "", label: label(index), node: Node::MISSING }).collect()
            }
            _ => {
                let refusal = self.refused(&visitor);
                self.entries().ok().and_then(in_order).ok_or(refusal)?
            }
        };
        if expected.is_some_and(|expected| expected != elements.len()) {
            return Err(de::Error::invalid_length(elements.len(), &visitor));
        }
        elements.reverse();
        visitor.visit_seq(Elements { rest: elements })
    }
}

/// The fields of a struct, of a dict that has no other keys.
fn fields_of<'de>(
    entries: Vec<Entry<'de>>,
    fields: &'static [&'static str],
) -> Result<Vec<Entry<'de>>, Refusal> {
    if let Some(extra) = entries.iter().find(|entry| !fields.contains(&entry.key)) {
        return Err(Refusal::new("no such key", extra.node.describe()).at(extra.key));
    }
    let mut found: Vec<Entry> = fields.iter().map(|&field| Entry::new(field, Node::MISSING)).collect();
    for entry in entries {
        if let Some(place) = found.iter_mut().find(|place| place.key == entry.key) {
            *place = entry;
        }
    }
    Ok(found)
}

/// The values of the keys `0`, `1`, …, if these are all keys.
fn in_order(entries: Vec<Entry<'_>>) -> Option<Vec<Entry<'_>>> {
    let mut in_order: Vec<Entry> = entries.iter().map(|_| Entry::new("", Node::MISSING)).collect();
    for entry in entries {
        let index = index_of(entry.key)?;
        *in_order.get_mut(index)? = entry;
    }
    Some(in_order)
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
        match self.source {
            Source::Value(StateDict::Dict(_)) | Source::Dict(_) => self.deserialize_map(visitor),
            Source::Value(StateDict::List(_)) => self.list(None, visitor),
            Source::Value(StateDict::Array(array)) if !array.shape().is_empty() => {
                visitor.visit_map(Parts::of(array))
            }
            Source::Value(StateDict::Str(text)) => visitor.visit_borrowed_str(text),
            Source::Value(StateDict::Bytes(bytes)) => visitor.visit_borrowed_bytes(bytes),
            Source::Value(StateDict::Nil) => visitor.visit_unit(),
            _ => self.number(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.source {
            Source::Value(StateDict::Bytes(bytes)) => visitor.visit_borrowed_bytes(bytes),
            _ => self.list(None, visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.source {
            Source::Missing | Source::Value(StateDict::Nil) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.source {
            Source::Missing | Source::Value(StateDict::Nil) => visitor.visit_unit(),
            Source::Value(StateDict::Dict(dict)) if dict.is_empty() => visitor.visit_unit(),
            _ => Err(Refusal::new("no such key", self.describe())),
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
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        if let (OF_PARAMETERS, Some(template), Source::Value(value)) = (name, self.template, &self.source) {
            of_parameters::check(template, value)?;
        }
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
        if let Source::Collections(collections) = self.source {
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
        match self.source {
            Source::Value(StateDict::Array(array)) if name == TENSOR => {
                return visitor.visit_map(Parts::of(array));
            }
            // A leaf that an optimiser leaves out; the visitor knows whether there may be one.
            Source::Value(StateDict::Dict(dict))
                if name == TENSOR && dict.is_empty() && masked_leaves_are_allowed() =>
            {
                return visitor.visit_map(MapDeserializer::<_, Refusal>::new(std::iter::empty::<((), ())>()));
            }
            _ if name == TENSOR => return Err(self.refused(&visitor)),
            _ => {}
        }
        let template = self.template;
        let entries = match self.source {
            // It may be a struct of what needs nothing.
            Source::Missing => Vec::new(),
            _ => self.entries().map_err(|other| other.refused(&visitor))?,
        };
        let entries = match name {
            VARIABLES => variables::parts(entries, template)?,
            NAMED => fields_of(named::parts(entries, template)?, fields)?,
            _ => fields_of(entries, fields)?,
        };
        visitor.visit_map(Entries::of(entries))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.source {
            Source::Value(StateDict::Str(variant)) => visitor.visit_enum(StrDeserializer::new(variant)),
            Source::Value(StateDict::Dict(dict))
                if let (1, Some((variant, value))) = (dict.len(), dict.iter().next()) =>
            {
                let value = Node::of(Source::Value(value), self.template, variant);
                visitor.visit_enum(Variant { variant, value })
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
