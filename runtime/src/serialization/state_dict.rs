//! The state dict: a tree of named values without a type, what Flax makes of everything that it saves.

use super::array::Array;
use crate::error::{Error, Result};
use std::fmt;

/// A value of a state dict: Flax's `to_state_dict` gives one, and a msgpack file holds one.
///
/// ```
/// use flaxen::serialization::{Dict, StateDict};
///
/// let dict = StateDict::from(Dict::from_iter([("step", StateDict::Int(7)), ("params", Dict::new().into())]));
/// assert_eq!(dict.get("step"), Some(&StateDict::Int(7)));
/// assert_eq!(format!("{dict:?}"), r#"{"step": 7, "params": {}}"#);
/// ```
#[derive(Clone, PartialEq)]
pub enum StateDict {
    /// Values by name, in order.
    Dict(Dict),
    /// A list. What `to_state_dict` makes has none: there a list is a dict with the keys `0`, `1`, ….
    List(Vec<StateDict>),
    /// An array: NumPy's `ndarray` or a `jax.Array`, also one without dimensions.
    Array(Array),
    /// A NumPy scalar, such as `np.float32(1.5)`: an array without dimensions.
    Scalar(Array),
    /// An integer of Python's.
    Int(i128),
    /// A float of Python's.
    Float(f64),
    /// A complex number of Python's.
    Complex {
        /// The real part.
        re: f64,
        /// The imaginary part.
        im: f64,
    },
    /// A truth value.
    Bool(bool),
    /// Text.
    Str(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An extension type of msgpack that Flax does not have, kept as it is.
    Extension {
        /// Its number.
        kind: i8,
        /// Its bytes.
        data: Vec<u8>,
    },
    /// `None`.
    Nil,
}

impl StateDict {
    /// The value of a key, if this is a dict that has it.
    pub fn get(&self, key: &str) -> Option<&StateDict> {
        match self {
            StateDict::Dict(dict) => dict.get(key),
            _ => None,
        }
    }

    /// The dict that this is.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if it is something else.
    pub fn as_dict(&self) -> Result<&Dict> {
        match self {
            StateDict::Dict(dict) => Ok(dict),
            other => Err(Error::Mismatch {
                what: super::refusal::ROOT.into(),
                expected: "a dict".into(),
                found: other.describe(),
            }),
        }
    }

    /// The same with every dict's keys in alphabetical order, which is what JAX's tree functions make of a tree of dicts.
    ///
    /// A dict with the keys `0`, `1`, … in this order came from a list and stays as it is.
    pub fn sorted(self) -> Self {
        match self {
            StateDict::Dict(dict) => {
                let is_list = dict.is_list();
                let mut entries: Vec<_> =
                    dict.0.into_iter().map(|(key, value)| (key, value.sorted())).collect();
                if !is_list {
                    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                }
                StateDict::Dict(Dict(entries))
            }
            StateDict::List(values) => StateDict::List(values.into_iter().map(StateDict::sorted).collect()),
            leaf => leaf,
        }
    }

    /// The same without the empty dicts inside of dicts: in Flax a module without variables has no key.
    pub(crate) fn without_empty_dicts(self) -> Self {
        let StateDict::Dict(dict) = self else { return self };
        let mut kept = Dict::new();
        for (key, value) in dict {
            match value.without_empty_dicts() {
                StateDict::Dict(inner) if inner.is_empty() => {}
                value => kept.push(key, value),
            }
        }
        kept.into()
    }

    /// What this is, for a message.
    pub(super) fn describe(&self) -> String {
        match self {
            StateDict::Dict(dict) => describe_dict(dict.keys()),
            StateDict::List(values) => format!("a list of {}", values.len()),
            StateDict::Array(array) | StateDict::Scalar(array) => format!("{array:?}"),
            StateDict::Int(_) | StateDict::Float(_) | StateDict::Bool(_) | StateDict::Complex { .. } => {
                format!("{self:?}")
            }
            StateDict::Str(text) => format!("text of {} bytes", text.len()),
            StateDict::Bytes(bytes) => format!("{} bytes", bytes.len()),
            StateDict::Extension { kind, .. } => format!("an extension of type {kind}"),
            StateDict::Nil => "None".into(),
        }
    }
}

/// A dict of these keys, for a message.
pub(super) fn describe_dict<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let keys: Vec<&str> = keys.take(9).collect();
    let shown: Vec<_> = keys.iter().take(8).map(|key| format!("`{key}`")).collect();
    match keys.len() {
        0 => "an empty dict".into(),
        1..9 => format!("a dict of {}", shown.join(", ")),
        _ => format!("a dict of {}, …", shown.join(", ")),
    }
}

