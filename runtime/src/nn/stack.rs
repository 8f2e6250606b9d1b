//! The same module several times, one after the other.

use super::Layer;
use crate::module::{Module, Stateless, Trainable};
use crate::op::{Need, Yes};
use crate::rng::Scope;
use crate::shape::{Rule, Sizes, Static};
use crate::tree::{Path, Tree, Visit, Zip};
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// `L` modules `M` one after the other, each with parameters of its own: `x` goes through all of them.
///
/// As in a Flax module whose submodules are named `str(i)`, the variables of the modules are `0`, `1`, …. A module of a stack
/// gives what it takes.
///
/// ```
/// use flaxen::nn::Stack;
/// use flaxen::prelude::*;
///
/// #[module]
/// struct Deep;
///
/// #[module]
/// impl Deep {
///     fn call<B: Batch>(&self, x: Tensor![B, 8]) -> Tensor![B, 8] {
///         compact!(Stack<Dense<8>, 2>, name = "layers")(x)
///     }
/// }
///
/// let variables = Deep::new().init(Key::new(0));
/// let expected = "{layers: {0: {kernel: (8, 8), bias: (8,)}, 1: {kernel: (8, 8), bias: (8,)}}}";
/// assert_eq!(format!("{:?}", variables.params), expected);
/// assert_eq!(variables.params.leaves()[2].path, "layers/1/kernel");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stack<M, L> {
    module: M,
    #[serde(skip)]
    length: PhantomData<L>,
}

impl<M: Default, L: Repeats> Stack<M, L> {
    /// A stack of modules with their defaults.
    pub fn new() -> Self {
        Stack { module: M::default(), length: PhantomData }
    }
}

impl<M, L: Repeats> Stack<M, L> {
    /// The stack of other modules of the same kind.
    pub fn module(mut self, module: M) -> Self {
        self.module = module;
        self
    }

    /// The rule in numbers: what comes out has the sizes of what goes in. The modules have rules of their own.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        Rule::Out(x)
    }
}

impl<M: Default, L: Repeats> Default for Stack<M, L> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M, L> Layer for Stack<M, L> {}

/// A number of modules in a [`Stack`]: a dimension from 1 to 64.
#[diagnostic::on_unimplemented(
    message = "a stack cannot have `{Self}` modules",
    label = "a stack has 1 to 64 modules"
)]
pub trait Repeats: Static {
    /// So many values, as an array.
    type Of<T>;
    /// The same, of values that threads can share.
    type Shared<T: Send + Sync + 'static>: Send + Sync + 'static;

    /// The value for each index.
    fn each<T>(value: impl FnMut(usize) -> T) -> Self::Of<T>;
    /// The values in order.
    fn into_iter<T>(values: Self::Of<T>) -> impl DoubleEndedIterator<Item = T>;
    /// The value for each index.
    fn shared<T: Send + Sync + 'static>(value: impl FnMut(usize) -> T) -> Self::Shared<T>;
    /// The values in order.
    fn as_slice<T: Send + Sync + 'static>(values: &Self::Shared<T>) -> &[T];
    /// The values in order, to be written.
    fn as_mut_slice<T: Send + Sync + 'static>(values: &mut Self::Shared<T>) -> &mut [T];
}

macro_rules! repeats {
    ($($count:literal)+) => {$(
        impl Repeats for flaxen_macros::dim!($count) {
            type Of<T> = [T; $count];
            type Shared<T: Send + Sync + 'static> = [T; $count];

            fn each<T>(value: impl FnMut(usize) -> T) -> [T; $count] {
                std::array::from_fn(value)
            }
            fn into_iter<T>(values: [T; $count]) -> impl DoubleEndedIterator<Item = T> {
                values.into_iter()
            }
            fn shared<T: Send + Sync + 'static>(value: impl FnMut(usize) -> T) -> [T; $count] {
                std::array::from_fn(value)
            }
            fn as_slice<T: Send + Sync + 'static>(values: &[T; $count]) -> &[T] {
                values
            }
            fn as_mut_slice<T: Send + Sync + 'static>(values: &mut [T; $count]) -> &mut [T] {
                values
            }
        }
    )+};
}

repeats! {
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
    33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64
}

/// The variables of the modules of a [`Stack`], in order: a tree whose parts are `0`, `1`, ….
pub struct Repeated<T: Tree, L: Repeats>(L::Shared<T>);

impl<T: Tree, L: Repeats> Repeated<T, L> {
    /// The part for each index.
    pub fn from_fn(part: impl FnMut(usize) -> T) -> Self {
        Repeated(L::shared(part))
    }

    /// The parts in order.
    pub fn as_slice(&self) -> &[T] {
        L::as_slice(&self.0)
    }

    /// The parts in order, to be written.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        L::as_mut_slice(&mut self.0)
    }
}

impl<T: Tree, L: Repeats> Clone for Repeated<T, L> {
    fn clone(&self) -> Self {
        Self::from_fn(|index| self.as_slice()[index].clone())
    }
}

impl<T: Tree, L: Repeats> PartialEq for Repeated<T, L> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

/// Prints the shapes, as Flax does: `{0: {kernel: (8, 8)}, 1: {kernel: (8, 8)}}`.
impl<T: Tree, L: Repeats> fmt::Debug for Repeated<T, L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.as_slice().iter().enumerate()).finish()
    }
}

