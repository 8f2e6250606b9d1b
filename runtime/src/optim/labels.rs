//! A number for each leaf, computed once.

use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit};
use std::sync::Arc;

/// A number for each leaf of the parameters, such as the group that it belongs to.
///
/// They follow from the transform and the parameters, and so are no part of what a state is: all labels are equal, and
/// none are written to a file. Labels that were not computed yet, because the state was read, are computed when they
/// are asked for.
#[derive(Clone, Debug, Default)]
pub struct Labels(Option<Arc<[u32]>>);

impl PartialEq for Labels {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Labels {
    /// The labels that `label` gives to the paths.
    pub fn of<P: Tree>(tree: &P, label: impl FnMut(&Path) -> u32) -> Self {
        struct Collect<F>(Vec<u32>, F);
        impl<F: FnMut(&Path) -> u32> Visit for Collect<F> {
            fn leaf<S: Shape, E: Float>(&mut self, path: &Path, _: &Tensor<S, E>) {
                self.0.push((self.1)(path));
            }
        }
        let mut collect = Collect(Vec::new(), label);
        tree.visit(&Path::ROOT, &mut collect);
        Labels(Some(collect.0.into()))
    }

    /// The same labels, computed first if they were not yet. Nothing is allocated otherwise.
    pub fn or_of<P: Tree>(&mut self, tree: &P, label: impl FnMut(&Path) -> u32) -> Self {
        if self.0.is_none() {
            *self = Labels::of(tree, label);
        }
        self.clone()
    }

    /// The number of leaves; 0 if the labels were not computed yet.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |labels| labels.len())
    }

    /// The label of a leaf.
    pub fn get(&self, index: usize) -> Option<u32> {
        self.0.as_ref().and_then(|labels| labels.get(index).copied())
    }
}
