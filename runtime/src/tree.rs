//! A tree of tensors: parameters, gradients, the state of an optimiser.
//!
//! A tree is a struct whose fields are trees; its leaves are tensors of any shape. Walking it allocates nothing.

use crate::module::Collection;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::fmt;

/// Where a leaf is: the names from the root.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: &'a str,
    index: Option<usize>,
    collection: Option<&'static str>,
}

impl<'a> Path<'a> {
    /// The path of the tree itself, which prints as nothing.
    pub const ROOT: Path<'static> = Path { parent: None, name: "", index: None, collection: None };

    /// The path of a part called `name`.
    pub const fn child(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), name, index: None, collection: None }
    }

    /// The path of one of several parts that share this name: `layers_0`.
    pub const fn one_of(&self, index: usize) -> Path<'a> {
        Path { index: Some(index), ..*self }
    }

    /// The path of a part that is called by its number: `0`.
    pub const fn number(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), name: "", index: Some(index), collection: None }
    }

    /// The path of a variable called `name` in a collection other than `params`.
    pub const fn variable<C: Collection>(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), name, index: None, collection: Some(C::NAME) }
    }

    /// The last name.
    pub fn name(&self) -> Cow<'a, str> {
        match self.index {
            None => Cow::Borrowed(self.name),
            Some(index) if self.name.is_empty() => Cow::Owned(index.to_string()),
            Some(index) => Cow::Owned(format!("{}_{index}", self.name)),
        }
    }

    /// The collection that a variable of a module's state belongs to; `None` for a parameter.
    pub const fn collection(&self) -> Option<&'static str> {
        self.collection
    }

    /// The path of what this is a part of; `None` at the root.
    pub const fn parent(&self) -> Option<&'a Path<'a>> {
        self.parent
    }

    /// Whether one of the names, such as that of a layer, is `name`.
    pub fn contains(&self, name: &str) -> bool {
        self.parent.is_some_and(|parent| self.without_name(name) == Some("") || parent.contains(name))
    }

    /// Whether this prints as `text`.
    pub fn is(&self, text: &str) -> bool {
        let Some(parent) = self.parent else { return text.is_empty() };
        let rest = self.without_name(text);
        match parent.parent {
            None => rest == Some(""),
            Some(_) => rest.and_then(|rest| rest.strip_suffix('/')).is_some_and(|rest| parent.is(rest)),
        }
    }

    /// What comes before the last name in a text that ends with it.
    fn without_name<'t>(&self, text: &'t str) -> Option<&'t str> {
        let Some(index) = self.index else { return text.strip_suffix(self.name) };
        let rest = text.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let digits = &text[rest.len()..];
        let same = digits.parse() == Ok(index) && (digits == "0" || !digits.starts_with('0'));
        let rest =
            if self.name.is_empty() { Some(rest) } else { rest.strip_suffix('_')?.strip_suffix(self.name) };
        rest.filter(|_| same)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            if parent.parent.is_some() {
                write!(formatter, "{parent}/")?;
            }
            formatter.write_str(self.name)?;
            match self.index {
                Some(index) if self.name.is_empty() => write!(formatter, "{index}")?,
                Some(index) => write!(formatter, "_{index}")?,
                None => {}
            }
        }
        Ok(())
    }
}

/// Something done to every leaf, read only.
pub trait Visit {
    /// Called for every leaf in order.
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>);
}

/// Something done to every leaf of one tree and the same leaf of `N` others of the same type.
pub trait Zip<const N: usize> {
    /// Called for every leaf in order; `others` are the leaves of the other trees.
    fn leaf<S: Shape, E: Float>(
        &mut self,
        path: &Path,
        leaf: &mut Tensor<S, E>,
        others: [&mut Tensor<S, E>; N],
    );
}