/// Prints a tree as Python does, arrays with their type and shape.
impl fmt::Debug for StateDict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StateDict::Dict(dict) => dict.fmt(formatter),
            StateDict::List(values) => formatter.debug_list().entries(values).finish(),
            StateDict::Array(array) | StateDict::Scalar(array) => array.fmt(formatter),
            StateDict::Int(value) => write!(formatter, "{value}"),
            StateDict::Float(value) => write!(formatter, "{value:?}"),
            StateDict::Complex { re, im } => write!(formatter, "({re:?}{im:+?}j)"),
            StateDict::Bool(value) => formatter.write_str(if *value { "True" } else { "False" }),
            StateDict::Str(text) => write!(formatter, "{text:?}"),
            StateDict::Bytes(bytes) => write!(formatter, "b\"{}\"", bytes.escape_ascii()),
            StateDict::Extension { kind, data } => write!(formatter, "ExtType({kind}, {} bytes)", data.len()),
            StateDict::Nil => formatter.write_str("None"),
        }
    }
}

impl From<Dict> for StateDict {
    fn from(dict: Dict) -> Self {
        StateDict::Dict(dict)
    }
}

impl From<Array> for StateDict {
    fn from(array: Array) -> Self {
        StateDict::Array(array)
    }
}

/// Values by name, in the order in which they were added, as Python's dict. A name stands once.
#[derive(Clone, Default, PartialEq)]
pub struct Dict(Vec<(String, StateDict)>);

impl Dict {
    /// No values.
    pub const fn new() -> Self {
        Dict(Vec::new())
    }

    /// Room for so many values.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Dict(Vec::with_capacity(capacity))
    }

    /// Adds a value at the end, of whose name the caller knows that it is new.
    pub(super) fn push(&mut self, key: String, value: StateDict) {
        self.0.push((key, value));
    }

    /// The dict of a name, put there if there is none.
    pub(super) fn dict(&mut self, key: &str) -> &mut Dict {
        let place =
            self.0.iter().position(|(other, value)| other == key && matches!(value, StateDict::Dict(_)));
        let place = place.unwrap_or_else(|| {
            self.push(key.into(), Dict::new().into());
            self.len() - 1
        });
        match &mut self.0[place].1 {
            StateDict::Dict(dict) => dict,
            _ => unreachable!("found or made as a dict"),
        }
    }

    /// Takes the value at a path out, and leaves `None` there.
    pub(super) fn take<'a>(&mut self, path: impl Iterator<Item = &'a str>) -> Option<StateDict> {
        let mut path = path.peekable();
        let mut dict = self;
        while let Some(key) = path.next() {
            match (dict.get_mut(key)?, path.peek()) {
                (value, None) => return Some(std::mem::replace(value, StateDict::Nil)),
                (StateDict::Dict(inner), Some(_)) => dict = inner,
                _ => return None,
            }
        }
        None
    }

    /// The first name, in alphabetical order, that stands twice.
    pub(super) fn duplicate(&self) -> Option<&str> {
        let mut keys: Vec<&str> = self.keys().collect();
        keys.sort_unstable();
        keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
    }

    /// The value of a name.
    pub fn get(&self, key: &str) -> Option<&StateDict> {
        self.0.iter().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    /// The value of a name, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut StateDict> {
        self.0.iter_mut().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    /// Sets the value of a name, which goes to the end if it is new, and gives the value that it had.
    pub fn insert(&mut self, key: impl Into<String>, value: StateDict) -> Option<StateDict> {
        let key = key.into();
        match self.get_mut(&key) {
            Some(place) => Some(std::mem::replace(place, value)),
            None => {
                self.0.push((key, value));
                None
            }
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &str) -> Option<StateDict> {
        let index = self.keys().position(|other| other == key)?;
        Some(self.0.remove(index).1)
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &StateDict)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Names and values, in order, the values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut StateDict)> {
        self.0.iter_mut().map(|(key, value)| (key.as_str(), value))
    }

    /// Whether the names are `0`, `1`, … in this order.
    fn is_list(&self) -> bool {
        self.keys().enumerate().all(|(index, key)| index_of(key) == Some(index))
    }
}

/// The place in a list that a key names: decimal, without leading zeros.
pub(super) fn index_of(key: &str) -> Option<usize> {
    let decimal = key.bytes().all(|byte| byte.is_ascii_digit()) && (key == "0" || !key.starts_with('0'));
    key.parse().ok().filter(|_| decimal)
}

impl fmt::Debug for Dict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.iter()).finish()
    }
}

impl IntoIterator for Dict {
    type Item = (String, StateDict);
    type IntoIter = std::vec::IntoIter<(String, StateDict)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Of a name that comes twice, the last value stays.
impl<K: Into<String>> FromIterator<(K, StateDict)> for Dict {
    fn from_iter<I: IntoIterator<Item = (K, StateDict)>>(entries: I) -> Self {
        let mut dict = Dict::new();
        for (key, value) in entries {
            dict.insert(key, value);
        }
        dict
    }
}
