//! What can be saved and restored.

use super::refusal::Refusal;
use super::state_dict::{Dict, StateDict};
use super::{from_state_dict, to_state_dict};
use crate::error::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};

/// What has a state dict: `flax.serialization.is_serializable`.
///
/// Whatever serde can serialise and deserialise has one. For a struct of which only some fields are saved, or some of whose
/// fields are [`TrainState`](crate::train::TrainState)s, [`register_serialization_state!`](crate::register_serialization_state)
/// implements it field by field.
pub trait Serializable: Sized {
    /// What it consists of, by name.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with the path of what a state dict cannot hold.
    fn to_state_dict(&self) -> Result<StateDict>;

    /// A value like this one with what a state dict holds. What is not saved, such as an optimiser's learning rate, is taken
    /// from `self`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with the path of the first value that is not what the type says.
    #[allow(clippy::wrong_self_convention)] // Flax's name; the value itself is the template
    fn from_state_dict(&self, state: &StateDict) -> Result<Self>;
}

impl<T: Serialize + DeserializeOwned> Serializable for T {
    fn to_state_dict(&self) -> Result<StateDict> {
        Ok(to_state_dict::to_state_dict(self)?)
    }

    fn from_state_dict(&self, state: &StateDict) -> Result<Self> {
        Ok(from_state_dict::from_state_dict(Some(&to_state_dict::template(self)?), state)?)
    }
}

impl Serializable for StateDict {
    fn to_state_dict(&self) -> Result<StateDict> {
        Ok(self.clone())
    }

    fn from_state_dict(&self, state: &StateDict) -> Result<Self> {
        Ok(state.clone())
    }
}

/// The parts of a [`Serializable`] struct.
impl Dict {
    /// Adds the state dict of a part.
    ///
    /// # Errors
    /// As [`Serializable::to_state_dict`].
    pub fn save(&mut self, key: &str, part: &impl Serializable) -> Result<()> {
        self.insert(key, part.to_state_dict().map_err(|error| inside(key, error))?);
        Ok(())
    }

    /// A part like `part` with what is under its key.
    ///
    /// # Errors
    /// As [`Serializable::from_state_dict`]; [`Error::Mismatch`] if there is no such key.
    pub fn restore<T: Serializable>(&self, key: &str, part: &T) -> Result<T> {
        let Some(state) = self.get(key) else {
            return Err(Refusal::new("a value", "no such key").at(key).into());
        };
        part.from_state_dict(state).map_err(|error| inside(key, error))
    }

    /// Checks that there are no other keys.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with the first other one.
    pub fn has_only(&self, keys: &[&str]) -> Result<()> {
        match self.iter().find(|(key, _)| !keys.contains(key)) {
            Some((key, extra)) => Err(Refusal::new("no such key", extra.describe()).at(key).into()),
            None => Ok(()),
        }
    }
}

/// What an error is called that was found inside of the value of a key.
fn inside(key: &str, error: Error) -> Error {
    match error {
        Error::Mismatch { what, expected, found } => {
            let what = if what == super::refusal::ROOT { key.into() } else { format!("{key}/{what}") };
            Error::Mismatch { what, expected, found }
        }
        other => other,
    }
}

/// Makes a struct [`Serializable`] field by field, as `flax.struct.dataclass` does.
///
/// With `..` at the end there are fields that are not saved, the `pytree_node=False` of Flax: a restored value has those of
/// the template, which is cloned for them.
///
/// ```
/// use flaxen::optim::Adam;
/// use flaxen::prelude::*;
/// use flaxen::register_serialization_state;
/// use flaxen::serialization::{from_bytes, to_bytes};
///
/// #[derive(Clone)]
/// struct State {
///     train: TrainState<Tensor![2], Adam>,
///     examples_seen: usize,
///     name: &'static str,
/// }
/// register_serialization_state!(State { train, examples_seen, .. });
///
/// let train = TrainState::create(Tensor::zeros(Default::default()), adam(0.1));
/// let saved = State { train, examples_seen: 320, name: "saved" };
/// let template = State { examples_seen: 0, name: "template", ..saved.clone() };
/// let restored = from_bytes(&template, &to_bytes(&saved)?)?;
/// assert_eq!((restored.examples_seen, restored.name), (320, "template"));
/// # Ok::<(), flaxen::Error>(())
/// ```
#[macro_export]
macro_rules! register_serialization_state {
    ($type:ty { $($field:ident),+ $(,)? }) => {
        $crate::register_serialization_state!(@ $type, [$($field)+], |template| []);
    };
    ($type:ty { $($field:ident),+, .. }) => {
        $crate::register_serialization_state!(@ $type, [$($field)+], |template| [..::core::clone::Clone::clone(template)]);
    };
    (@ $type:ty, [$($field:ident)+], |$template:ident| [$($rest:tt)*]) => {
        impl $crate::serialization::Serializable for $type {
            fn to_state_dict(&self) -> $crate::Result<$crate::serialization::StateDict> {
                let mut dict = $crate::serialization::Dict::new();
                $(dict.save(::core::stringify!($field), &self.$field)?;)+
                ::core::result::Result::Ok(dict.into())
            }

            fn from_state_dict(&self, state: &$crate::serialization::StateDict) -> $crate::Result<Self> {
                let $template = self;
                let dict = state.as_dict()?;
                dict.has_only(&[$(::core::stringify!($field)),+])?;
                ::core::result::Result::Ok(Self {
                    $($field: dict.restore(::core::stringify!($field), &$template.$field)?,)+
                    $($rest)*
                })
            }
        }
    };
}
