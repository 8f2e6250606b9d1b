//! A pass over memory that runs a kernel on every chunk of every leaf.
//!
//! A leaf is cut into blocks, which threads share, and a block into chunks, of which everything that a kernel touches
//! stays in the first cache while the kernels of a chain run one after the other.

use super::bf16_array::{Bf16Array, round, widen};
use super::kernel::{Effect, Kernel};
use super::per_leaf::PerLeaf;
use super::state::{MAX_BF16_SLOTS, MAX_SLOTS, Slots, State};
use crate::backend::map::vectorized;
use crate::backend::{parallel_zipped, prefetch};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Zip};
use half::bf16;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// Elements of a chunk: so few that the processor begins with the next kernel, and with the next chunk, while it waits for
/// memory and for the divisions of the one before. Of twice as many, Adam takes a quarter longer where all comes from memory.
const CHUNK: usize = 128;

/// How many chunks ahead of the work memory is asked for.
const AHEAD: usize = 8;

/// Elements of a block: a sixteenth of a leaf, but no more than some tens of microseconds of work, and no less than it takes
/// to call a thread.
fn block(len: usize) -> usize {
    (len / 16).clamp(64 * CHUNK, 256 * CHUNK).next_multiple_of(CHUNK)
}

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
    const {
        let count = K::BF16_SLOTS.count_ones() as usize;
        assert!(count <= MAX_BF16_SLOTS, "a chain whose state is of too many trees in bfloat16");
    };
    let mut slots = Slots::new();
    state.slots(&mut slots);
    // A number of slots that the type does not have is not compiled.
    match const { K::BF16_SLOTS.count_ones() } {
        0 => walk_slots::<M, K, P, 0>(kernel, read, written, slots),
        1 => walk_slots::<M, K, P, 1>(kernel, read, written, slots),
        2 => walk_slots::<M, K, P, 2>(kernel, read, written, slots),
        3 => walk_slots::<M, K, P, 3>(kernel, read, written, slots),
        _ => walk_slots::<M, K, P, MAX_BF16_SLOTS>(kernel, read, written, slots),
    }
}

/// With `H` slots in bfloat16.
fn walk_slots<'a, M: Mode, K: Kernel, P: Tree, const H: usize>(
    kernel: &'a K,
    read: &'a mut P,
    written: &'a mut P,
    mut slots: Slots<'a, P>,
) {
    let mut sweep = Sweep { kernel, index: 0, bf16: slots.take_bf16::<H>(), mode: PhantomData::<M> };
    match const { K::SLOTS.saturating_sub(H) } {
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

struct Sweep<'a, K, M, const H: usize> {
    kernel: &'a K,
    /// Of the next leaf.
    index: usize,
    bf16: [&'a mut PerLeaf<Bf16Array>; H],
    mode: PhantomData<M>,
}

impl<K: Kernel, M: Mode, const N: usize, const H: usize> Zip<N> for Sweep<'_, K, M, H> {
    fn leaf<S: Shape, E: Float>(
        &mut self,
        path: &Path,
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
            let read = read.as_slice();
            let bf16 = self.bf16.each_mut().map(|tree| tree.elements_mut(index, path, read.len()));
            leaf::<M, K, E, N, H>(&kernel, read, written.map(|tensor| tensor.as_mut_slice()), bf16);
        }
    }
}

/// Cuts a leaf into blocks. Which thread gets which block changes nothing: a kernel knows one chunk only.
fn leaf<M: Mode, K: Kernel, E: Float, const N: usize, const H: usize>(
    kernel: &K,
    read: &[E],
    written: [&mut [E]; N],
    bf16: [&mut [bf16]; H],
) {
    let block = block(read.len());
    if read.len() <= block {
        return dispatch::<M, K, E, N, H>(kernel, read, written, bf16);
    }
    let written = written.map(|slice| (slice, block));
    let bf16 = bf16.map(|slice| (slice, block));
    parallel_zipped(read.len().div_ceil(block), written, bf16, |index, written, bf16| {
        let read = &read[index * block..];
        dispatch::<M, K, E, N, H>(kernel, &read[..read.len().min(block)], written, bf16);
    });
}

