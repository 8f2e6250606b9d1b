//! Hyper-parameters in the state of an optimiser: `optax.inject_hyperparams`.

use super::GradientTransformation;
use super::schedule::{Count, Counter, Schedule};
use super::state::{Slots, State};
use crate::error::{self, Error};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// An optimiser that is made anew in every step, from the hyper-parameters in its state.
#[derive(Clone, Copy, Debug)]
pub struct InjectHyperparams<T, H, const N: usize> {
    inner_factory: fn([f64; N]) -> T,
    hyperparams: H,
}

/// Keeps hyper-parameters in the state, where they can be read, and numbers be changed. `hyperparams` is a tuple of
/// names with numbers or schedules, of which `inner_factory` makes the optimiser.
///
/// ```
/// use flaxen::optim::{self, GradientTransformation, inject_hyperparams};
/// use flaxen::prelude::*;
///
/// let optimizer = inject_hyperparams(
///     |[learning_rate, decay]| optim::sgd(learning_rate).momentum(decay),
///     (("learning_rate", optim::linear_schedule(0.5, 0.0, 10)), ("momentum", 0.9)),
/// );
/// let params = Tensor::<(U1,)>::of(&[1.0])?;
/// let mut state = TrainState::create(params.clone(), optimizer);
/// state.update(params.clone());
/// state.update(params);
/// assert_eq!(state.opt_state.hyperparams.get("learning_rate"), Some(0.45f32.into()));
/// state.opt_state.hyperparams.set("momentum", 0.5)?;
/// # Ok::<(), flaxen::Error>(())
/// ```
pub const fn inject_hyperparams<T, H: Hyperparams<N>, const N: usize>(
    inner_factory: fn([f64; N]) -> T,
    hyperparams: H,
) -> InjectHyperparams<T, H, N> {
    InjectHyperparams { inner_factory, hyperparams }
}

impl<T, H: PartialEq, const N: usize> PartialEq for InjectHyperparams<T, H, N> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.inner_factory, other.inner_factory) && self.hyperparams == other.hyperparams
    }
}

/// Numbers with names.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct HyperparamValues(BTreeMap<Cow<'static, str>, f64>);

impl Serialize for HyperparamValues {
    /// A number that is an `f32` is written as one, as Optax does where the parameters are `f32`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, &value) in &self.0 {
            match value as f32 {
                single if f64::from(single) == value => map.serialize_entry(name, &single)?,
                _ => map.serialize_entry(name, &value)?,
            }
        }
        map.end()
    }
}

impl HyperparamValues {
    /// The value of a hyper-parameter, in the precision of the parameters.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// Changes a hyper-parameter for the steps to come. One that has a schedule is overwritten by it in the next step.
    ///
    /// # Errors
    /// If there is no hyper-parameter of this name.
    pub fn set(&mut self, name: &str, value: f64) -> error::Result<()> {
        let unknown = |values: &BTreeMap<Cow<'static, str>, f64>| Error::Mismatch {
            what: "name of a hyper-parameter".to_string(),
            expected: format!("one of {:?}", values.keys().collect::<Vec<_>>()),
            found: format!("`{name}`"),
        };
        match self.0.get_mut(name) {
            Some(place) => *place = value,
            None => return Err(unknown(&self.0)),
        }
        Ok(())
    }
}

/// Optax's `InjectStatefulHyperparamsState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InjectHyperparamsState<S> {
    /// The number of steps taken.
    pub count: i32,
    /// The hyper-parameters of the last step.
    pub hyperparams: HyperparamValues,
    /// The number of steps taken, for each schedule.
    pub hyperparams_states: BTreeMap<Cow<'static, str>, Count>,
    /// The optimiser's state.
    pub inner_state: S,
}

impl<P: Tree, S: State<P>> State<P> for InjectHyperparamsState<S> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        self.inner_state.slots(slots);
    }
}

