//! A pass over memory that runs a kernel on every chunk of every leaf.
//!
//! A leaf is cut into blocks, which threads share, and a block into chunks, of which everything that a kernel touches
//! stays in the first cache while the kernels of a chain run one after the other.

use super::kernel::{Effect, Kernel};
use super::state::{MAX_SLOTS, Slots, State};
use crate::backend::map::vectorized;
use crate::backend::parallel_items;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Zip};
use std::marker::PhantomData;

/// Elements of a chunk: 4 KiB of f32 from each tree.
const CHUNK: usize = 1024;

/// Elements of a block: some tens of microseconds of work.
const BLOCK: usize = 32 * CHUNK;

/// Runs a kernel, and adds what it makes of the gradients to the parameters. The gradients are only read.
pub(super) fn apply<K: Kernel, P: Tree>(
    kernel: &K,
    params: &mut P,
    gradients: &mut P,
    state: &mut impl State<P>,
) {
    walk::<Apply, K, P>(kernel, gradients, params, state);
}

/// Runs a kernel on updates in place. The parameters are only read.
pub(super) fn update<K: Kernel, P: Tree>(kernel: &K, updates: &mut P, state: &mut impl State<P>, params: &P) {
    walk::<Update, K, P>(kernel, &mut params.clone(), updates, state);
}

/// Visits the leaves of `read`, `written` and the trees of the state together.
fn walk<M: Mode, K: Kernel, P: Tree>(kernel: &K, read: &mut P, written: &mut P, state: &mut impl State<P>) {
    const { assert!(K::SLOTS <= MAX_SLOTS, "a chain whose state is of too many trees") };
    let mut slots = Slots::new();
    state.slots(&mut slots);
    let mut sweep = Sweep { kernel, index: 0, mode: PhantomData::<M> };
    // A number of slots that the type does not have is not compiled.
    match K::SLOTS {
        0 => read.zip(slots.after::<1>(written), &Path::ROOT, &mut sweep),
        1 => read.zip(slots.after::<2>(written), &Path::ROOT, &mut sweep),
        2 => read.zip(slots.after::<3>(written), &Path::ROOT, &mut sweep),
        3 => read.zip(slots.after::<4>(written), &Path::ROOT, &mut sweep),
        4 => read.zip(slots.after::<5>(written), &Path::ROOT, &mut sweep),
        5 => read.zip(slots.after::<6>(written), &Path::ROOT, &mut sweep),
        6 => read.zip(slots.after::<7>(written), &Path::ROOT, &mut sweep),
        7 => read.zip(slots.after::<8>(written), &Path::ROOT, &mut sweep),
        _ => read.zip(slots.after::<9>(written), &Path::ROOT, &mut sweep),
    }
}

struct Sweep<'a, K, M> {
    kernel: &'a K,
    /// Of the next leaf.
    index: usize,
    mode: PhantomData<M>,
}

impl<K: Kernel, M: Mode, const N: usize> Zip<N> for Sweep<'_, K, M> {
    fn leaf<S: Shape, E: Float>(
        &mut self,
        _: &Path,
        read: &mut Tensor<S, E>,
        written: [&mut Tensor<S, E>; N],
    ) {
        let index = self.index;
        self.index += 1;
        let Some(first) = written.first() else { return };
        if first.is_masked() {
            return;
        }
        let kernel = M::prepare(self.kernel, index, read.as_slice(), first.as_slice());
        if !M::can_skip(kernel.effect()) {
            leaf::<M, K, E, N>(&kernel, read.as_slice(), written.map(|tensor| tensor.as_mut_slice()));
        }
    }
}

/// Cuts a leaf into blocks. Which thread gets which block changes nothing: a kernel knows one chunk only.
fn leaf<M: Mode, K: Kernel, E: Float, const N: usize>(kernel: &K, read: &[E], written: [&mut [E]; N]) {
    if read.len() <= BLOCK {
        return dispatch::<M, K, E, N>(kernel, read, written);
    }
    let mut written = written.map(|slice| slice.chunks_mut(BLOCK));
    let blocks = read.chunks(BLOCK).map(move |read| {
        let written = written.each_mut().map(|blocks| blocks.next().unwrap_or_default());
        (read, written)
    });
    parallel_items(read.len().div_ceil(BLOCK), blocks, |(read, written)| {
        dispatch::<M, K, E, N>(kernel, read, written);
    });
}

