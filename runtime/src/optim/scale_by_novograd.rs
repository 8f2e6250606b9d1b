//! NovoGrad's rescaling: `optax.scale_by_novograd`.

use super::array::Array;
use super::per_leaf::{LeafValue, PerLeaf};
use super::state::{Slots, State};
use super::{GradientTransformation, Kernel};
use crate::backend::sum_of_squares;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit};
use serde::{Deserialize, Serialize};

/// With one number `nu` for each leaf: `nu = (1 - b2) ‖g‖² + b2 nu`, in the first step `‖g‖²`;
/// `mu = g / (sqrt(nu + eps_root) + eps) + weight_decay p + b1 mu`, `u = mu` ([Ginsburg et al.,
/// 2019](https://arxiv.org/abs/1905.11286)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByNovograd {
    /// How much of the momentum remains after a step.
    pub b1: f64,
    /// The decay of the mean of the squared norms.
    pub b2: f64,
    /// Added to the denominator, outside of the root.
    pub eps: f64,
    /// Added to the denominator, inside of the root.
    pub eps_root: f64,
    /// The share of a parameter that is added.
    pub weight_decay: f64,
}

/// NovoGrad's rescaling with Optax's defaults.
pub const fn scale_by_novograd() -> ScaleByNovograd {
    ScaleByNovograd { b1: 0.9, b2: 0.25, eps: 1e-8, eps_root: 0.0, weight_decay: 0.0 }
}

/// Optax's `ScaleByNovogradState`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScaleByNovogradState<P> {
    /// The number of steps taken.
    pub count: i32,
    /// The momentum.
    pub mu: P,
    /// The mean of the squared norms of each leaf's gradients.
    pub nu: PerLeaf<Array>,
}

impl<P: Tree> State<P> for ScaleByNovogradState<P> {
    fn slots<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(&mut self.mu);
    }
}

impl GradientTransformation for ScaleByNovograd {
    type State<P: Tree> = ScaleByNovogradState<P>;
    type Kernel = NovogradStep;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, params: &P) -> ScaleByNovogradState<P> {
        struct Scalar;
        impl LeafValue<Array> for Scalar {
            fn of<S: Shape, E: Float>(&mut self, _: &Tensor<S, E>) -> Array {
                Array::zeros::<E>(&[])
            }
        }
        ScaleByNovogradState { count: 0, mu: params.zeros_like(), nu: PerLeaf::of(params, Scalar) }
    }

    fn begin<P: Tree>(&self, state: &mut ScaleByNovogradState<P>, updates: &mut P, _: &P) -> NovogradStep {
        state.count = state.count.saturating_add(1);
        let b2 = if state.count == 1 { 0.0 } else { self.b2 };
        updates.visit(&Path::ROOT, &mut Norms { nu: &mut state.nu, b2, index: 0 });
        NovogradStep { novograd: *self, nu: state.nu.clone(), denominator: 1.0 }
    }
}

/// Updates the mean of the squared norms.
struct Norms<'a> {
    nu: &'a mut PerLeaf<Array>,
    b2: f64,
    index: usize,
}

impl Visit for Norms<'_> {
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
        if let Some([nu]) = self.nu.get_mut(self.index, path).map(|nu| nu.as_mut_slice::<E>()) {
            let [b2, new] = [self.b2, 1.0 - self.b2].map(E::from_f64);
            *nu = new * E::from_f64(sum_of_squares(leaf.as_slice())) + b2 * *nu;
        }
        self.index += 1;
    }
}

/// One step of NovoGrad.
#[derive(Clone, Debug)]
pub struct NovogradStep {
    novograd: ScaleByNovograd,
    nu: PerLeaf<Array>,
    /// Of the leaf for which it was prepared.
    denominator: f64,
}

impl Kernel for NovogradStep {
    const SLOTS: usize = 1;

    fn prepare<E: Float>(&self, index: usize, _: &[E], _: &[E]) -> Self {
        let nu = self.nu.get(index).map_or(0.0, Array::item);
        let denominator = (nu + self.novograd.eps_root).sqrt() + self.novograd.eps;
        NovogradStep { denominator, ..self.clone() }
    }

    #[inline(always)]
    fn update<E: Float>(&self, updates: &mut [E], params: &[E], slots: &mut [&mut [E]]) {
        let [mu] = slots else { return };
        let ScaleByNovograd { b1, weight_decay, .. } = self.novograd;
        let [b1, weight_decay, denominator] = [b1, weight_decay, self.denominator].map(E::from_f64);
        for ((update, &param), mu) in updates.iter_mut().zip(params).zip(mu.iter_mut()) {
            *mu = (b1 * *mu + (*update / denominator + weight_decay * param)).flushed();
            *update = *mu;
        }
    }
}