impl<T: GradientTransformation, H: Hyperparams<N>, const N: usize> GradientTransformation
    for InjectHyperparams<T, H, N>
{
    type State<P: Tree> = InjectHyperparamsState<T::State<P>>;
    type Kernel = T::Kernel;
    const WHOLE_TREE: bool = T::WHOLE_TREE;

    fn init<P: Tree>(&self, params: &P) -> Self::State<P> {
        let (names, scheduled) = (self.hyperparams.names(), self.hyperparams.are_schedules());
        let values = rounded_for(params, self.hyperparams.values([0; N]));
        let schedules = names.into_iter().zip(scheduled).filter(|(_, scheduled)| *scheduled);
        InjectHyperparamsState {
            count: 0,
            hyperparams: HyperparamValues(names.into_iter().map(Cow::Borrowed).zip(values).collect()),
            hyperparams_states: schedules.map(|(name, _)| (Cow::Borrowed(name), Count::default())).collect(),
            inner_state: (self.inner_factory)(values).init(params),
        }
    }

    fn begin<P: Tree>(&self, state: &mut Self::State<P>, updates: &mut P, params: &P) -> T::Kernel {
        state.count = state.count.saturating_add(1);
        let counts = self.hyperparams.names().map(|name| match state.hyperparams_states.get_mut(name) {
            Some(counter) => counter.count(),
            None => 0,
        });
        let mut values = self.hyperparams.values(counts);
        let scheduled = self.hyperparams.are_schedules();
        for ((name, value), scheduled) in self.hyperparams.names().into_iter().zip(&mut values).zip(scheduled)
        {
            match state.hyperparams.0.get(name) {
                Some(&kept) if !scheduled => *value = kept,
                _ => {}
            }
        }
        let values = rounded_for(params, values);
        for (name, value) in self.hyperparams.names().into_iter().zip(values) {
            if let Some(kept) = state.hyperparams.0.get_mut(name) {
                *kept = value;
            }
        }
        (self.inner_factory)(values).begin(&mut state.inner_state, updates, params)
    }
}

/// In the precision of the parameters: that of the most precise leaf.
fn rounded_for<P: Tree, const N: usize>(params: &P, values: [f64; N]) -> [f64; N] {
    struct Double(bool);
    impl Visit for Double {
        fn leaf<S: Shape, E: Float>(&mut self, _: &Path, _: &Tensor<S, E>) {
            self.0 |= size_of::<E>() == size_of::<f64>();
        }
    }
    let mut double = Double(false);
    params.visit(&Path::ROOT, &mut double);
    if double.0 { values } else { values.map(|value| f64::from(value as f32)) }
}

/// A tuple of names with numbers or schedules: `(("learning_rate", 0.1), ("b1", 0.9))`.
pub trait Hyperparams<const N: usize>: Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static {
    /// The names.
    fn names(&self) -> [&'static str; N];

    /// Which are schedules.
    fn are_schedules(&self) -> [bool; N];

    /// The values after so many steps.
    fn values(&self, counts: [i32; N]) -> [f64; N];
}

macro_rules! tuples {
    ($($count:literal: $($schedule:ident $index:tt)+;)+) => {$(
        impl<$($schedule: Schedule),+> Hyperparams<$count> for ($((&'static str, $schedule),)+) {
            fn names(&self) -> [&'static str; $count] {
                [$(self.$index.0),+]
            }

            fn are_schedules(&self) -> [bool; $count] {
                [$($schedule::Counter::COUNTS),+]
            }

            fn values(&self, counts: [i32; $count]) -> [f64; $count] {
                [$(self.$index.1.value(counts[$index])),+]
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim;
    use crate::prelude::*;

    #[test]
    fn a_number_is_changed_while_training() {
        let tx = inject_hyperparams(|[rate]| optim::sgd(rate), (("learning_rate", 0.5),));
        let ones = Tensor::<(U1,)>::of(&[1.0]).unwrap();
        let mut state = TrainState::create(ones.clone(), tx);
        state.update(ones.clone());
        assert_eq!(state.params.as_slice(), [0.5]);
        state.opt_state.hyperparams.set("learning_rate", 0.25).unwrap();
        state.update(ones);
        assert_eq!(state.params.as_slice(), [0.25]);
        let error = state.opt_state.hyperparams.set("rate", 1.0).unwrap_err().to_string();
        assert_eq!(error, "name of a hyper-parameter: expected one of [\"learning_rate\"], found `rate`");
    }
}
