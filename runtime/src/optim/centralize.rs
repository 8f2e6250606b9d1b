//! Gradient centralisation: `optax.centralize`.

use super::identity::Identity;
use super::{EmptyState, GradientTransformation};
use crate::backend::map::rows;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Zip};
use serde::{Deserialize, Serialize};

/// `u = g - mean(g)` for each index of the first axis, in leaves of two and more dimensions ([Yong et al.,
/// 2020](https://arxiv.org/abs/2004.01461)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Centralize {}

/// Subtracts from the updates their mean over all axes but the first.
pub const fn centralize() -> Centralize {
    Centralize {}
}

impl GradientTransformation for Centralize {
    type State<P: Tree> = EmptyState;
    type Kernel = Identity;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, _: &P) -> EmptyState {
        EmptyState {}
    }

    fn begin<P: Tree>(&self, _: &mut EmptyState, updates: &mut P, _: &P) -> Identity {
        updates.zip([], &Path::ROOT, &mut Rows);
        Identity {}
    }
}

struct Rows;

impl Zip<0> for Rows {
    fn leaf<S: Shape, E: Float>(&mut self, _: &Path, leaf: &mut Tensor<S, E>, []: [&mut Tensor<S, E>; 0]) {
        let sizes = leaf.sizes();
        let [count, .., _] = *sizes.as_ref() else { return };
        let elements = leaf.as_mut_slice();
        if elements.is_empty() {
            return;
        }
        rows(elements, elements.len() / count, |_, row| {
            let mean = row.iter().map(|x| x.to_f64()).sum::<f64>() / row.len() as f64;
            row.iter_mut().for_each(|x| *x -= E::from_f64(mean));
        });
    }
}
