//! Adafactor's rescaling: `optax.scale_by_factored_rms`.

use super::GradientTransformation;
use super::array::Array;
use super::identity::Identity;
use super::per_leaf::{LeafValue, PerLeaf};
use super::state::{Slots, State};
use crate::shape::{Dyn, Shape};
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Zip};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Divides by the root of a decaying mean of squares, of which for large leaves only the means over their two largest
/// axes are kept ([Shazeer and Stern, 2018](https://arxiv.org/abs/1804.04235)).
///
/// With `d = 1 - (t + 1 - step_offset)^-decay_rate` in step `t` and `s = g² + epsilon`: where a leaf is not factored,
/// `v = d v + (1 - d) s` and `u = g / sqrt(v)`. Where it is, `v_row` and `v_col` follow the means of `s` over the largest and
/// over the second largest axis, and `v_row v_col / mean(v_row)` is in the place of `v`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByFactoredRms {
    /// Whether large leaves are factored.
    pub factored: bool,
    /// The exponent of the decay.
    pub decay_rate: f64,
    /// Taken off the number of steps.
    pub step_offset: i32,
    /// A leaf is factored where its two largest sizes are at least this.
    pub min_dim_size_to_factor: usize,
    /// Added to the squares.
    pub epsilon: f64,
}

/// Adafactor's rescaling with Optax's defaults.
pub const fn scale_by_factored_rms() -> ScaleByFactoredRms {
    ScaleByFactoredRms {
        factored: true,
        decay_rate: 0.8,
        step_offset: 0,
        min_dim_size_to_factor: 128,
        epsilon: 1e-30,
    }
}

/// Optax's `FactoredState`. What is not kept of a leaf is one zero, as there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FactoredState {
    /// The number of steps taken.
    pub count: i32,
    /// Means over the largest axis.
    pub v_row: PerLeaf<Array>,
    /// Means over the second largest axis.
    pub v_col: PerLeaf<Array>,
    /// Means of the leaves that are not factored.
    pub v: PerLeaf<Array>,
}

impl<P: Tree> State<P> for FactoredState {
    fn slots<'a>(&'a mut self, _: &mut Slots<'a, P>) {}
}

impl GradientTransformation for ScaleByFactoredRms {
    type State<P: Tree> = FactoredState;
    type Kernel = Identity;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, params: &P) -> FactoredState {
        struct Zeros<'a>(&'a ScaleByFactoredRms, fn(Option<Axes>, &[usize]) -> Vec<usize>);
        impl LeafValue<Array> for Zeros<'_> {
            fn of<S: Shape, E: Float>(&mut self, leaf: &Tensor<S, E>) -> Array {
                let sizes = leaf.sizes();
                let sizes = sizes.as_ref();
                Array::zeros::<E>(&(self.1)(self.0.axes(sizes), sizes))
            }
        }
        let zeros = |sizes| PerLeaf::of(params, Zeros(self, sizes));
        FactoredState {
            count: 0,
            v_row: zeros(|axes, sizes| axes.map_or(vec![1], |axes| without(sizes, axes.largest))),
            v_col: zeros(|axes, sizes| axes.map_or(vec![1], |axes| without(sizes, axes.second))),
            v: zeros(|axes, sizes| if axes.is_some() { vec![1] } else { sizes.to_vec() }),
        }
    }

    fn begin<P: Tree>(&self, state: &mut FactoredState, updates: &mut P, _: &P) -> Identity {
        let step = state.count.saturating_sub(self.step_offset).saturating_add(1);
        let decay = 1.0 - (step as f32).powf(-self.decay_rate as f32);
        updates.zip([], &Path::ROOT, &mut Step { tx: self, state, decay: decay.into(), index: 0 });
        state.count = state.count.saturating_add(1);
        Identity {}
    }
}

fn without(sizes: &[usize], axis: usize) -> Vec<usize> {
    let mut sizes = sizes.to_vec();
    sizes.remove(axis);
    sizes
}

/// The two largest axes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axes {
    largest: usize,
    second: usize,
}

