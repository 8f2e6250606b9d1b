//! SM3's rescaling: `optax.scale_by_sm3`.

use super::GradientTransformation;
use super::array::Array;
use super::identity::Identity;
use super::per_leaf::{LeafValue, PerLeaf};
use super::state::{Slots, State};
use crate::shape::{Dyn, MAX_RANK, Shape};
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Zip};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// For a leaf of `n` axes there are `n` vectors `mu`, one an axis. An element's sum is `s = g² + b2 minᵢ muᵢ` (where
/// `b2 < 1`, with `(1 - b2) g²`), the new `muᵢ` are the largest sums along the other axes, and
/// `nu = (1 - b1) g / sqrt(s + eps) + b1 nu`, `u = nu` ([Anil et al., 2019](https://arxiv.org/abs/1901.11150)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleBySm3 {
    /// The momentum.
    pub b1: f64,
    /// The decay of the sums.
    pub b2: f64,
    /// Added inside of the root.
    pub eps: f64,
}

/// SM3's rescaling with Optax's defaults.
pub const fn scale_by_sm3() -> ScaleBySm3 {
    ScaleBySm3 { b1: 0.9, b2: 1.0, eps: 1e-8 }
}

/// Optax's `ScaleBySM3State`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleBySm3State<P> {
    /// A vector for each axis of each leaf.
    pub mu: PerLeaf<Vectors>,
    /// The momentum.
    pub nu: P,
}

/// A vector for each axis of a leaf, written as a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Vectors(pub Vec<Array>);

impl<'de> Deserialize<'de> for Vectors {
    /// A list is a map in a state dict, with the keys `0`, `1`, ….
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            List(Vec<Array>),
            Map(BTreeMap<String, Array>),
        }
        Ok(Vectors(match Written::deserialize(deserializer)? {
            Written::List(arrays) => arrays,
            Written::Map(arrays) => arrays.into_values().collect(),
        }))
    }
}

impl<P: Tree> State<P> for ScaleBySm3State<P> {
    /// The kernel needs none: all is done before it.
    fn slots<'a>(&'a mut self, _: &mut Slots<'a, P>) {}
}

impl GradientTransformation for ScaleBySm3 {
    type State<P: Tree> = ScaleBySm3State<P>;
    type Kernel = Identity;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, params: &P) -> ScaleBySm3State<P> {
        struct Zeros;
        impl LeafValue<Vectors> for Zeros {
            fn of<S: Shape, E: Float>(&mut self, leaf: &Tensor<S, E>) -> Vectors {
                Vectors(leaf.sizes().as_ref().iter().map(|&size| Array::zeros::<E>(&[size])).collect())
            }
        }
        ScaleBySm3State { mu: PerLeaf::of(params, Zeros), nu: params.zeros_like() }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleBySm3State<P>, updates: &mut P, _: &P) -> Identity {
        updates.zip([&mut state.nu], &Path::ROOT, &mut Step { tx: self, mu: &mut state.mu, index: 0 });
        Identity {}
    }
}

struct Step<'a> {
    tx: &'a ScaleBySm3,
    mu: &'a mut PerLeaf<Vectors>,
    index: usize,
}

impl Zip<1> for Step<'_> {
    fn leaf<S: Shape, E: Float>(
        &mut self,
        path: &Path,
        leaf: &mut Tensor<S, E>,
        [nu]: [&mut Tensor<S, E>; 1],
    ) {
        let mu = self.mu.get_mut(self.index, path);
        self.index += 1;
        let (Some(mu), sizes) = (mu, leaf.sizes()) else { return };
        let (updates, nu) = (leaf.as_mut_slice(), nu.as_mut_slice());
        match (mu.0.as_mut_slice(), sizes.as_ref()) {
            // A scalar has no axis, and so no memory of its past.
            ([], _) => self.tx.row(updates, nu, &mut [E::ZERO], -E::NEG_INFINITY),
            ([mu], _) => self.tx.row(updates, nu, mu.as_mut_slice(), -E::NEG_INFINITY),
            (mu, sizes) => self.tx.rows(updates, nu, mu, sizes),
        }
    }
}

impl ScaleBySm3 {
    /// The last axis. `sums` enters as the vector of this axis and leaves as the sums of the elements; `others` is the least
    /// of the other axes.
    fn row<E: Float>(&self, updates: &mut [E], nu: &mut [E], sums: &mut [E], others: E) {
        let new2 = if self.b2 == 1.0 { 1.0 } else { 1.0 - self.b2 };
        let [b1, new1, b2, new2, eps] = [self.b1, 1.0 - self.b1, self.b2, new2, self.eps].map(E::from_f64);
        for ((update, nu), sum) in updates.iter_mut().zip(nu).zip(sums) {
            let least = if others < *sum { others } else { *sum };
            *sum = new2 * (*update * *update) + b2 * least;
            let scaled = if *sum > E::ZERO { *update / (*sum + eps).sqrt() } else { E::ZERO };
            *nu = (new1 * scaled + b1 * *nu).flushed();
            *update = *nu;
        }
    }

    /// All rows of a leaf of two and more axes.
    fn rows<E: Float>(&self, updates: &mut [E], nu: &mut [E], mu: &mut [Array], sizes: &[usize]) {
        let (Some((mu_last, mu)), Some((&last, sizes))) = (mu.split_last_mut(), sizes.split_last()) else {
            return;
        };
        let mu_last = mu_last.as_mut_slice::<E>();
        let mut sums = Tensor::<(Dyn,), E>::zeros((Dyn(last),));
        let sums = sums.as_mut_slice();
        let mut largest = Tensor::<(Dyn,), E>::zeros((Dyn(last),));
        let largest = largest.as_mut_slice();
        // The new vectors of the other axes, one after the other.
        let mut news = Tensor::<(Dyn,), E>::zeros((Dyn(sizes.iter().sum()),));
        let news = news.as_mut_slice();
        for (row, (updates, nu)) in
            updates.chunks_mut(last.max(1)).zip(nu.chunks_mut(last.max(1))).enumerate()
        {
            let index = indices(row, sizes);
            let least = mu.iter_mut().zip(index).map(|(mu, index)| mu.as_mut_slice::<E>()[index]);
            let least = least.fold(-E::NEG_INFINITY, |least, mu| if mu < least { mu } else { least });
            sums.copy_from_slice(mu_last);
            self.row(updates, nu, sums, least);
            largest.iter_mut().zip(&*sums).for_each(|(largest, &sum)| grow(largest, sum));
            let mut first = 0;
            for (&size, index) in sizes.iter().zip(index) {
                sums.iter().for_each(|&sum| grow(&mut news[first + index], sum));
                first += size;
            }
        }
        mu_last.copy_from_slice(largest);
        let mut news = &*news;
        for mu in mu {
            let mu = mu.as_mut_slice::<E>();
            let (new, rest) = news.split_at(mu.len());
            mu.copy_from_slice(new);
            news = rest;
        }
    }
}

/// A NaN stays.
fn grow<E: Float>(largest: &mut E, sum: E) {
    if *largest >= sum {
        return;
    }
    *largest = sum;
}

/// The index on each axis of the row-major index `row`.
fn indices(mut row: usize, sizes: &[usize]) -> [usize; MAX_RANK] {
    let mut indices = [0; MAX_RANK];
    for (index, &size) in indices.iter_mut().zip(sizes).rev() {
        *index = row % size;
        row /= size;
    }
    indices
}
