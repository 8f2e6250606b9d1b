//! Inference a few examples at a time.
//!
//! Where each example of the output depends on one example of the input, the layers of a module need not pass over a whole
//! batch one after the other: a block of examples goes through all of them while what lies between them stays in the
//! cache. A thousand images of 28x28 with 32 features are 100 MB, which a convolution would write to memory, an
//! activation read and write, and a pooling read again.

use super::Module;
use crate::backend::threads;
use crate::op::Handover;
use crate::rng::Scope;
use crate::shape::{MAX_RANK, Shape, Size};
use crate::tensor::{Element, Tensor, shape_of};
use std::marker::PhantomData;

/// What a block's largest value may take of each thread's second cache.
const SHARE: usize = 3 << 19;

/// The bytes of an example, of a value that has examples along its first axis.
pub trait ExampleBytes {
    /// The bytes of an element times all sizes but the first, if the type knows them.
    const BYTES: Option<usize>;
}

impl<S: Shape, E: Element> ExampleBytes for Tensor<S, E> {
    const BYTES: Option<usize> = {
        let (mut bytes, mut axis, mut known) = (size_of::<E>(), 1, S::RANK > 0);
        while axis < S::RANK {
            match S::STATIC.at(axis) {
                Size::Known(size) => bytes *= size,
                _ => known = false,
            }
            axis += 1;
        }
        if known { Some(bytes) } else { None }
    };
}

/// The bytes that an example takes where it takes most: `parts` are what is called, one after the other, with what that takes
/// inside, what it yields, and whether it writes that. `None` where examples depend on each other.
pub const fn example_bytes(parts: &[(Option<usize>, Option<usize>, Handover)]) -> Option<usize> {
    let (mut most, mut index) = (0, 0);
    // The bytes of what has been left to the next call.
    let mut left = 0;
    while index < parts.len() {
        let (Some(inside), Some(out), handover) = parts[index] else { return None };
        let held = match handover {
            Handover::Written => larger(left, out),
            Handover::Left => left,
            Handover::Passed if left > 0 => 0,
            Handover::Passed | Handover::Pooled => out,
        };
        left = match handover {
            Handover::Left => out,
            Handover::Passed if left > 0 => out,
            _ => 0,
        };
        most = larger(most, larger(inside, held));
        index += 1;
    }
    Some(larger(most, left))
}

const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// The bytes inside of an op: none.
pub const fn if_by_example(by_example: bool) -> Option<usize> {
    if by_example { Some(0) } else { None }
}

/// Calls a module on blocks of examples one after the other, if that pays. The last argument is the type of a block.
pub fn in_blocks<M, S, T, U, V, E, F>(
    module: &M,
    params: &<M as Module<Tensor<T, E>>>::Params,
    state: &mut <M as Module<Tensor<T, E>>>::State,
    scope: &Scope,
    input: &Tensor<S, E>,
    _: PhantomData<Tensor<T, E>>,
) -> Option<Tensor<U, F>>
where
    M: Module<Tensor<S, E>, Out = Tensor<U, F>> + Module<Tensor<T, E>, Out = Tensor<V, F>>,
    S: Shape,
    T: Shape,
    U: Shape,
    V: Shape,
    E: Element,
    F: Element,
{
    let bytes = <M as Module<Tensor<T, E>>>::EXAMPLE_BYTES?;
    let count = *input.sizes().as_ref().first()?;
    let fitting = (SHARE * threads() / bytes.max(1)).max(1);
    if count < 2 * fitting || scope.is_captured() {
        return None;
    }
    let examples = count.div_ceil(count.div_ceil(fitting));
    let mut block = |start: usize| {
        let input = input.examples::<T>(start, examples.min(count - start));
        Module::<Tensor<T, E>>::infer(module, params, state, scope, input)
    };
    let first = block(0);
    let len = first.as_slice().len() / examples;
    Some(Tensor::written(with_count(first.shape(), count), |out| {
        out[..examples * len].copy_from_slice(first.as_slice());
        for start in (examples..count).step_by(examples) {
            let part = block(start);
            out[start * len..][..part.as_slice().len()].copy_from_slice(part.as_slice());
        }
    }))
}

/// The shape with another size of its first axis, in a type that leaves that size open or has just this one.
fn with_count<S: Shape, T: Shape>(shape: S, count: usize) -> T {
    let mut sizes = [0; MAX_RANK];
    sizes[..S::RANK].copy_from_slice(shape.sizes().as_ref());
    sizes[0] = count;
    shape_of(&sizes[..S::RANK])
}

impl<S: Shape, E: Element> Tensor<S, E> {
    /// Some of the examples along the first axis.
    fn examples<T: Shape>(&self, start: usize, count: usize) -> Tensor<T, E> {
        let len = self.as_slice().len() / self.sizes().as_ref()[0];
        let examples = &self.as_slice()[start * len..(start + count) * len];
        Tensor::written(with_count(self.shape(), count), |place| place.copy_from_slice(examples))
    }
}