impl ScaleByFactoredRms {
    /// The axes over which a leaf of these sizes is factored. Of equal sizes the last counts as the largest.
    fn axes(&self, sizes: &[usize]) -> Option<Axes> {
        let largest_but = |but: Option<usize>| {
            (0..sizes.len()).filter(|&axis| Some(axis) != but).max_by_key(|&axis| sizes[axis])
        };
        let largest = largest_but(None)?;
        let second = largest_but(Some(largest))?;
        (self.factored && sizes[second] >= self.min_dim_size_to_factor).then_some(Axes { largest, second })
    }
}

struct Step<'a> {
    tx: &'a ScaleByFactoredRms,
    state: &'a mut FactoredState,
    decay: f64,
    index: usize,
}

impl Zip<0> for Step<'_> {
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &mut Tensor<S, E>, []: [&mut Tensor<S, E>; 0]) {
        let sizes = leaf.sizes();
        let axes = self.tx.axes(sizes.as_ref());
        let FactoredState { v_row, v_col, v, .. } = &mut *self.state;
        let kept =
            (v_row.get_mut(self.index, path), v_col.get_mut(self.index, path), v.get_mut(self.index, path));
        self.index += 1;
        let (Some(v_row), Some(v_col), Some(v)) = kept else { return };
        let [decay, new, epsilon] = [self.decay, 1.0 - self.decay, self.tx.epsilon].map(E::from_f64);
        let updates = leaf.as_mut_slice();
        match axes {
            _ if updates.is_empty() => {}
            Some(axes) => {
                let view = View::new(sizes.as_ref(), axes);
                view.means(updates, epsilon, [decay, new], [v_row.as_mut_slice(), v_col.as_mut_slice()]);
                view.scale(updates, v_row.as_mut_slice(), v_col.as_mut_slice());
            }
            None => {
                for (update, v) in updates.iter_mut().zip(v.as_mut_slice::<E>()) {
                    *v = decay * *v + new * (*update * *update + epsilon);
                    *update /= v.sqrt();
                }
            }
        }
    }
}

/// A leaf as an array `[before, first, between, second, after]`, of which `first` and `second` are the two largest axes.
struct View {
    before: usize,
    first: usize,
    between: usize,
    second: usize,
    after: usize,
    /// Whether `second` is the largest axis, so that rows are what is left without it.
    rows_first: bool,
}

impl View {
    fn new(sizes: &[usize], Axes { largest, second }: Axes) -> Self {
        let (low, high) = (largest.min(second), largest.max(second));
        let product = |range: Range<usize>| sizes[range].iter().product();
        View {
            before: product(0..low),
            first: sizes[low],
            between: product(low + 1..high),
            second: sizes[high],
            after: product(high + 1..sizes.len()),
            rows_first: largest == high,
        }
    }

    /// Calls `visit` for each part of the leaf that is contiguous, `[second, after]`, with the range of the part, of its
    /// places in the array without `second`, and of those in that without `first`.
    fn parts(&self, mut visit: impl FnMut(Range<usize>, Range<usize>, Range<usize>)) {
        let View { first, between, second, after, .. } = *self;
        let range = |index: usize, len: usize| index * len..(index + 1) * len;
        for a in 0..self.before {
            for i in 0..first {
                for b in 0..between {
                    let part = (a * first + i) * between + b;
                    let without_first = range(a * between + b, second * after);
                    visit(range(part, second * after), range(part, after), without_first);
                }
            }
        }
    }

    /// `v_row` and `v_col` follow the means of the squares.
    fn means<E: Float>(
        &self,
        updates: &[E],
        epsilon: E,
        [decay, new]: [E; 2],
        [v_row, v_col]: [&mut [E]; 2],
    ) {
        v_row.iter_mut().chain(v_col.iter_mut()).for_each(|v| *v *= decay);
        let (no_second, no_first) = if self.rows_first { (v_row, v_col) } else { (v_col, v_row) };
        let share = |size: usize| new / E::from_f64(size as f64);
        let (of_second, of_first) = (share(self.second), share(self.first));
        self.parts(|part, without_second, without_first| {
            let (updates, no_second) = (&updates[part], &mut no_second[without_second]);
            let no_first = &mut no_first[without_first];
            let square = |update: E| update * update + epsilon;
            updates.iter().zip(no_first).for_each(|(&update, v)| *v += of_first * square(update));
            if let [v] = no_second {
                *v += of_second * updates.iter().copied().map(square).sum();
            } else {
                for run in updates.chunks(self.after) {
                    run.iter().zip(&mut *no_second).for_each(|(&update, v)| *v += of_second * square(update));
                }
            }
        });
    }

