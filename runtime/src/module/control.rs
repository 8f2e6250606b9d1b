//! What branches and loops in the body of a module become. Generated code calls it.

use super::Stateless;
use super::each::Each;
use crate::op::Need;
use crate::tree::{Path, Tree, Visit, Zip};

/// Constants as types: what names the types of a module's values lists the generics as types.
pub mod constant {
    macro_rules! constants {
        ($($ty:ident)+) => {$(
            /// A constant of this type.
            #[allow(non_camel_case_types)]
            pub struct $ty<const VALUE: ::core::primitive::$ty>;
        )+};
    }
    constants! { usize u8 u16 u32 u64 u128 isize i8 i16 i32 i64 i128 bool char }
}

/// What stands for a constant while shapes are checked in numbers: no shape depends on it.
pub trait StandIn {
    /// Some value.
    const VALUE: Self;
}

macro_rules! stand_ins {
    ($($ty:ident $value:literal)+) => {$(
        impl StandIn for $ty {
            const VALUE: $ty = $value;
        }
    )+};
}
stand_ins! { usize 1 u8 1 u16 1 u32 1 u64 1 u128 1 isize 1 i8 1 i16 1 i32 1 i64 1 i128 1 bool true char '1' }

/// One of two: an arm of a branch, or one of the arms after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The arm.
    Left(A),
    /// One of the others.
    Right(B),
}

/// What an arm that is taken has.
///
/// # Panics
/// If the arm was not taken when the variables were drawn.
#[track_caller]
pub fn taken<'a, T>(variables: &'a Option<T>, name: &str) -> &'a T {
    variables.as_ref().unwrap_or_else(|| not_taken(name))
}

/// What an arm that is taken has, to be changed.
///
/// # Panics
/// If the arm was not taken when the variables were drawn.
#[track_caller]
pub fn taken_mut<'a, T>(variables: &'a mut Option<T>, name: &str) -> &'a mut T {
    variables.as_mut().unwrap_or_else(|| not_taken(name))
}

#[track_caller]
fn not_taken(name: &str) -> ! {
    panic!("these variables have no `{name}`: they belong to a model with other hyper-parameters")
}

/// An arm goes backward that did not go forward.
///
/// # Panics
/// Always.
pub fn other_arm() -> ! {
    panic!("what decides a branch gave one answer in the forward pass and another one in the backward pass")
}

/// What the caller of every arm and pass must have drawn.
///
/// # Panics
/// Never: generated code asks only for what some arm that is taken calls.
pub fn called<T>(drawn: Option<T>) -> T {
    drawn.unwrap_or_else(|| unreachable!("every arm calls this submodule"))
}

/// What `plan` makes of each of `N` items.
pub fn each<const N: usize, I: IntoIterator, P>(items: I, mut plan: impl FnMut(I::Item) -> P) -> [P; N] {
    let mut items = items.into_iter();
    std::array::from_fn(|_| match items.next() {
        Some(item) => plan(item),
        None => unreachable!("the loop has as many passes as its range has numbers"),
    })
}

/// What `draw` makes in each pass.
pub fn each_of<P, T, const N: usize>(plans: &[P; N], mut draw: impl FnMut(usize, &P) -> T) -> Each<T, N> {
    Each(std::array::from_fn(|pass| draw(pass, &plans[pass])))
}

/// What the first pass that has it gives.
pub fn first_of<P, T, const N: usize>(
    plans: &[P; N],
    mut draw: impl FnMut(usize, &P) -> Option<T>,
) -> Option<T> {
    plans.iter().enumerate().find_map(|(pass, plan)| draw(pass, plan))
}

/// Pass by pass, each on what the one before gave.
pub fn fold<P, C, const N: usize>(plans: &[P; N], carried: C, mut step: impl FnMut(usize, &P, C) -> C) -> C {
    plans.iter().enumerate().fold(carried, |carried, (pass, plan)| step(pass, plan, carried))
}