/// A tree of tensors. `#[module]` implements it for the parameters of a module.
pub trait Tree:
    Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + Sized + 'static
{
    /// Visits every leaf in order.
    fn visit(&self, path: &Path, visitor: &mut impl Visit);

    /// Visits every leaf in order, together with the same leaf of `N` other trees.
    fn zip<const N: usize>(&mut self, others: [&mut Self; N], path: &Path, zip: &mut impl Zip<N>);

    /// The leaves with their paths, in order.
    fn leaves(&self) -> Vec<Leaf> {
        struct Collect(Vec<Leaf>);
        impl Visit for Collect {
            fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
                self.0.push(Leaf {
                    path: path.to_string(),
                    sizes: leaf.sizes().as_ref().to_vec(),
                    element: E::NAME,
                });
            }
        }
        let mut collect = Collect(Vec::new());
        self.visit(&Path::ROOT, &mut collect);
        collect.0
    }

    /// The number of elements of all leaves.
    fn elements(&self) -> usize {
        struct Count(usize);
        impl Visit for Count {
            fn leaf<S: Shape, E: Float>(&mut self, _: &Path, leaf: &Tensor<S, E>) {
                self.0 += leaf.as_slice().len();
            }
        }
        let mut count = Count(0);
        self.visit(&Path::ROOT, &mut count);
        count.0
    }

    /// A tree of zeros with the shapes of this one.
    fn zeros_like(&self) -> Self {
        self.full_like(0.0)
    }

    /// A tree of one value with the shapes of this one. What is masked stays masked.
    fn full_like(&self, value: f64) -> Self {
        struct Full(f64);
        impl Zip<0> for Full {
            fn leaf<S: Shape, E: Float>(
                &mut self,
                _: &Path,
                leaf: &mut Tensor<S, E>,
                []: [&mut Tensor<S, E>; 0],
            ) {
                if !leaf.is_masked() {
                    *leaf = Tensor::full(leaf.shape(), E::from_f64(self.0));
                }
            }
        }
        let mut full = self.clone();
        full.zip([], &Path::ROOT, &mut Full(value));
        full
    }

    /// A tree whose every leaf `map` may have changed, knowing its path: `jax.tree_util.tree_map_with_path`, and
    /// `flax.traverse_util.path_aware_map`.
    ///
    /// ```
    /// use flaxen::nn::DenseParams;
    /// use flaxen::prelude::*;
    ///
    /// let params = DenseParams::<U2, U1> { kernel: Tensor::of(&[1.0, 2.0])?, bias: Tensor::of(&[3.0])? };
    /// let mapped = params.map_with_path(|path, leaf| match &*path.name() {
    ///     "bias" => leaf.fill(0.0),
    ///     _ => leaf.map(&mut |x| 2.0 * x),
    /// });
    /// assert_eq!((mapped.kernel.as_slice(), mapped.bias.as_slice()), (&[2.0, 4.0][..], &[0.0][..]));
    /// # Ok::<(), flaxen::Error>(())
    /// ```
    fn map_with_path(&self, map: impl FnMut(&Path, &mut dyn LeafMut)) -> Self {
        struct Map<F>(F);
        impl<F: FnMut(&Path, &mut dyn LeafMut)> Zip<0> for Map<F> {
            fn leaf<S: Shape, E: Float>(
                &mut self,
                path: &Path,
                leaf: &mut Tensor<S, E>,
                []: [&mut Tensor<S, E>; 0],
            ) {
                self.0(path, leaf);
            }
        }
        let mut mapped = self.clone();
        mapped.zip([], &Path::ROOT, &mut Map(map));
        mapped
    }

    /// Adds another tree, leaf by leaf.
    fn accumulate(&mut self, mut other: Self) {
        struct Add;
        impl Zip<1> for Add {
            fn leaf<S: Shape, E: Float>(
                &mut self,
                _: &Path,
                sum: &mut Tensor<S, E>,
                [term]: [&mut Tensor<S, E>; 1],
            ) {
                let sum = sum.as_mut_slice().iter_mut();
                sum.zip(term.as_slice()).for_each(|(sum, &term)| *sum += term);
            }
        }
        self.zip([&mut other], &Path::ROOT, &mut Add);
    }
}

/// One leaf of a tree, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The names from the root, joined with `/`.
    pub path: String,
    /// The sizes of the tensor.
    pub sizes: Vec<usize>,
    /// The name of the element type.
    pub element: &'static str,
}

