//! The inputs and outputs of an op for many examples: which of them vary, and how they are taken apart and put together.

use super::axes::Axes;
use super::batched::Batched;
use super::example::{Example, Filling, Stack};
use crate::op::{Differentiable, Need, Needs, Op};

/// An input of an op for many examples.
#[derive(Clone)]
pub enum Lane<T: Example> {
    /// The same one for every example.
    Shared(T),
    /// One for each.
    Each(Stack<T>),
}

impl<T: Example> Lane<T> {
    /// The input of one example.
    pub fn at(&self, index: usize) -> T {
        match self {
            Lane::Shared(value) => value.clone(),
            Lane::Each(stack) => stack.at(index),
        }
    }

    /// One for each of `count` examples.
    pub fn stacked(self, count: usize) -> Stack<T> {
        match self {
            Lane::Shared(value) => Stack::repeat(count, value),
            Lane::Each(stack) => stack,
        }
    }

    /// How many there are, if there is one for each example.
    pub fn count(&self) -> Option<usize> {
        match self {
            Lane::Shared(_) => None,
            Lane::Each(stack) => Some(stack.count()),
        }
    }
}

/// The inputs of an op for many examples: a [`Lane`], or a tuple of them.
pub struct Inputs<In: Values>(pub In::Lanes);

/// The outputs: a [`Stack`], or a tuple of them.
pub struct Outputs<Out: Values>(pub Out::Stacks);

/// The cotangents of the inputs: a [`Lane`] each, or `()` for what is not needed.
pub struct Cotangents<In: Values, N: Gather<In>>(pub N::Lanes);

/// The inputs or the outputs of an op: one tensor or a tuple of them.
pub trait Values: Sized {
    /// What an op for many examples is given.
    type Lanes: Clone;
    /// What it computes.
    type Stacks: Clone;
    /// Stacks that are filled example by example.
    type Filling;
    /// The values in a `vmap!`.
    type Batched<L: Axes>;

    /// How many examples there are.
    fn count(lanes: &Self::Lanes) -> usize;
    /// The inputs of one example.
    fn at(lanes: &Self::Lanes, index: usize) -> Self;
    /// The outputs of one example.
    fn output_at(stacks: &Self::Stacks, index: usize) -> Self;

    /// Stacks without examples.
    fn filling() -> Self::Filling;
    /// Puts the outputs of one of `count` examples in their place.
    fn put(filling: &mut Self::Filling, count: usize, index: usize, values: Self);
    /// The stacks.
    fn finish(filling: Self::Filling) -> Self::Stacks;

    /// The stacks as values along axes.
    fn batched<L: Axes>(axes: L, stacks: Self::Stacks) -> Self::Batched<L>;
    /// The stacks of values along axes.
    fn stacks<L: Axes>(batched: Self::Batched<L>) -> Self::Stacks;
}

impl<T: Example> Values for T {
    type Lanes = Lane<T>;
    type Stacks = Stack<T>;
    type Filling = Filling<T>;
    type Batched<L: Axes> = Batched<L, T>;

    fn count(lane: &Lane<T>) -> usize {
        lane.count().unwrap_or(1)
    }
    fn at(lane: &Lane<T>, index: usize) -> T {
        lane.at(index)
    }
    fn output_at(stack: &Stack<T>, index: usize) -> T {
        stack.at(index)
    }
    fn filling() -> Filling<T> {
        Filling::new()
    }
    fn put(filling: &mut Filling<T>, count: usize, index: usize, value: T) {
        filling.put(count, index, value);
    }
    fn finish(filling: Filling<T>) -> Stack<T> {
        filling.finish()
    }
    fn batched<L: Axes>(axes: L, stack: Stack<T>) -> Batched<L, T> {
        Batched::new(axes, stack)
    }
    fn stacks<L: Axes>(batched: Batched<L, T>) -> Stack<T> {
        batched.into_stack()
    }
}

/// The cotangents of the inputs of an op for many examples, where `Self` says which are needed.
pub trait Gather<In: Values>: Needs<In> {
    /// The cotangents: the sum over all examples, of an input that is the same for every one.
    type Lanes;

    /// Puts the cotangents of all examples together.
    fn gather(inputs: &In::Lanes, each: impl FnMut(usize) -> Self::Cotangents) -> Self::Lanes;
}

/// The cotangent of one input, while it is put together.
enum Gathering<T: Example> {
    Sum(Stack<T>),
    Each(Filling<T>),
}

impl<T: Example> Gathering<T> {
    fn new(input: &Lane<T>) -> Self {
        match input {
            Lane::Shared(value) => Gathering::Sum(Stack::zeros(1, value.clone().into_tensor().shape())),
            Lane::Each(_) => Gathering::Each(Filling::new()),
        }
    }

