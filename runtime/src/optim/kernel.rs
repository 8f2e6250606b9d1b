//! One step of a transform, on one chunk of memory.

use crate::tensor::Float;

/// What a transform does in one step. Between two chunks it remembers nothing.
///
/// Mark `update` with `#[inline(always)]`: it is compiled once for each instruction set of the processor.
pub trait Kernel: Clone + Send + Sync {
    /// The number of trees in the transform's state.
    const SLOTS: usize;
    /// Those of the trees that are kept in bfloat16, a bit for each: bit 0 is the first. `update` gets their numbers as
    /// elements like all others, which are rounded when all kernels of a chain are done.
    const BF16_SLOTS: u32 = 0;

    /// The kernel for one leaf, asked for before the leaf's first chunk: one that needs a number of the whole leaf,
    /// such as its norm, computes it here. `index` counts the leaves of the tree. What `updates` are here says
    /// [`GradientTransformation::WHOLE_TREE`](super::GradientTransformation::WHOLE_TREE).
    fn prepare<E: Float>(&self, index: usize, updates: &[E], params: &[E]) -> Self {
        let _ = (index, updates, params);
        self.clone()
    }

    /// What `update` does to a leaf as a whole, so that what need not be touched is not.
    fn effect(&self) -> Effect {
        Effect::Changes
    }

    /// Transforms `updates` in place. `params` and each of the `SLOTS` slices of `slots` belong to the same
    /// elements of the same leaf and are as long.
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]);
}

/// What a kernel does to a leaf, as far as can be said without looking at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Leaves updates and state as they are.
    Nothing,
    /// Makes every update zero, whatever it was, and leaves the state as it is.
    Zeros,
    /// Anything else.
    Changes,
}

impl Effect {
    /// The effect of this and then another.
    pub fn then(self, next: Self) -> Self {
        match (self, next) {
            (effect, Effect::Nothing) => effect,
            (Effect::Nothing | Effect::Zeros, next) => next,
            (Effect::Changes, _) => Effect::Changes,
        }
    }
}

/// A kernel that may have run already.
impl<K: Kernel> Kernel for Option<K> {
    const SLOTS: usize = K::SLOTS;
    const BF16_SLOTS: u32 = K::BF16_SLOTS;

    fn prepare<E: Float>(&self, index: usize, updates: &[E], params: &[E]) -> Self {
        self.as_ref().map(|kernel| kernel.prepare(index, updates, params))
    }

    fn effect(&self) -> Effect {
        self.as_ref().map_or(Effect::Nothing, K::effect)
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        if let Some(kernel) = self {
            kernel.update(updates, params, slots);
        }
    }
}

/// The `BF16_SLOTS` of kernels in a row, from the `SLOTS` and `BF16_SLOTS` of each.
const fn side_by_side(mut kernels: &[(usize, u32)]) -> u32 {
    let (mut all, mut first) = (0, 0);
    while let [(slots, bf16_slots), rest @ ..] = kernels {
        all |= *bf16_slots << first;
        first += *slots;
        kernels = rest;
    }
    all
}

macro_rules! tuples {
    ($($($kernel:ident $index:tt)+;)+) => {$(
        /// The kernels of a chain: each has its share of the slots.
        impl<$($kernel: Kernel),+> Kernel for ($($kernel,)+) {
            const SLOTS: usize = 0 $(+ $kernel::SLOTS)+;
            const BF16_SLOTS: u32 = side_by_side(&[$(($kernel::SLOTS, $kernel::BF16_SLOTS)),+]);

            fn prepare<Elem: Float>(&self, index: usize, updates: &[Elem], params: &[Elem]) -> Self {
                ($(self.$index.prepare(index, updates, params),)+)
            }

            fn effect(&self) -> Effect {
                Effect::Nothing $(.then(self.$index.effect()))+
            }

            #[inline(always)]
            fn update<Elem: Float>(&self, updates: &mut [Elem], params: &[Elem], slots: &mut [&mut [Elem]]) {
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
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
}

#[cfg(test)]
mod tests {
    use super::Effect::{self, Changes, Nothing, Zeros};

    #[test]
    fn effects_of_a_chain() {
        let chain = |effects: &[Effect]| effects.iter().fold(Nothing, |all, &next| all.then(next));
        assert_eq!(chain(&[Nothing, Zeros, Nothing]), Zeros);
        assert_eq!(chain(&[Zeros, Zeros]), Zeros);
        assert_eq!(chain(&[Changes, Zeros]), Changes, "a state must be kept up");
        assert_eq!(chain(&[Zeros, Changes]), Changes);
        assert_eq!(chain(&[Nothing, Changes, Nothing]), Changes);
    }
}
