//! A value in a `vmap!`.

use super::axes::{Axes, MAX_AXES};
use super::example::{Example, Stack};
use super::lane::Lane;
use crate::__private::Loss;
use crate::module::Sown;
use crate::op::Cotangent;
use crate::shape::{Dyn, Shape};
use crate::tensor::{Element, Float, Tensor};
use crate::transform::Lift;
use std::any::{Any, type_name};
use std::fmt;

/// A value along the axes `L`: for each index an example `T`, or one for all along an axis on which it does not depend.
pub struct Batched<L: Axes, T: Example> {
    axes: L,
    stack: Stack<T>,
}

impl<L: Axes, T: Example> Batched<L, T> {
    /// These examples, as many as the axes say, the innermost axis running fastest.
    ///
    /// # Panics
    /// If there are more or fewer.
    pub fn new(axes: L, stack: Stack<T>) -> Self {
        assert!(stack.count() == axes.count(), "as many examples as the axes have");
        Batched { axes, stack }
    }

    /// The axes.
    pub fn axes(&self) -> L {
        self.axes
    }

    /// The shape of each example.
    pub fn shape(&self) -> T::Shape {
        self.stack.shape()
    }

    /// The elements of all examples.
    pub fn as_slice(&self) -> &[T::Element] {
        self.stack.as_slice()
    }

    /// The examples; of a value that does not vary, a stack of one.
    pub fn into_stack(self) -> Stack<T> {
        self.stack
    }

    /// The value as an input of an op whose output has the axes `joined`. Where that does not vary, it is computed once.
    pub(super) fn into_lane<J: Axes>(self, joined: J) -> Lane<T> {
        if J::VARIES && !L::VARIES {
            return Lane::Shared(self.stack.into_one());
        }
        let (from, to) = (self.axes.counts_of_all(), joined.counts_of_all());
        Lane::Each(if from == to { self.stack } else { stretched(&self.stack, &from, &to) })
    }

    /// The cotangent of a value with these axes from that of such an input.
    pub(super) fn of_cotangent<J: Axes>(lane: Lane<T>, axes: L, joined: J) -> Self {
        let (from, to) = (axes.counts_of_all(), joined.counts_of_all());
        let stack = match lane {
            Lane::Shared(value) => Stack::of_one(value),
            Lane::Each(stack) if from == to => stack,
            Lane::Each(stack) => summed(&stack, &from, &to),
        };
        Batched::new(axes, stack)
    }
}

/// Which of the examples along `from` the example number `index` along `to` is.
fn source(from: &[usize; MAX_AXES], to: &[usize; MAX_AXES], mut index: usize) -> usize {
    let (mut source, mut stride) = (0, 1);
    for (&from, &to) in from.iter().zip(to) {
        if from == to {
            source += index % to * stride;
            stride *= from;
        }
        index /= to;
    }
    source
}

/// The examples along `from`, repeated along those axes of `to` on which they do not depend.
fn stretched<T: Example>(stack: &Stack<T>, from: &[usize; MAX_AXES], to: &[usize; MAX_AXES]) -> Stack<T> {
    let (count, len) = (to.iter().product(), T::elements(stack.shape()));
    let flat = Tensor::written((Dyn(count * len),), |all| {
        for (index, place) in all.chunks_exact_mut(len.max(1)).enumerate() {
            place.copy_from_slice(&stack.as_slice()[source(from, to, index) * len..][..len]);
        }
    });
    Stack::new(count, stack.shape(), flat)
}

/// The sums of the examples along `to` over those axes that `from` does not depend on.
fn summed<T: Example>(stack: &Stack<T>, from: &[usize; MAX_AXES], to: &[usize; MAX_AXES]) -> Stack<T> {
    let (count, len) = (from.iter().product(), T::elements(stack.shape()));
    let mut sums = Stack::zeros(count, stack.shape());
    for (index, example) in stack.as_slice().chunks_exact(len.max(1)).enumerate() {
        sums.add(source(from, to, index), example);
    }
    sums
}

impl<L: Axes, T: Example> Clone for Batched<L, T> {
    fn clone(&self) -> Self {
        Batched { axes: self.axes, stack: self.stack.clone() }
    }
}

impl<L: Axes, T: Example> fmt::Debug for Batched<L, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = self.stack.shape();
        let mut fields = formatter.debug_struct("Batched");
        fields.field("axes", &self.axes).field("shape", &shape).field("elements", &self.stack.as_slice());
        fields.finish()
    }
}

impl<L: Axes, S: Shape, E: Float> Cotangent for Batched<L, Tensor<S, E>> {
    fn accumulate(&mut self, other: Self) {
        Cotangent::accumulate(self.stack.flat_mut(), other.stack.into_flat());
    }

    fn zeros_like(&self) -> Self {
        Batched { axes: self.axes, stack: Stack::zeros(self.stack.count(), self.stack.shape()) }
    }
}

/// The loss of each example, for a gradient that is taken in a `vmap!`.
impl<L: Axes, E: Float> Loss for Batched<L, Tensor<(), E>> {
    fn seed(&self) -> Self {
        let count = self.stack.count();
        Batched { axes: self.axes, stack: Stack::new(count, (), Tensor::full((Dyn(count),), E::ONE)) }
    }
}

impl<L: Axes, S: Shape, E: Element, Call> Lift<Call> for Batched<L, Tensor<S, E>> {
    type Lifted = Batched<L, Tensor<S, E::Lifted>>;

    fn lifted(&self) -> Self::Lifted {
        let flat = Lift::<Call>::lifted(&self.stack.clone().into_flat());
        Batched { axes: self.axes, stack: Stack::new(self.stack.count(), self.stack.shape(), flat) }
    }
}

/// What a layer sows in a `vmap!` are the values of all examples; the shape that is printed is that of one.
impl<L: Axes, T: Example> Sown for Batched<L, T> {
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn type_name(&self) -> &'static str {
        type_name::<Self>()
    }
    fn print(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.shape().sizes().as_ref())
    }
}
