//! Noise that fades: `optax.add_noise`.

use super::GradientTransformation;
use super::identity::Identity;
use super::labels::Labels;
use super::state::{Slots, State};
use crate::rng::{Key, Layout};
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit, Zip};
use serde::{Deserialize, Serialize};

/// `u = g + sqrt(eta / t^gamma) n` in step `t`, with normal `n` ([Neelakantan et al.,
/// 2015](https://arxiv.org/abs/1511.06807)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddNoise {
    /// The variance of the noise of the first step.
    pub eta: f64,
    /// The exponent by which it fades.
    pub gamma: f64,
    key: [u32; 2],
    layout: Layout,
}

/// Adds normal noise, Optax's for the same key.
pub const fn add_noise(eta: f64, gamma: f64, key: Key) -> AddNoise {
    AddNoise { eta, gamma, key: key.words(), layout: key.layout() }
}

/// Optax's `AddNoiseState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddNoiseState {
    /// The number of steps taken.
    pub count: i32,
    /// The words of the key for the next steps.
    pub rng_key: [u32; 2],
    /// The place of each leaf in the order of JAX, which sorts the names of a `dict`.
    #[serde(skip)]
    places: Labels,
}

impl<P: Tree> State<P> for AddNoiseState {
    fn slots<'a>(&'a mut self, _: &mut Slots<'a, P>) {}
}

/// The names of the leaves, without those that are masked.
#[derive(Default)]
struct Names(Vec<String>);

impl Visit for Names {
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
        if !leaf.is_masked() {
            self.0.push(path.to_string());
        }
    }
}

/// The places of the leaves when they are sorted by their names. One that is masked has none, and gets any.
fn places<P: Tree>(tree: &P) -> Labels {
    let mut names = Names::default();
    tree.visit(&Path::ROOT, &mut names);
    names.0.sort_by(|a, b| a.split('/').cmp(b.split('/')));
    Labels::of(tree, |path| names.0.iter().position(|name| path.is(name)).unwrap_or_default() as u32)
}

/// The number of leaves that are not masked.
fn leaves<P: Tree>(tree: &P) -> usize {
    struct Count(usize);
    impl Visit for Count {
        fn leaf<S: Shape, E: Float>(&mut self, _: &Path, leaf: &Tensor<S, E>) {
            self.0 += usize::from(!leaf.is_masked());
        }
    }
    let mut count = Count(0);
    tree.visit(&Path::ROOT, &mut count);
    count.0
}

impl GradientTransformation for AddNoise {
    type State<P: Tree> = AddNoiseState;
    type Kernel = Identity;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, params: &P) -> AddNoiseState {
        AddNoiseState { count: 0, rng_key: self.key, places: places(params) }
    }

    fn begin<P: Tree>(&self, state: &mut AddNoiseState, updates: &mut P, params: &P) -> Identity {
        state.count = state.count.saturating_add(1);
        if state.places.len() == 0 {
            state.places = places(params);
        }
        let (next, sample) = Key::from_words(state.rng_key, self.layout).split();
        state.rng_key = next.words();
        let deviation = (self.eta as f32 / (state.count as f32).powf(self.gamma as f32)).sqrt();
        let leaves = leaves(updates);
        let mut add = Add { key: sample, deviation, places: &state.places, leaves, index: 0 };
        updates.zip([], &Path::ROOT, &mut add);
        Identity {}
    }
}

struct Add<'a> {
    key: Key,
    deviation: f32,
    places: &'a Labels,
    leaves: usize,
    index: usize,
}

impl Zip<0> for Add<'_> {
    fn leaf<S: Shape, E: Float>(&mut self, _: &Path, leaf: &mut Tensor<S, E>, []: [&mut Tensor<S, E>; 0]) {
        let place = self.places.get(self.index);
        self.index += 1;
        if let Some(place) = place.filter(|_| !leaf.is_masked()) {
            let noise = self.key.part(place as usize, self.leaves).normal::<S, E>(leaf.shape());
            let deviation = E::from_f64(self.deviation.into());
            let pairs = leaf.as_mut_slice().iter_mut().zip(noise.as_slice());
            pairs.for_each(|(update, &noise)| *update += deviation * noise);
        }
    }
}