/// The same, keeping what each pass leaves: JAX's `lax.scan`.
pub fn scan<P, C, K, const N: usize>(
    plans: &[P; N],
    carried: C,
    mut step: impl FnMut(usize, &P, C) -> (C, K),
) -> (C, [K; N]) {
    let mut carried = Some(carried);
    let kept = std::array::from_fn(|pass| match carried.take() {
        Some(before) => {
            let (after, kept) = step(pass, &plans[pass], before);
            carried = Some(after);
            kept
        }
        None => unreachable!("each pass gives back what it carries"),
    });
    match carried {
        Some(carried) => (carried, kept),
        None => unreachable!("each pass gives back what it carries"),
    }
}

/// From the last pass to the first, with what each of them kept.
pub fn scan_back<P, C, K, const N: usize>(
    plans: &[P; N],
    kept: [K; N],
    cotangent: C,
    mut step: impl FnMut(usize, &P, K, C) -> C,
) -> C {
    let passes = kept.into_iter().zip(plans).enumerate().rev();
    passes.fold(cotangent, |cotangent, (pass, (kept, plan))| step(pass, plan, kept, cotangent))
}

/// The gradients of the passes of a loop, which come one after the other.
pub struct Slots<T, const N: usize>([Option<T>; N]);

impl<T, const N: usize> Slots<T, N> {
    /// None yet.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Slots([const { None }; N])
    }

    /// The gradient of one pass.
    pub fn put(&mut self, pass: usize, gradient: T) {
        self.0[pass] = Some(gradient);
    }

    /// All of them.
    pub fn finish(self) -> Each<T, N> {
        Each(self.0.map(|gradient| gradient.unwrap_or_else(|| unreachable!("each pass has a gradient"))))
    }
}

/// Adds what a pass contributes.
pub fn accumulate<N: Need, T: Tree>(sum: &mut Option<N::Of<T>>, term: N::Of<T>) {
    *sum = Some(match sum.take() {
        Some(sum) => N::add(sum, term),
        None => term,
    });
}

/// The sum of what all passes contribute.
///
/// # Panics
/// If there was no pass.
pub fn summed<T>(sum: Option<T>) -> T {
    sum.unwrap_or_else(|| panic!("a loop over tensors has at least one pass"))
}

/// A cotangent that is there if `Have` says so, where `Want`, which asks for no more, says so.
pub fn narrowed<Have: Need, Want: Need, T>(cotangent: Have::Of<T>) -> Want::Of<T> {
    Want::when(|| Have::or(cotangent, || unreachable!("what is needed of a part is needed of the whole")))
}

/// Takes pairs of parameters and state apart.
pub trait Unzip {
    /// All parameters.
    type Params;
    /// All state.
    type State;
    /// The two.
    fn unzip(self) -> (Self::Params, Self::State);
}

impl<P, S> Unzip for (P, S) {
    type Params = P;
    type State = S;
    fn unzip(self) -> (P, S) {
        self
    }
}

impl<T: Unzip> Unzip for Option<T> {
    type Params = Option<T::Params>;
    type State = Option<T::State>;
    fn unzip(self) -> (Self::Params, Self::State) {
        self.map(T::unzip).unzip()
    }
}

impl<T: Unzip, const N: usize> Unzip for Each<T, N> {
    type Params = Each<T::Params, N>;
    type State = Each<T::State, N>;
    fn unzip(self) -> (Self::Params, Self::State) {
        let mut states = [const { None }; N];
        let mut next = states.iter_mut();
        let params = self.0.map(|pair| {
            let (params, state) = pair.unzip();
            if let Some(place) = next.next() {
                *place = Some(state);
            }
            params
        });
        let states = states.map(|state| state.unwrap_or_else(|| unreachable!("each pass has a state")));
        (Each(params), Each(states))
    }
}

/// What an arm that is not taken has none of.
impl<T: Tree> Tree for Option<T> {
    fn visit(&self, path: &Path, visitor: &mut impl Visit) {
        if let Some(tree) = self {
            tree.visit(path, visitor);
        }
    }

    fn zip<const N: usize>(&mut self, others: [&mut Self; N], path: &Path, zip: &mut impl Zip<N>) {
        if let Some(tree) = self {
            let name = path.name();
            tree.zip(others.map(|tree| taken_mut(tree, &name)), path, zip);
        }
    }
}

/// The state of an arm that is taken or not: there is nothing in it.
impl<Call, T: Stateless<Call>> Stateless<Call> for Option<T> {
    fn stateless() -> Self {
        Some(T::stateless())
    }
}