    /// `u = g / sqrt(v_row v_col / mean(v_row))`, where the mean is over the second largest axis.
    fn scale<E: Float>(&self, updates: &mut [E], v_row: &[E], v_col: &[E]) {
        let root = |v: &[E]| Tensor::from_fn((Dyn(v.len()),), |i| E::ONE / v[i].sqrt());
        let (mut row_factor, col_factor) = (root(v_row), root(v_col));
        let kept = if self.rows_first { self.first } else { self.second };
        // The axis of the mean is followed by so many elements in `v_row`.
        let stride = if self.rows_first { self.between * self.after } else { self.after };
        for (rows, factors) in
            v_row.chunks(kept * stride).zip(row_factor.as_mut_slice().chunks_mut(kept * stride))
        {
            for offset in 0..stride {
                let sum: E = rows.iter().skip(offset).step_by(stride).copied().sum();
                let root = (sum / E::from_f64(kept as f64)).sqrt();
                factors.iter_mut().skip(offset).step_by(stride).for_each(|factor| *factor *= root);
            }
        }
        let (row_factor, col_factor) = (row_factor.as_slice(), col_factor.as_slice());
        let factors = if self.rows_first { (row_factor, col_factor) } else { (col_factor, row_factor) };
        self.parts(|part, without_second, without_first| {
            let (updates, no_second) = (&mut updates[part], &factors.0[without_second]);
            let updates = updates.iter_mut().zip(&factors.1[without_first]);
            if let &[a] = no_second {
                updates.for_each(|(update, &b)| *update *= a * b);
            } else {
                updates.zip(no_second.iter().cycle()).for_each(|((update, &b), &a)| *update *= a * b);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn the_two_largest_axes() {
        let tx = ScaleByFactoredRms { min_dim_size_to_factor: 4, ..scale_by_factored_rms() };
        assert_eq!(tx.axes(&[3, 3, 8, 5]), Some(Axes { largest: 2, second: 3 }));
        assert_eq!(tx.axes(&[5, 2, 5]), Some(Axes { largest: 2, second: 0 }));
        assert_eq!([tx.axes(&[9, 3]), tx.axes(&[9]), tx.axes(&[])], [None; 3]);
    }

    /// The first step, whose decay is 0, from the definition.
    #[test]
    fn any_two_axes() {
        let grads =
            Tensor::<(U2, U5, U3, U4, U2), f64>::from_fn(Default::default(), |i| (i % 7) as f64 - 2.5);
        let tx = ScaleByFactoredRms { min_dim_size_to_factor: 4, ..scale_by_factored_rms() };
        let mut state = tx.init(&grads);
        let updates = tx.update(grads.clone(), &mut state, &grads);
        let at = |[a, i, b, j, c]: [usize; 5]| (((a * 5 + i) * 3 + b) * 4 + j) * 2 + c;
        let square = |index: [usize; 5]| grads.as_slice()[at(index)].powi(2);
        for [a, i, b, j, c] in [[0, 0, 0, 0, 0], [1, 4, 2, 3, 1], [1, 2, 0, 1, 1]] {
            let row = |j: usize| (0..5).map(|i| square([a, i, b, j, c])).sum::<f64>() / 5.0;
            let col = (0..4).map(|j| square([a, i, b, j, c])).sum::<f64>() / 4.0;
            let mean = (0..4).map(row).sum::<f64>() / 4.0;
            let expected = grads.as_slice()[at([a, i, b, j, c])] / (row(j) * col / mean).sqrt();
            assert!((updates.as_slice()[at([a, i, b, j, c])] - expected).abs() < 1e-12);
        }
        assert_eq!(state.v_row.get(0).unwrap().sizes(), [2, 3, 4, 2]);
        assert_eq!(state.v_col.get(0).unwrap().sizes(), [2, 5, 3, 2]);
        assert_eq!(state.v.get(0).unwrap().sizes(), [1]);
    }
}
