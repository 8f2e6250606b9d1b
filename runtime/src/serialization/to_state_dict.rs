//! From anything that serde can serialise to a state dict.
//!
//! | Rust | state dict |
//! |---|---|
//! | a tensor | an array |
//! | `i8` … `i32`, `u8` … `u32`, `f32`, `bool` | an array without dimensions, as JAX holds such values |
//! | `i64`, `u64`, `usize`, `i128`, `f64`, text | an int, float or text of Python's, which JAX has no types for |
//! | a struct, a map | a dict |
//! | a tuple, a list | a dict with the keys `0`, `1`, … |
//! | `()` | nothing: a field of this type has no key; elsewhere an empty dict |
//! | `None` | `None` |
//! | a variant of an enum | its name; with a value, a dict of name and value |
//! | a module's parameters | a dict of its submodules and parameters, under Flax's names |
//! | [`Variables`](crate::module::Variables) | a dict of the collections: `params`, `batch_stats`, … |

use super::array::Array;
use super::refusal::Refusal;
use super::state_dict::{Dict, StateDict};
use crate::module::named::{NAMED, NAMES};
use crate::module::serialization::VARIABLES;
use crate::tensor::{DType, serde::TENSOR};
use serde::ser::{self, Serialize};
use std::fmt::Display;

/// The state dict of a value.
pub fn to_state_dict(value: &(impl Serialize + ?Sized)) -> Result<StateDict, Refusal> {
    ToStateDict { template: false }.whole(value)
}

/// What a value consists of, part by part as its type has them, with the names under which they are written where these
/// do not follow from the type. Of tensors it has the sizes, as lists.
pub fn template(value: &(impl Serialize + ?Sized)) -> Result<StateDict, Refusal> {
    ToStateDict { template: true }.whole(value)
}

impl ser::Error for Refusal {
    fn custom<T: Display>(message: T) -> Self {
        Refusal::new("what can be serialised", message.to_string())
    }
}

/// Makes a value of a state dict, and `None` of `()`, which has no place in a dict.
#[derive(Clone, Copy, Default)]
struct ToStateDict {
    /// Whether it is a template that is made.
    template: bool,
}

impl ToStateDict {
    /// Of `()` too.
    fn whole(self, value: &(impl Serialize + ?Sized)) -> Result<StateDict, Refusal> {
        Ok(value.serialize(self)?.unwrap_or_else(|| Dict::new().into()))
    }

    fn entries(self) -> Entries {
        Entries { serializer: self, ..Entries::default() }
    }
}

type Made = Result<Option<StateDict>, Refusal>;

fn made(value: impl Into<StateDict>) -> Made {
    Ok(Some(value.into()))
}

macro_rules! arrays {
    ($($method:ident $type:ident $dtype:ident;)+) => {$(
        fn $method(self, value: $type) -> Made {
            made(Array::scalar(DType::$dtype, &value.to_le_bytes()))
        }
    )+};
}

macro_rules! ints {
    ($($method:ident $type:ident;)+) => {$(
        fn $method(self, value: $type) -> Made {
            made(StateDict::Int(value.into()))
        }
    )+};
}

impl ser::Serializer for ToStateDict {
    type Ok = Option<StateDict>;
    type Error = Refusal;
    type SerializeSeq = Entries;
    type SerializeTuple = Entries;
    type SerializeTupleStruct = Entries;
    type SerializeTupleVariant = Entries;
    type SerializeMap = Entries;
    type SerializeStruct = Struct;
    type SerializeStructVariant = Entries;

    arrays! {
        serialize_i8 i8 Int8;
        serialize_i16 i16 Int16;
        serialize_i32 i32 Int32;
        serialize_u8 u8 UInt8;
        serialize_u16 u16 UInt16;
        serialize_u32 u32 UInt32;
        serialize_f32 f32 Float32;
    }

    ints! {
        serialize_i64 i64;
        serialize_u64 u64;
        serialize_i128 i128;
    }