    fn put(mut self, count: usize, index: usize, cotangent: T) -> Self {
        match &mut self {
            Gathering::Sum(sum) if count > 0 => sum.add(0, cotangent.into_tensor().as_slice()),
            Gathering::Sum(_) => {}
            Gathering::Each(filling) => filling.put(count, index, cotangent),
        }
        self
    }

    fn finish(self) -> Lane<T> {
        match self {
            Gathering::Sum(sum) => Lane::Shared(sum.into_one()),
            Gathering::Each(filling) => Lane::Each(filling.finish()),
        }
    }
}

impl<N: Need, T: Example> Gather<T> for N {
    type Lanes = N::Of<Lane<T>>;

    fn gather(input: &Lane<T>, mut each: impl FnMut(usize) -> N::Of<T>) -> N::Of<Lane<T>> {
        let count = <T as Values>::count(input);
        let mut gathering = N::when(|| Gathering::new(input));
        for index in 0..count.max(1) {
            gathering = N::zip(gathering, each(index), |all: Gathering<T>, one| all.put(count, index, one));
        }
        N::map(gathering, Gathering::finish)
    }
}

macro_rules! tuples {
    ($($($value:ident $need:ident $index:tt)+;)+) => {$(
        impl<$($value: Example),+> Values for ($($value,)+) {
            type Lanes = ($(Lane<$value>,)+);
            type Stacks = ($(Stack<$value>,)+);
            type Filling = ($(Filling<$value>,)+);
            type Batched<L: Axes> = ($(Batched<L, $value>,)+);

            fn count(lanes: &Self::Lanes) -> usize {
                let counts = [$(lanes.$index.count()),+];
                let mut counts = counts.into_iter().flatten();
                let count = counts.next().unwrap_or(1);
                assert!(counts.all(|other| other == count), "vmap: the numbers of examples differ");
                count
            }
            fn at(lanes: &Self::Lanes, index: usize) -> Self {
                ($(lanes.$index.at(index),)+)
            }
            fn output_at(stacks: &Self::Stacks, index: usize) -> Self {
                ($(stacks.$index.at(index),)+)
            }
            fn filling() -> Self::Filling {
                ($(Filling::<$value>::new(),)+)
            }
            fn put(filling: &mut Self::Filling, count: usize, index: usize, values: Self) {
                $(filling.$index.put(count, index, values.$index);)+
            }
            fn finish(filling: Self::Filling) -> Self::Stacks {
                ($(filling.$index.finish(),)+)
            }
            fn batched<L: Axes>(axes: L, stacks: Self::Stacks) -> Self::Batched<L> {
                ($(Batched::new(axes, stacks.$index),)+)
            }
            fn stacks<L: Axes>(batched: Self::Batched<L>) -> Self::Stacks {
                ($(batched.$index.into_stack(),)+)
            }
        }

        impl<$($value: Example, $need: Need),+> Gather<($($value,)+)> for ($($need,)+) {
            type Lanes = ($($need::Of<Lane<$value>>,)+);

            fn gather(
                inputs: &($(Lane<$value>,)+),
                mut each: impl FnMut(usize) -> ($($need::Of<$value>,)+),
            ) -> Self::Lanes {
                let count = <($($value,)+) as Values>::count(inputs);
                let mut gathering = ($($need::when(|| Gathering::new(&inputs.$index)),)+);
                for index in 0..count.max(1) {
                    let cotangents = each(index);
                    gathering = ($($need::zip(
                        gathering.$index,
                        cotangents.$index,
                        |all: Gathering<$value>, one| all.put(count, index, one),
                    ),)+);
                }
                ($($need::map(gathering.$index, Gathering::finish),)+)
            }
        }
    )+};
}

tuples! {
    A NA 0 B NB 1;
    A NA 0 B NB 1 C NC 2;
    A NA 0 B NB 1 C NC 2 D ND 3;
}

/// The outputs of an op that computes one example after the other.
pub(crate) fn infer_one_by_one<In, O>(op: &O, inputs: &In::Lanes) -> Outputs<O::Out>
where
    In: Values,
    O: Op<In, Out: Values> + ?Sized,
{
    let (count, mut outputs) = (In::count(inputs), O::Out::filling());
    for index in 0..count.max(1) {
        O::Out::put(&mut outputs, count, index, op.infer(In::at(inputs, index)));
    }
    Outputs(O::Out::finish(outputs))
}

/// The cotangents of an op that goes backward through one example after the other. What forward keeps of each is computed
/// again: so many residuals have no place that is allocated once.
pub(crate) fn backward_one_by_one<In, N, O>(
    op: &O,
    inputs: &In::Lanes,
    cotangents: &<O::Out as Values>::Stacks,
) -> Cotangents<In, N>
where
    In: Values,
    N: Gather<In>,
    O: Differentiable<In, N> + Op<In, Out: Values> + ?Sized,
{
    Cotangents(N::gather(inputs, |index| {
        let (_, residuals) = op.forward(In::at(inputs, index));
        op.backward(residuals, O::Out::output_at(cotangents, index))
    }))
}
