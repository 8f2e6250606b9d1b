//! What `init` returns: a module's variables, by collection.

use crate::__private::LeafShape;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit};
use std::fmt;

/// The variables of a module.
#[derive(Clone, PartialEq)]
pub struct Variables<P, S = ()> {
    /// The parameters, which training changes.
    pub params: P,
    /// All other collections, which calls change.
    pub state: S,
}

/// Prints shapes by collection and module, as Flax's `tree_map(jnp.shape, variables)`.
impl<P: fmt::Debug, S: Tree> fmt::Debug for Variables<P, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shapes = Shapes::default();
        self.state.visit(&Path::ROOT, &mut shapes);
        let mut map = formatter.debug_map();
        map.entry(&format_args!("params"), &self.params);
        for (name, collection) in &shapes.0 {
            map.entry(&format_args!("{name}"), collection);
        }
        map.finish()
    }
}

/// Collections by name, in the order in which they are met.
#[derive(Default)]
struct Shapes(Vec<(&'static str, Node)>);

/// A module, or the shape of a variable.
enum Node {
    Module(Vec<(String, Node)>),
    Leaf(String),
}

impl Visit for Shapes {
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
        let Some(collection) = path.collection() else { return };
        let known = self.0.iter().position(|(name, _)| *name == collection);
        let index = known.unwrap_or_else(|| {
            self.0.push((collection, Node::Module(Vec::new())));
            self.0.len() - 1
        });
        let shape = format!("{:?}", LeafShape(leaf));
        if let Some(Node::Module(parts)) = self.0[index].1.module(path.parent()) {
            parts.push((path.name().into_owned(), Node::Leaf(shape)));
        }
    }
}

impl Node {
    /// The module at a path, made if there is none yet.
    fn module(&mut self, path: Option<&Path>) -> Option<&mut Node> {
        let Some(parent) = path.and_then(Path::parent) else { return Some(self) };
        let name = path?.name();
        let Some(Node::Module(parts)) = self.module(Some(parent)) else { return None };
        let known = parts.iter().position(|(part, _)| *part == *name);
        let index = known.unwrap_or_else(|| {
            parts.push((name.into_owned(), Node::Module(Vec::new())));
            parts.len() - 1
        });
        parts.get_mut(index).map(|(_, node)| node)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Leaf(shape) => formatter.write_str(shape),
            Node::Module(parts) => {
                let parts = parts.iter().map(|(name, node)| (Raw(name), node));
                formatter.debug_map().entries(parts).finish()
            }
        }
    }
}

/// A name without quotes.
struct Raw<'a>(&'a str);

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// What `apply` takes: a reference to the [`Variables`] of a module whose parameters are `P` and whose state is `S`, the two as a
/// pair of references, or just the parameters of a module without state.
#[diagnostic::on_unimplemented(
    message = "these are not the variables of this model: `{Self}`",
    label = "this model's parameters are `{P}`, and its other collections are `{S}`"
)]
pub trait Collections<'a, P: 'a, S> {
    /// The `params` collection, and a copy of the others, which shares their memory until it is written.
    fn split(self) -> (&'a P, S);
}

impl<'a, P, S: Clone> Collections<'a, P, S> for &'a Variables<P, S> {
    fn split(self) -> (&'a P, S) {
        (&self.params, self.state.clone())
    }
}

impl<'a, P, S: Clone> Collections<'a, P, S> for (&'a P, &S) {
    fn split(self) -> (&'a P, S) {
        (self.0, self.1.clone())
    }
}

impl<'a, P, S: Clone> Collections<'a, P, S> for &(&'a P, &S) {
    fn split(self) -> (&'a P, S) {
        (self.0, self.1.clone())
    }
}

impl<'a, P, S: Stateless> Collections<'a, P, S> for &'a P {
    fn split(self) -> (&'a P, S) {
        (self, S::stateless())
    }
}

/// The state of a module that has none, nor has any module inside of it.
///
/// `Call` means nothing: with it a bound is one that rustc checks where it is asked for, and not before.
#[diagnostic::on_unimplemented(
    message = "this model has variables in the collection `{Self}` besides its parameters",
    label = "pass all variables of the model, or `(&params, &state)`"
)]
pub trait Stateless<Call = ()> {
    /// The state.
    fn stateless() -> Self;
}

impl<Call> Stateless<Call> for () {
    fn stateless() {}
}
