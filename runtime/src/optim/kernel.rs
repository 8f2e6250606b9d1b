//! One step of a transform, on one chunk of memory.

use crate::tensor::Float;

/// What a transform does in one step. Between two chunks it remembers nothing.
///
/// Mark `update` with `#[inline(always)]`: it is compiled once for each instruction set of the processor.
pub trait Kernel: Copy + Send + Sync {
    /// The number of trees in the transform's state.
    const SLOTS: usize;

    /// Transforms `updates` in place. `params` and each of the `SLOTS` slices of `slots` belong to the same
    /// elements of the same leaf and are as long.
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]);
}

/// A kernel that may have run already.
impl<K: Kernel> Kernel for Option<K> {
    const SLOTS: usize = K::SLOTS;

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        if let Some(kernel) = self {
            kernel.update(updates, params, slots);
        }
    }
}

macro_rules! tuples {
    ($($($kernel:ident $index:tt)+;)+) => {$(
        /// The kernels of a chain: each has its share of the slots.
        impl<$($kernel: Kernel),+> Kernel for ($($kernel,)+) {
            const SLOTS: usize = 0 $(+ $kernel::SLOTS)+;

            #[inline(always)]
            fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
                let mut rest = slots;
                $(
                    let (own, others) = rest.split_at_mut($kernel::SLOTS);
                    self.$index.update(updates, params, own);
                    rest = others;
                )+
                debug_assert!(rest.is_empty());
            }
        }
    )+};
}

tuples! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 F 4;
    A 0 B 1 C 2 D 3 F 4 G 5;
}