    fn serialize_u128(self, value: u128) -> Made {
        let value = i128::try_from(value);
        made(StateDict::Int(value.map_err(|_| Refusal::new("an integer of 127 bits", "a larger one"))?))
    }

    fn serialize_f64(self, value: f64) -> Made {
        made(StateDict::Float(value))
    }

    fn serialize_bool(self, value: bool) -> Made {
        made(Array::scalar(DType::Bool, &[value.into()]))
    }

    fn serialize_char(self, value: char) -> Made {
        made(StateDict::Str(value.into()))
    }

    fn serialize_str(self, value: &str) -> Made {
        made(StateDict::Str(value.into()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Made {
        made(StateDict::Bytes(value.into()))
    }

    fn serialize_none(self) -> Made {
        made(StateDict::Nil)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Made {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Made {
        Ok(None)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Made {
        Ok(None)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Made {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Made {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Made {
        let mut entries = self.entries();
        entries.add(variant, value)?;
        ser::SerializeMap::end(entries)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Entries, Refusal> {
        Ok(self.entries())
    }

    fn serialize_tuple(self, _: usize) -> Result<Entries, Refusal> {
        Ok(self.entries())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Entries, Refusal> {
        Ok(self.entries())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries, Refusal> {
        Ok(Entries { variant: Some(variant), ..self.entries() })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Refusal> {
        Ok(self.entries())
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Struct, Refusal> {
        Ok(Struct { name, entries: self.entries() })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Entries, Refusal> {
        Ok(Entries { variant: Some(variant), ..self.entries() })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// A dict that is being filled.
#[derive(Default)]
struct Entries {
    serializer: ToStateDict,
    dict: Dict,
    /// The variant of an enum whose value it is.
    variant: Option<&'static str>,
    /// The key whose value comes next.
    key: Option<String>,
}

impl Entries {
    /// Adds the entry of a field, unless its value is `()`.
    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Refusal> {
        if let Some(value) = value.serialize(self.serializer).map_err(|refusal| refusal.at(key))? {
            self.dict.push(key.into(), value);
        }
        Ok(())
    }

    /// Adds an entry.
    fn add<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Refusal> {
        let value = self.serializer.whole(value).map_err(|refusal| refusal.at(key))?;
        self.dict.push(key.into(), value);
        Ok(())
    }

    /// Adds the next element of a list.
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        self.add(&self.dict.len().to_string(), value)
    }

    fn finish(self) -> Made {
        if let Some(key) = self.dict.duplicate() {
            return Err(Refusal::new("every key once", format!("`{key}` twice")));
        }
        match self.variant {
            Some(variant) => made(Dict::from_iter([(variant, self.dict.into())])),
            None => made(self.dict),
        }
    }
}

macro_rules! lists {
    ($($trait:ident $method:ident;)+) => {$(
        impl ser::$trait for Entries {
            type Ok = Option<StateDict>;
            type Error = Refusal;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
                self.element(value)
            }

            fn end(self) -> Made {
                self.finish()
            }
        }
    )+};
}
lists! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

impl ser::SerializeMap for Entries {
    type Ok = Option<StateDict>;
    type Error = Refusal;

    /// Keys are text; Flax too makes text of the numbers that are keys.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        self.key = Some(match to_state_dict(key)? {
            StateDict::Str(text) => text,
            StateDict::Int(number) => number.to_string(),
            StateDict::Array(array) => match array.to_int() {
                Some(number) => number.to_string(),
                None => return Err(Refusal::new("text as a key", format!("{array:?}"))),
            },
            other => return Err(Refusal::new("text as a key", other.describe())),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        let key = self.key.take().unwrap_or_default();
        self.add(&key, value)
    }

    fn end(self) -> Made {
        self.finish()
    }
}

impl ser::SerializeStructVariant for Entries {
    type Ok = Option<StateDict>;
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.field(key, value)
    }

    fn end(self) -> Made {
        self.finish()
    }
}

/// A struct, of which three are known by their names.
struct Struct {
    name: &'static str,
    entries: Entries,
}

impl ser::SerializeStruct for Struct {
    type Ok = Option<StateDict>;
    type Error = Refusal;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        match (self.name, self.entries.serializer) {
            (TENSOR, ToStateDict { template: true }) if key != "sizes" => Ok(()),
            _ => self.entries.field(key, value),
        }
    }

    fn end(self) -> Made {
        match (self.name, self.entries.serializer) {
            (TENSOR, ToStateDict { template: true }) => made(sizes(self.entries.dict)),
            (_, ToStateDict { template: true }) => self.entries.finish(),
            (TENSOR, _) => made(tensor(self.entries.dict)?),
            (VARIABLES, _) => made(collections(self.entries.dict)),
            (NAMED, _) => made(named(self.entries.dict)),
            _ => self.entries.finish(),
        }
    }
}

/// What a template has of a tensor, of its parts `{sizes}`.
fn sizes(parts: Dict) -> StateDict {
    let elements = |sizes| match sizes {
        StateDict::Dict(sizes) => sizes.into_iter().map(|(_, size)| size).collect(),
        _ => Vec::new(),
    };
    StateDict::List(parts.into_iter().flat_map(|(_, sizes)| elements(sizes)).collect())
}

/// The array of a tensor's parts: `{dtype, sizes, bytes}`.
fn tensor(mut parts: Dict) -> Result<Array, Refusal> {
    let wrong = || Refusal::new("the type, sizes and bytes of a tensor", "something else");
    let (Some(StateDict::Str(dtype)), Some(StateDict::Dict(sizes)), Some(StateDict::Bytes(bytes))) =
        (parts.remove("dtype"), parts.remove("sizes"), parts.remove("bytes"))
    else {
        return Err(wrong());
    };
    let size = |(_, size): (&str, &StateDict)| match size {
        StateDict::Int(size) => usize::try_from(*size).ok(),
        _ => None,
    };
    let sizes: Option<Vec<usize>> = sizes.iter().map(size).collect();
    let (Some(dtype), Some(sizes)) = (DType::from_name(&dtype), sizes) else { return Err(wrong()) };
    Array::new(dtype, &sizes, bytes).map_err(|_| wrong())
}

/// The collections of a module's variables, of their parts `{params, state, collections}`, where the last says for every
/// path of the state which collection it belongs to.
fn collections(mut parts: Dict) -> Dict {
    let mut variables = Dict::new();
    match parts.remove("params").map(StateDict::without_empty_dicts) {
        Some(StateDict::Dict(params)) if params.is_empty() => {}
        Some(params) => variables.push("params".into(), params),
        None => {}
    }
    let (Some(StateDict::Dict(mut state)), Some(StateDict::Dict(collections))) =
        (parts.remove("state"), parts.remove("collections"))
    else {
        return variables;
    };
    for (path, collection) in collections {
        let StateDict::Str(collection) = collection else { continue };
        let Some(variable) = state.take(path.split('/')) else { continue };
        let (modules, name) = match path.rsplit_once('/') {
            Some((modules, name)) => (modules.split('/').collect(), name),
            None => (Vec::new(), path.as_str()),
        };
        let dict = modules.into_iter().fold(variables.dict(&collection), |dict, module| dict.dict(module));
        dict.push(name.into(), variable);
    }
    variables
}

/// The parts of a struct under their names, which it says for their places, in the order of the names.
fn named(mut parts: Dict) -> Dict {
    let mut named = Dict::new();
    if let Some(StateDict::Dict(names)) = parts.remove(NAMES) {
        for (place, name) in names {
            if let (StateDict::Str(name), Some(part)) = (name, parts.take(place.split('/'))) {
                named.push(name, part);
            }
        }
    }
    named
}
