//! All leaves as one: `optax.flatten`.

use super::GradientTransformation;
use super::array::{Array, Elements};
use super::identity::Identity;
use super::state::{Slots, State};
use crate::shape::{Dyn, Shape};
use crate::tensor::{Float, Tensor};
use crate::tree::{Path, Tree, Visit, Zip};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// A transform of one vector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flatten<T> {
    /// The transform.
    pub inner: T,
}

/// Applies a transform to one vector of all leaves, so that what it does by leaves it does to all of them together.
///
/// Its state is one vector, too. For transforms that work element by element nothing else changes, and here, unlike in Optax,
/// nothing is gained: they go over all leaves in one pass as it is.
pub const fn flatten<T>(inner: T) -> Flatten<T> {
    Flatten { inner }
}

/// The state of the transform, written as that of the inner one. The sizes of its trees follow from the parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "flaxen::OfParameters")]
pub struct FlattenState<S>(pub S);

impl<P: Tree, S: State<Flat>> State<P> for FlattenState<S> {
    /// Its trees are not of the parameters' type.
    fn slots<'a>(&'a mut self, _: &mut Slots<'a, P>) {}
}

impl<T: GradientTransformation> GradientTransformation for Flatten<T> {
    type State<P: Tree> = FlattenState<T::State<Flat>>;
    type Kernel = Identity;
    const WHOLE_TREE: bool = true;

    fn init<P: Tree>(&self, params: &P) -> FlattenState<T::State<Flat>> {
        FlattenState(self.inner.init(&Flat::of(params)))
    }

    fn begin<P: Tree>(
        &self,
        state: &mut FlattenState<T::State<Flat>>,
        updates: &mut P,
        params: &P,
    ) -> Identity {
        let flat = self.inner.update(Flat::of(updates), &mut state.0, &Flat::of(params));
        flat.write_to(updates);
        Identity {}
    }
}

/// The elements of all leaves in order, as `f64` if one of the leaves is.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Flat {
    /// All leaves are `f32`.
    Single(Tensor<(Dyn,), f32>),
    /// One is not.
    Double(Tensor<(Dyn,), f64>),
}

impl<'de> Deserialize<'de> for Flat {
    /// A text does not say the element: it is `f64`, which holds every `f32`, until it is used beside the parameters.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let array = Array::deserialize(deserializer)?;
        let &[size] = array.sizes() else {
            return Err(Error::custom(format_args!(
                "sizes {:?} in place of those of a vector",
                array.sizes()
            )));
        };
        let shape = (Dyn(size),);
        match array.into_elements() {
            Elements::Single(elements) => Tensor::from_slice(shape, &elements).map(Flat::Single),
            Elements::Double(elements) => Tensor::from_slice(shape, &elements).map(Flat::Double),
        }
        .map_err(Error::custom)
    }
}

impl Flat {
    fn of<P: Tree>(tree: &P) -> Self {
        struct Size(usize, bool);
        impl Visit for Size {
            fn leaf<S: Shape, E: Float>(&mut self, _: &Path, leaf: &Tensor<S, E>) {
                self.0 += leaf.as_slice().len();
                self.1 |= size_of::<E>() == size_of::<f64>();
            }
        }
        let mut size = Size(0, false);
        tree.visit(&Path::ROOT, &mut size);
        let shape = (Dyn(size.0),);
        match size.1 {
            false => {
                Flat::Single(Tensor::written(shape, |place| tree.visit(&Path::ROOT, &mut Gather(place))))
            }
            true => Flat::Double(Tensor::written(shape, |place| tree.visit(&Path::ROOT, &mut Gather(place)))),
        }
    }

    fn write_to<P: Tree>(&self, tree: &mut P) {
        match self {
            Flat::Single(flat) => tree.zip([], &Path::ROOT, &mut Scatter(flat.as_slice())),
            Flat::Double(flat) => tree.zip([], &Path::ROOT, &mut Scatter(flat.as_slice())),
        }
    }

    /// As `f32`, which a vector of `f64` becomes: one that was read does not know better.
    fn single(&mut self) -> &mut Tensor<(Dyn,), f32> {
        if let Flat::Double(tensor) = self {
            *self = Flat::Single(Tensor::from_fn(tensor.shape(), |i| tensor.as_slice()[i] as f32));
        }
        match self {
            Flat::Single(tensor) => tensor,
            Flat::Double(_) => unreachable!("converted above"),
        }
    }

    /// As `f64`, which a vector of `f32` becomes.
    fn double(&mut self) -> &mut Tensor<(Dyn,), f64> {
        if let Flat::Single(tensor) = self {
            *self = Flat::Double(Tensor::from_fn(tensor.shape(), |i| tensor.as_slice()[i].into()));
        }
        match self {
            Flat::Double(tensor) => tensor,
            Flat::Single(_) => unreachable!("converted above"),
        }
    }
}

impl Tree for Flat {
    fn visit(&self, path: &Path, visitor: &mut impl Visit) {
        match self {
            Flat::Single(tensor) => visitor.leaf(path, tensor),
            Flat::Double(tensor) => visitor.leaf(path, tensor),
        }
    }

    fn zip<const N: usize>(&mut self, others: [&mut Self; N], path: &Path, zip: &mut impl Zip<N>) {
        match self {
            Flat::Single(tensor) => zip.leaf(path, tensor, others.map(Flat::single)),
            Flat::Double(tensor) => zip.leaf(path, tensor, others.map(Flat::double)),
        }
    }
}

struct Gather<'a, F>(&'a mut [F]);

impl<F: Float> Visit for Gather<'_, F> {
    fn leaf<S: Shape, E: Float>(&mut self, _: &Path, leaf: &Tensor<S, E>) {
        let (place, rest) = std::mem::take(&mut self.0).split_at_mut(leaf.as_slice().len());
        place.iter_mut().zip(leaf.as_slice()).for_each(|(place, x)| *place = F::from_f64(x.to_f64()));
        self.0 = rest;
    }
}

struct Scatter<'a, F>(&'a [F]);

impl<F: Float> Zip<0> for Scatter<'_, F> {
    fn leaf<S: Shape, E: Float>(&mut self, _: &Path, leaf: &mut Tensor<S, E>, []: [&mut Tensor<S, E>; 0]) {
        let (elements, rest) = self.0.split_at(leaf.as_slice().len());
        let place = leaf.as_mut_slice().iter_mut();
        place.zip(elements).for_each(|(place, x)| *place = E::from_f64(x.to_f64()));
        self.0 = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim;
    use crate::shape::dim::names::U1;

    #[test]
    fn leaves_of_two_elements_are_one_vector() {
        let params = (Tensor::<(U1,)>::of(&[3.0]).unwrap(), Tensor::<(U1,), f64>::of(&[4.0]).unwrap());
        let tx = flatten(optim::clip_by_block_rms(0.5));
        let (a, b) = tx.update(params.clone(), &mut tx.init(&params), &params);
        let rms = 12.5_f64.sqrt();
        assert!((f64::from(a.as_slice()[0]) - 3.0 * 0.5 / rms).abs() < 1e-7);
        assert!((b.as_slice()[0] - 4.0 * 0.5 / rms).abs() < 1e-15);
    }
}