/// Runs a block with the widest instructions of the processor.
fn dispatch<M: Mode, K: Kernel, E: Float, const N: usize>(kernel: &K, read: &[E], written: [&mut [E]; N]) {
    struct Block<'a, M, K, E, const N: usize>(&'a K, &'a [E], [&'a mut [E]; N], PhantomData<M>);
    impl<M: Mode, K: Kernel, E: Float, const N: usize> pulp::NullaryFnOnce for Block<'_, M, K, E, N> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            let Block(kernel, read, mut written, _) = self;
            for (index, read) in read.chunks(CHUNK).enumerate() {
                let range = index * CHUNK..index * CHUNK + read.len();
                // The slot of a transform that leaves this leaf out is empty.
                let chunk = written.each_mut().map(|slice| slice.get_mut(range.clone()).unwrap_or_default());
                M::chunk(kernel, read, &mut { chunk });
            }
        }
    }
    vectorized(Block(kernel, read, written, PhantomData::<M>));
}

/// Which tree is read and which is written. `written` begins with it; the slots follow.
trait Mode {
    /// The kernel for a leaf, from the tree that is read and the first that is written.
    fn prepare<K: Kernel, E: Float>(kernel: &K, index: usize, read: &[E], written: &[E]) -> K;

    /// Whether nothing has to be done to a leaf.
    fn can_skip(effect: Effect) -> bool;

    fn chunk<K: Kernel, E: Float>(kernel: &K, read: &[E], written: &mut [&mut [E]]);
}

/// Reads gradients, writes parameters.
struct Apply;

impl Mode for Apply {
    fn prepare<K: Kernel, E: Float>(kernel: &K, index: usize, gradients: &[E], params: &[E]) -> K {
        kernel.prepare(index, gradients, params)
    }

    fn can_skip(effect: Effect) -> bool {
        effect == Effect::Zeros
    }

    #[inline(always)]
    fn chunk<K: Kernel, E: Float>(kernel: &K, gradients: &[E], written: &mut [&mut [E]]) {
        let [params, slots @ ..] = written else { return };
        // The updates never leave the first cache.
        let mut updates = [E::ZERO; CHUNK];
        let updates = &mut updates[..gradients.len()];
        updates.copy_from_slice(gradients);
        kernel.update(updates, params, slots);
        params.iter_mut().zip(updates).for_each(|(param, update)| *param += *update);
    }
}

/// Reads parameters, writes updates.
struct Update;

impl Mode for Update {
    fn prepare<K: Kernel, E: Float>(kernel: &K, index: usize, params: &[E], updates: &[E]) -> K {
        kernel.prepare(index, updates, params)
    }

    fn can_skip(effect: Effect) -> bool {
        effect == Effect::Nothing
    }

    #[inline(always)]
    fn chunk<K: Kernel, E: Float>(kernel: &K, params: &[E], written: &mut [&mut [E]]) {
        let [updates, slots @ ..] = written else { return };
        kernel.update(updates, params, slots);
    }
}

#[cfg(test)]
mod tests {
    use crate::backend::{set_threads, threads};
    use crate::optim::{self, GradientTransformation};
    use crate::prelude::*;

    #[test]
    fn blocks_and_threads_change_nothing() {
        let sizes = [0, 1, super::CHUNK, super::BLOCK + 1, 3 * super::BLOCK + 5];
        let before = threads();
        for size in sizes {
            let value = |i: usize| (i % 31) as f32 / 16.0 - 0.9;
            let step = |count: usize| {
                set_threads(count);
                let mut params = Tensor::<(Dyn,)>::from_fn((Dyn(size),), value);
                let masked = optim::masked(optim::scale_by_trust_ratio(), |_| true);
                let tx = optim::chain((optim::clip_by_global_norm(0.5), optim::adamw(0.1), masked));
                let mut state = tx.init(&params);
                for _ in 0..3 {
                    let gradients = params.clone();
                    tx.apply_gradients(&mut params, gradients, &mut state);
                }
                (params, state)
            };
            let (alone, shared) = (step(1), step(4));
            assert_eq!(alone, shared);
            // Elements of equal value take equal steps, wherever their chunk is.
            let params = alone.0.as_slice();
            assert!((31..size).all(|i| params[i] == params[i - 31]), "{size} elements");
        }
        set_threads(before);
    }
}