/// Runs a block with the widest instructions of the processor.
fn dispatch<M: Mode, K: Kernel, E: Float, const N: usize, const H: usize>(
    kernel: &K,
    read: &[E],
    written: [&mut [E]; N],
    bf16: [&mut [bf16]; H],
) {
    struct Block<'a, M, K, E, const N: usize, const H: usize> {
        kernel: &'a K,
        read: &'a [E],
        written: [&'a mut [E]; N],
        bf16: [&'a mut [bf16]; H],
        mode: PhantomData<M>,
    }
    impl<M: Mode, K: Kernel, E: Float, const N: usize, const H: usize> pulp::NullaryFnOnce
        for Block<'_, M, K, E, N, H>
    {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            let Block { kernel, read, mut written, mut bf16, .. } = self;
            for from in (0..read.len()).step_by(CHUNK) {
                let ahead = from + AHEAD * CHUNK..from + (AHEAD + 1) * CHUNK;
                prefetch(read.get(ahead.clone()).unwrap_or_default());
                written.iter().for_each(|slice| prefetch(slice.get(ahead.clone()).unwrap_or_default()));
                let range = from..from + CHUNK;
                if range.end <= read.len() && written.iter().all(|slice| range.end <= slice.len()) {
                    // Of a length that the compiler knows.
                    let chunk = written.each_mut().map(|slice| &mut slice[range.clone()]);
                    let bf16 = bf16.each_mut().map(|slice| slice.get_mut(range.clone()).unwrap_or_default());
                    M::chunk(kernel, &read[range], &mut { chunk }, bf16);
                } else {
                    let range = from..read.len().min(range.end);
                    // The slot of a transform that leaves this leaf out is empty.
                    let chunk =
                        written.each_mut().map(|slice| slice.get_mut(range.clone()).unwrap_or_default());
                    let bf16 = bf16.each_mut().map(|slice| slice.get_mut(range.clone()).unwrap_or_default());
                    M::chunk(kernel, &read[range], &mut { chunk }, bf16);
                }
            }
        }
    }
    vectorized(Block { kernel, read, written, bf16, mode: PhantomData::<M> });
}

/// Which tree is read and which is written. `written` begins with it; the slots follow, and those in bfloat16.
trait Mode {
    /// The kernel for a leaf, from the tree that is read and the first that is written.
    fn prepare<K: Kernel, E: Float>(kernel: &K, index: usize, read: &[E], written: &[E]) -> K;

    /// Whether nothing has to be done to a leaf.
    fn can_skip(effect: Effect) -> bool;