/// A leaf of any shape and element type.
pub trait LeafMut {
    /// The sizes of the tensor.
    fn sizes(&self) -> Vec<usize>;

    /// Makes every element the same.
    fn fill(&mut self, value: f64);

    /// Replaces every element by what `map` makes of it, rounded to the element type.
    fn map(&mut self, map: &mut dyn FnMut(f64) -> f64);
}

impl<S: Shape, E: Float> LeafMut for Tensor<S, E> {
    fn sizes(&self) -> Vec<usize> {
        self.shape().sizes().as_ref().to_vec()
    }

    fn fill(&mut self, value: f64) {
        *self = Tensor::full(self.shape(), E::from_f64(value));
    }

    fn map(&mut self, map: &mut dyn FnMut(f64) -> f64) {
        self.as_mut_slice().iter_mut().for_each(|element| *element = E::from_f64(map(element.to_f64())));
    }
}

impl<S: Shape, E: Float> Tree for Tensor<S, E> {
    fn visit(&self, path: &Path, visitor: &mut impl Visit) {
        visitor.leaf(path, self);
    }

    fn zip<const N: usize>(&mut self, others: [&mut Self; N], path: &Path, zip: &mut impl Zip<N>) {
        zip.leaf(path, self, others);
    }
}

impl<T: Tree, const N: usize> Tree for [T; N]
where
    [T; N]: Serialize + DeserializeOwned,
{
    fn visit(&self, path: &Path, visitor: &mut impl Visit) {
        for (index, tree) in self.iter().enumerate() {
            tree.visit(&path.one_of(index), visitor);
        }
    }

    fn zip<const M: usize>(&mut self, mut others: [&mut Self; M], path: &Path, zip: &mut impl Zip<M>) {
        for (index, tree) in self.iter_mut().enumerate() {
            tree.zip(others.each_mut().map(|trees| &mut trees[index]), &path.one_of(index), zip);
        }
    }
}

/// The methods of a [`Tree`] whose branches are its fields, from the function that makes their paths and their names.
macro_rules! branches {
    ($child:path: $($part:tt)*) => {
        #[allow(unused_variables)]
        fn visit(&self, path: &$crate::tree::Path, visitor: &mut impl $crate::tree::Visit) {
            $(self.$part.visit(&$child(path, stringify!($part)), visitor);)*
        }

        #[allow(unused_variables, unused_mut)]
        fn zip<const N: usize>(
            &mut self,
            mut others: [&mut Self; N],
            path: &$crate::tree::Path,
            zip: &mut impl $crate::tree::Zip<N>,
        ) {
            $(
                let parts = others.each_mut().map(|tree| &mut tree.$part);
                self.$part.zip(parts, &$child(path, stringify!($part)), zip);
            )*
        }
    };
}
pub(crate) use branches;

macro_rules! tuples {
    ($($($tree:ident $index:tt)*;)+) => {$(
        impl<$($tree: Tree),*> Tree for ($($tree,)*) {
            branches!(Path::child: $($index)*);
        }
    )+};
}

tuples! {
    ;
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 F 4;
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn paths_are_compared_without_being_printed() {
        let layers = Path::ROOT.child("layers");
        let (second, number) = (layers.one_of(12), Path::ROOT.number(3));
        let (kernel, bias) = (second.child("kernel"), number.child("bias"));
        assert!(
            [(&kernel, "layers_12/kernel"), (&bias, "3/bias"), (&number, "3"), (&Path::ROOT, "")]
                .iter()
                .all(|(path, text)| path.is(text) && path.to_string() == *text)
        );
        let others =
            ["layers_1/kernel", "layers_012/kernel", "layers12/kernel", "kernel", "x/layers_12/kernel", ""];
        assert!(others.iter().all(|text| !kernel.is(text)));
        assert!(kernel.contains("layers_12") && kernel.contains("kernel") && bias.contains("3"));
        assert!(!kernel.contains("layers") && !kernel.contains("12") && !kernel.contains(""));
    }
}
