//! The parts of a value, one after the other, as a visitor takes them.

use super::{Entry, Node};
use crate::serialization::array::Array;
use crate::serialization::refusal::Refusal;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// The same, found in what has this label.
fn labelled(refusal: Refusal, label: &str) -> Refusal {
    if label.is_empty() { refusal } else { refusal.at(label) }
}

/// What is left of a list, the next element last.
pub struct Elements<'de> {
    pub rest: Vec<Entry<'de>>,
}

impl<'de> de::SeqAccess<'de> for Elements<'de> {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refusal> {
        let Some(Entry { label, node, .. }) = self.rest.pop() else { return Ok(None) };
        seed.deserialize(node).map(Some).map_err(|refusal| labelled(refusal, &label))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// What is left of a dict.
pub struct Entries<'de> {
    rest: std::vec::IntoIter<Entry<'de>>,
    /// The entry whose key was read and whose value was not.
    next: Option<Entry<'de>>,
}

impl<'de> Entries<'de> {
    pub fn of(entries: Vec<Entry<'de>>) -> Self {
        Entries { rest: entries.into_iter(), next: None }
    }
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refusal> {
        self.next = self.rest.next();
        match &self.next {
            Some(entry) => {
                seed.deserialize(Key(entry.key)).map(Some).map_err(|refusal| labelled(refusal, &entry.label))
            }
            None => Ok(None),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Refusal> {
        let Entry { label, node, .. } = self.next.take().unwrap_or(Entry::new("", Node::MISSING));
        seed.deserialize(node).map_err(|refusal| labelled(refusal, &label))
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
pub struct Variant<'de> {
    pub variant: &'de str,
    pub value: Node<'de>,
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
pub struct Parts<'de> {
    array: &'de Array,
    part: usize,
}

impl<'de> Parts<'de> {
    pub fn of(array: &'de Array) -> Self {
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
