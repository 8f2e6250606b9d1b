//! From a state dict to anything that serde can deserialise: what `to_state_dict` makes, read back.
//!
//! The type decides. A struct has to find all of its keys and no others, a tensor its own sizes and elements; a number is
//! read from one of Python's, NumPy's, or an array without dimensions, if it fits. What is missing is asked for too, as
//! `Option` and `()` need nothing, and a struct of those neither; so `#[serde(default)]` has no effect here.

use super::array::Array;
use super::refusal::Refusal;
use super::state_dict::{Dict, StateDict, index_of};
use crate::tensor::serde::BINARY;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, Expected, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt::Display;

/// The value that a state dict holds.
pub fn from_state_dict<T: DeserializeOwned>(state: &StateDict) -> Result<T, Refusal> {
    T::deserialize(Node { value: Some(state) })
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

/// A value, or the place where one is missing.
#[derive(Clone, Copy)]
struct Node<'de> {
    value: Option<&'de StateDict>,
}

impl<'de> Node<'de> {
    /// The refusal of a visitor that expects something else.
    fn refused(self, visitor: &dyn Expected) -> Refusal {
        let found = self.value.map_or("no such key".into(), StateDict::describe);
        Refusal::new(visitor.to_string(), found)
    }

    /// A number or truth value.
    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let int = |value: i128, visitor: V| match (i64::try_from(value), u64::try_from(value)) {
            (Ok(value), _) => visitor.visit_i64(value),
            (_, Ok(value)) => visitor.visit_u64(value),
            _ => visitor.visit_i128(value),
        };
        match self.value {
            Some(StateDict::Int(value)) => int(*value, visitor),
            Some(StateDict::Float(value)) => visitor.visit_f64(*value),
            Some(StateDict::Bool(value)) => visitor.visit_bool(*value),
            Some(StateDict::Array(array) | StateDict::Scalar(array)) if array.shape().is_empty() => {
                match (array.to_int(), array.to_float()) {
                    (Some(value), _) if array.dtype() == crate::tensor::DType::Bool => {
                        visitor.visit_bool(value != 0)
                    }
                    (Some(value), _) => int(value, visitor),
                    (_, Some(value)) => visitor.visit_f64(value),
                    _ => Err(self.refused(&visitor)),
                }
            }
            _ => Err(self.refused(&visitor)),
        }
    }

    /// The elements of a list, which may be a dict of the keys `0`, `1`, …
    fn elements(self) -> Option<Vec<Node<'de>>> {
        match self.value? {
            StateDict::List(values) => Some(values.iter().map(|value| Node { value: Some(value) }).collect()),
            StateDict::Dict(dict) => {
                let mut elements = vec![Node { value: None }; dict.len()];
                for (key, value) in dict.iter() {
                    elements.get_mut(index_of(key)?)?.value = Some(value);
                }
                Some(elements)
            }
            _ => None,
        }
    }

    /// A list of any length, or of the one that is expected.
    fn list<V: Visitor<'de>>(self, length: Option<usize>, visitor: V) -> Result<V::Value, Refusal> {
        let Some(mut elements) = self.elements() else {
            return Err(self.refused(&visitor));
        };
        if length.is_some_and(|length| length != elements.len()) {
            return Err(de::Error::invalid_length(elements.len(), &visitor));
        }
        elements.reverse();
        visitor.visit_seq(Elements { rest: elements, index: 0 })
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
        match self.value {
            Some(StateDict::Dict(_)) => self.deserialize_map(visitor),
            Some(StateDict::List(_)) => self.list(None, visitor),
            Some(StateDict::Array(array)) if !array.shape().is_empty() => visitor.visit_map(Parts::of(array)),
            Some(StateDict::Str(text)) => visitor.visit_borrowed_str(text),
            Some(StateDict::Bytes(bytes)) => visitor.visit_borrowed_bytes(bytes),
            Some(StateDict::Nil) => visitor.visit_unit(),
            _ => self.number(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.value {
            Some(StateDict::Bytes(bytes)) => visitor.visit_borrowed_bytes(bytes),
            _ => self.list(None, visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.value {
            None | Some(StateDict::Nil) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.value {
            None | Some(StateDict::Nil) => visitor.visit_unit(),
            Some(StateDict::Dict(dict)) if dict.is_empty() => visitor.visit_unit(),
            Some(value) => Err(Refusal::new("no such key", value.describe())),
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
        match self.value {
            Some(StateDict::Dict(dict)) => {
                let entries = dict.iter().map(|(key, value)| (key, Node { value: Some(value) })).collect();
                visitor.visit_map(Entries::of(entries))
            }
            _ => Err(self.refused(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        static EMPTY: Dict = Dict::new();
        let dict = match self.value {
            Some(StateDict::Array(array)) if name == BINARY => return visitor.visit_map(Parts::of(array)),
            _ if name == BINARY => return Err(self.refused(&visitor)),
            Some(StateDict::Dict(dict)) => dict,
            None => &EMPTY,
            Some(_) => return Err(self.refused(&visitor)),
        };
        if let Some((key, extra)) = dict.iter().find(|(key, _)| !fields.contains(key)) {
            return Err(Refusal::new("no such key", extra.describe()).at(key));
        }
        let entries = fields.iter().map(|&field| (field, Node { value: dict.get(field) })).collect();
        visitor.visit_map(Entries::of(entries))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.value {
            Some(StateDict::Str(variant)) => visitor.visit_enum(StrDeserializer::new(variant)),
            Some(StateDict::Dict(dict)) if dict.len() == 1 => match dict.iter().next() {
                Some((variant, value)) => {
                    visitor.visit_enum(Variant { variant, value: Node { value: Some(value) } })
                }
                None => Err(self.refused(&visitor)),
            },
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
}

impl<'de> Entries<'de> {
    fn of(entries: Vec<(&'de str, Node<'de>)>) -> Self {
        Entries { rest: entries.into_iter(), next: None }
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
        let (key, value) = self.next.take().unwrap_or(("", Node { value: None }));
        seed.deserialize(value).map_err(|refusal| refusal.at(key))
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
        Err(Refusal::new(
            "the name of a variant alone",
            self.value.value.map_or(String::new(), StateDict::describe),
        ))
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