    fn chunk<K: Kernel, E: Float, const H: usize>(
        kernel: &K,
        read: &[E],
        written: &mut [&mut [E]],
        bf16: [&mut [bf16]; H],
    );
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
    fn chunk<K: Kernel, E: Float, const H: usize>(
        kernel: &K,
        gradients: &[E],
        written: &mut [&mut [E]],
        bf16: [&mut [bf16]; H],
    ) {
        let [params, slots @ ..] = written else { return };
        // The updates never leave the first cache.
        let mut updates = [const { MaybeUninit::uninit() }; CHUNK];
        let updates = updates[..gradients.len()].write_copy_of_slice(gradients);
        update_chunk(kernel, updates, params, slots, bf16);
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
    fn chunk<K: Kernel, E: Float, const H: usize>(
        kernel: &K,
        params: &[E],
        written: &mut [&mut [E]],
        bf16: [&mut [bf16]; H],
    ) {
        let [updates, slots @ ..] = written else { return };
        update_chunk(kernel, updates, params, slots, bf16);
    }
}

/// Runs a kernel on a chunk. What is in bfloat16 it sees as elements, which never leave the first cache either.
#[inline(always)]
fn update_chunk<K: Kernel, E: Float, const H: usize>(
    kernel: &K,
    updates: &mut [E],
    params: &[E],
    slots: &mut [&mut [E]],
    mut bf16: [&mut [bf16]; H],
) {
    if H == 0 {
        return kernel.update(updates, params, slots);
    }
    let mut wide = [[E::ZERO; CHUNK]; H];
    wide.iter_mut().zip(&bf16).for_each(|(wide, narrow)| widen(narrow, wide));
    let mut widened = wide.iter_mut().zip(&bf16).map(|(wide, narrow)| &mut wide[..narrow.len()]);
    let mut others = slots.iter_mut().map(|slot| &mut **slot);
    let mut all: [&mut [E]; MAX_SLOTS] = std::array::from_fn(|slot| {
        let is_bf16 = K::BF16_SLOTS >> slot & 1 == 1;
        (if is_bf16 { widened.next() } else { others.next() }).unwrap_or_default()
    });
    kernel.update(updates, params, &mut all[..K::SLOTS]);
    bf16.iter_mut().zip(&wide).for_each(|(narrow, wide)| round(wide, narrow));
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, block};
    use crate::backend::{set_threads, threads};
    use crate::optim::{self, Bf16, GradientTransformation};
    use crate::prelude::*;

    #[test]
    fn blocks_and_threads_change_nothing() {
        let sizes = [0, 1, CHUNK, block(0) + 1, 3 * block(0) + 5];
        let before = threads();
        for size in sizes {
            let value = |i: usize| (i % 31) as f32 / 16.0 - 0.9;
            let step = |count: usize| {
                set_threads(count);
                let mut params = Tensor::<(Dyn,)>::from_fn((Dyn(size),), value);
                let masked = optim::masked(optim::scale_by_trust_ratio(), |_| true);
                let adam = optim::adamw(0.1).mu_dtype(Bf16);
                let tx = optim::chain((optim::clip_by_global_norm(0.5), optim::adamw(0.1), adam, masked));
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

    /// Slots in bfloat16 amid the others and at the end, of all leaves and of some.
    #[test]
    fn slots_in_bfloat16_are_found_by_the_kernels_that_have_them() {
        type Params = (Tensor<(Dyn,)>, Tensor<(U2, U3), f64>);
        let leaves = |seed: usize| -> Params {
            let mix = |i: usize| ((i * 7 + seed * 13) % 29) as f64 / 10.0 - 1.4;
            (
                Tensor::from_fn((Dyn(block(0) + 5),), |i| mix(i) as f32),
                Tensor::from_fn(Default::default(), mix),
            )
        };
        let momentum = optim::trace(0.9).accumulator_dtype(Bf16);
        let adam = optim::scale_by_adam().mu_dtype(Bf16);
        let by_itself = optim::masked(momentum, |path| path.is("0"));
        let tx = optim::chain((optim::trace(0.5), adam, optim::scale_by_rms(), by_itself.clone()));
        let together = optim::lookahead(tx, 2, 0.5);
        let params = leaves(0);
        let (mut fused, mut state) = (params.clone(), together.init(&params));
        let mut states = (
            optim::trace(0.5).init(&params),
            adam.init(&params),
            optim::scale_by_rms().init(&params),
            by_itself.init(&params),
        );
        let mut fast = params.clone();
        for step in 1..4 {
            together.apply_gradients(&mut fused, leaves(step), &mut state);
            let updates = optim::trace(0.5).update(leaves(step), &mut states.0, &fast);
            let updates = adam.update(updates, &mut states.1, &fast);
            let updates = optim::scale_by_rms().update(updates, &mut states.2, &fast);
            by_itself.update(updates, &mut states.3, &fast);
            // With the way back after two steps.
            fast = fused.clone();
            assert_eq!(state.fast_state, states, "step {step}");
        }
        let moved = |(a, b): (&f32, &f32)| a != b;
        assert!(fused.0.as_slice().iter().zip(params.0.as_slice()).any(moved));
    }
}