impl<T: Tree, L: Repeats> Serialize for Repeated<T, L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(L::N))?;
        for (index, part) in self.as_slice().iter().enumerate() {
            map.serialize_entry(&index.to_string(), part)?;
        }
        map.end()
    }
}

impl<'de, T: Tree, L: Repeats> Deserialize<'de> for Repeated<T, L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Parts(PhantomData))
    }
}

/// Reads a map whose keys are the numbers of the parts.
struct Parts<T, L>(PhantomData<(T, L)>);

impl<'de, T: Tree, L: Repeats> Visitor<'de> for Parts<T, L> {
    type Value = Repeated<T, L>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a map of {} modules, `0` to `{}`", L::N, L::N - 1)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Repeated<T, L>, A::Error> {
        let mut parts: Vec<Option<T>> = (0..L::N).map(|_| None).collect();
        while let Some(key) = map.next_key::<String>()? {
            let place = key.parse().ok().and_then(|index: usize| parts.get_mut(index));
            *place.ok_or_else(|| A::Error::custom(format!("no module `{key}` among {}", L::N)))? =
                Some(map.next_value()?);
        }
        if let Some(missing) = parts.iter().position(Option::is_none) {
            return Err(A::Error::custom(format!("the module `{missing}` of {} is missing", L::N)));
        }
        let mut parts = parts.into_iter().flatten();
        Ok(Repeated::from_fn(|_| next(&mut parts)))
    }
}

impl<T: Tree, L: Repeats> Tree for Repeated<T, L> {
    fn visit(&self, path: &Path, visitor: &mut impl Visit) {
        for (index, part) in self.as_slice().iter().enumerate() {
            part.visit(&path.number(index), visitor);
        }
    }

    fn zip<const N: usize>(&mut self, others: [&mut Self; N], path: &Path, zip: &mut impl Zip<N>) {
        let mut others = others.map(|other| other.as_mut_slice().iter_mut());
        for (index, part) in self.as_mut_slice().iter_mut().enumerate() {
            let others = others.each_mut().map(next);
            part.zip(others, &path.number(index), zip);
        }
    }
}

impl<T: Tree + Stateless<Call>, L: Repeats, Call> Stateless<Call> for Repeated<T, L> {
    fn stateless() -> Self {
        Self::from_fn(|_| T::stateless())
    }
}

impl<In, M, L> Module<In> for Stack<M, L>
where
    M: Module<In, Out = In>,
    L: Repeats,
{
    type Out = In;
    type Params = Repeated<M::Params, L>;
    type State = Repeated<M::State, L>;
    type Updates = M::Updates;
    type Draws = M::Draws;

    fn init(&self, scope: &Scope) -> (Self::Params, Self::State) {
        let mut drawn = L::into_iter(L::each(|index| self.module.init(&scope.number(index))));
        let mut states = Vec::with_capacity(L::N);
        let params = Repeated::from_fn(|_| {
            let (params, state) = next(&mut drawn);
            states.push(state);
            params
        });
        let mut states = states.into_iter();
        (params, Repeated::from_fn(|_| next(&mut states)))
    }

    fn infer(&self, params: &Self::Params, state: &mut Self::State, scope: &Scope, input: In) -> In {
        let parts = params.as_slice().iter().zip(state.as_mut_slice()).enumerate();
        parts.fold(input, |x, (index, (params, state))| {
            self.module.infer(params, state, &scope.number(index), x)
        })
    }
}

impl<In, M, L, N> Trainable<In, N> for Stack<M, L>
where
    M: Trainable<In, Yes> + Module<In, Out = In>,
    L: Repeats,
    N: Need,
{
    type Residuals = L::Of<<M as Trainable<In, Yes>>::Residuals>;

    fn forward(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        input: In,
    ) -> (In, Self::Residuals) {
        let mut x = Some(input);
        let mut parts = params.as_slice().iter().zip(state.as_mut_slice());
        let residuals = L::each(|index| {
            let (params, state) = next(&mut parts);
            let (out, residuals) = self.module.forward(params, state, &scope.number(index), taken(&mut x));
            x = Some(out);
            residuals
        });
        (taken(&mut x), residuals)
    }

    fn backward(
        &self,
        params: &Self::Params,
        residuals: Self::Residuals,
        cotangent: In,
    ) -> (Self::Params, N::Of<In>) {
        let mut x = Some(cotangent);
        let (mut params, mut residuals) = (params.as_slice().iter().rev(), L::into_iter(residuals).rev());
        let last_to_first = L::each(|_| {
            let (params, residuals) = (next(&mut params), next(&mut residuals));
            let (gradient, dx) = self.module.backward(params, residuals, taken(&mut x));
            x = Some(dx);
            gradient
        });
        let mut gradients = L::into_iter(last_to_first).rev();
        (Repeated::from_fn(|_| next(&mut gradients)), N::when(|| taken(&mut x)))
    }
}

/// The next of as many parts as the stack has modules.
fn next<T>(parts: &mut impl Iterator<Item = T>) -> T {
    parts.next().unwrap_or_else(|| unreachable!("a part for each module"))
}

/// What goes from one module to the next.
fn taken<T>(x: &mut Option<T>) -> T {
    x.take().unwrap_or_else(|| unreachable!("each module leaves what it gives"))
}
