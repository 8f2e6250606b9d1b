//! A transform of some of the leaves only: what [`masked`](fn@super::masked) and
//! [`multi_transform`](fn@super::multi_transform) are made of.
//!
//! The transform sees trees in which the other leaves are masked: they have no elements, so its state has none for them and
//! a norm over the tree does not count them.

use super::GradientTransformation;
use super::kernel::{Effect, Kernel};
use super::labels::Labels;
use super::state::{Slots, State};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor, masked_leaves_allowed};
use crate::tree::{Path, Tree, Zip};
use serde::{Deserialize, Deserializer, Serialize};

/// The leaves with one label.
#[derive(Clone, Debug)]
pub struct Group {
    pub labels: Labels,
    pub label: u32,
}

impl Group {
    fn has(&self, index: usize) -> bool {
        self.labels.get(index) == Some(self.label)
    }

    /// The tree with the other leaves masked. It shares its leaves with the whole tree.
    fn only<P: Tree>(&self, tree: &P) -> P {
        struct Only<'a>(&'a Group, usize);
        impl Zip<0> for Only<'_> {
            fn leaf<S: Shape, E: Float>(
                &mut self,
                _: &Path,
                leaf: &mut Tensor<S, E>,
                []: [&mut Tensor<S, E>; 0],
            ) {
                if !self.0.has(self.1) {
                    *leaf = Tensor::masked(leaf.shape());
                }
                self.1 += 1;
            }
        }
        let mut own = tree.clone();
        own.zip([], &Path::ROOT, &mut Only(self, 0));
        own
    }

    /// Exchanges the leaves that are not of the group.
    fn exchange_others<P: Tree>(&self, tree: &mut P, other: &mut P) {
        struct Exchange<'a>(&'a Group, usize);
        impl Zip<1> for Exchange<'_> {
            fn leaf<S: Shape, E: Float>(
                &mut self,
                _: &Path,
                leaf: &mut Tensor<S, E>,
                [other]: [&mut Tensor<S, E>; 1],
            ) {
                if !self.0.has(self.1) {
                    std::mem::swap(leaf, other);
                }
                self.1 += 1;
            }
        }
        tree.zip([other], &Path::ROOT, &mut Exchange(self, 0));
    }

    pub fn init<T: GradientTransformation, P: Tree>(&self, tx: &T, params: &P) -> MaskedState<T::State<P>> {
        MaskedState { inner_state: tx.init(&self.only(params)), labels: self.labels.clone() }
    }

    pub fn begin<T: GradientTransformation, P: Tree>(
        &self,
        tx: &T,
        state: &mut MaskedState<T::State<P>>,
        updates: &mut P,
        params: &P,
    ) -> GroupKernel<T::Kernel> {
        let state = &mut state.inner_state;
        let kernel = if T::WHOLE_TREE {
            let mut others = Group { labels: Labels::default(), label: self.label }.only(updates);
            self.exchange_others(updates, &mut others);
            let kernel = tx.begin(state, updates, &self.only(params));
            self.exchange_others(updates, &mut others);
            kernel
        } else {
            tx.begin(state, updates, params)
        };
        GroupKernel { kernel, group: self.clone(), on: true }
    }
}

/// Optax's `MaskedState`. The trees in it hold nothing for the leaves that are left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MaskedState<S> {
    /// The state of the transform.
    pub inner_state: S,
    #[serde(skip)]
    pub(super) labels: Labels,
}

impl<'de, S: Deserialize<'de>> Deserialize<'de> for MaskedState<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "MaskedState")]
        struct Parts<S> {
            inner_state: S,
        }
        let Parts { inner_state } = masked_leaves_allowed(|| Parts::deserialize(deserializer))?;
        Ok(MaskedState { inner_state, labels: Labels::default() })
    }
}

impl<P: Tree, S: State<P>> State<P> for MaskedState<S> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        self.inner_state.slots(slots);
    }
}

/// The kernel of a transform, run on the leaves of a group.
#[derive(Clone, Debug)]
pub struct GroupKernel<K> {
    kernel: K,
    group: Group,
    /// Whether the leaf for which it was prepared is of the group.
    on: bool,
}

impl<K: Kernel> Kernel for GroupKernel<K> {
    const SLOTS: usize = K::SLOTS;
    const BF16_SLOTS: u32 = K::BF16_SLOTS;

    fn prepare<E: Float>(&self, index: usize, updates: &[E], params: &[E]) -> Self {
        let on = self.group.has(index);
        let kernel = if on { self.kernel.prepare(index, updates, params) } else { self.kernel.clone() };
        GroupKernel { kernel, group: self.group.clone(), on }
    }

    fn effect(&self) -> Effect {
        if self.on { self.kernel.effect() } else { Effect::Nothing }
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        if self.on {
            self.kernel.update(updates, params, slots);
        }
    }
}
