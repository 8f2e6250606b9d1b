//! The variables of the passes of a loop.

use crate::module::Stateless;
use crate::tree::{Path, Tree, Visit, Zip};
use serde::de::{self, SeqAccess};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// One `T` for each pass of a loop: an array that is a [`Tree`] at any length.
///
/// In the parameters of a module that declares `compact!(Dense<64>, name = format!("layers_{i}"))` in `for i in 0..4`
/// there is a field `layers: Each<…, 4>`, whose element 2 is Flax's `layers_2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Each<T, const N: usize>(pub [T; N]);

impl<T, const N: usize> Deref for Each<T, N> {
    type Target = [T; N];

    fn deref(&self) -> &[T; N] {
        &self.0
    }
}

impl<T, const N: usize> DerefMut for Each<T, N> {
    fn deref_mut(&mut self) -> &mut [T; N] {
        &mut self.0
    }
}

impl<T, const N: usize> From<[T; N]> for Each<T, N> {
    fn from(all: [T; N]) -> Self {
        Each(all)
    }
}

impl<T: Tree, const N: usize> Tree for Each<T, N> {
    fn visit(&self, path: &Path, visitor: &mut impl Visit) {
        for (index, tree) in self.iter().enumerate() {
            tree.visit(&path.one_of(index), visitor);
        }
    }

    fn zip<const M: usize>(&mut self, mut others: [&mut Self; M], path: &Path, zip: &mut impl Zip<M>) {
        for (index, tree) in self.iter_mut().enumerate() {
            tree.zip(others.each_mut().map(|trees| &mut trees[index]), &path.one_of(index), zip);
        }
    }
}

impl<Call, T: Stateless<Call>, const N: usize> Stateless<Call> for Each<T, N> {
    fn stateless() -> Self {
        Each(std::array::from_fn(|_| T::stateless()))
    }
}

impl<T: Serialize, const N: usize> Serialize for Each<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_tuple(N)?;
        self.iter().try_for_each(|one| all.serialize_element(one))?;
        all.end()
    }
}

impl<'de, T: Deserialize<'de>, const N: usize> Deserialize<'de> for Each<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(N, All(PhantomData))
    }
}

struct All<T, const N: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const N: usize> de::Visitor<'de> for All<T, N> {
    type Value = Each<T, N>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "the variables of {N} passes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Each<T, N>, A::Error> {
        let mut read = Vec::with_capacity(N);
        while let Some(one) = all.next_element()? {
            read.push(one);
        }
        let length = read.len();
        let all = <[T; N]>::try_from(read).map_err(|_| de::Error::invalid_length(length, &self))?;
        Ok(Each(all))
    }
}
