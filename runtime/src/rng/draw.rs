//! Tensors of random numbers: the functions of `jax.random`, with the key first as there.
//!
//! Floats of any type are drawn as `f32`, and widened exactly for an `f64`: the same numbers in both, which
//! is what comparisons want. (JAX draws 64 bits for an `f64`.)

use std::marker::PhantomData;

use super::bits::Distribution;
use super::discrete::{Bernoulli, Integer, Rademacher};
use super::exponential::{Exponential, Gumbel, Laplace};
use super::key::Key;
use super::normal::{Normal, TruncatedNormal};
use super::uniform::Uniform;
use crate::shape::{Shape, SplitLast};
use crate::tensor::{Element, Float, Tensor, shape_of};

impl Key {
    /// A tensor of draws from a distribution.
    pub fn sample<S: Shape, D: Distribution>(self, distribution: &D, shape: S) -> Tensor<S, D::Value>
    where
        D::Value: Element,
    {
        Tensor::written(shape, |out| self.fill(distribution, out))
    }

    /// Random words: `jax.random.bits`.
    pub fn bits<S: Shape>(self, shape: S) -> Tensor<S, u32> {
        Tensor::written(shape, |out| self.fill_bits32(out))
    }

    /// Uniform numbers in `[minval, maxval)`: `jax.random.uniform`, whose default is `[0, 1)`.
    ///
    /// ```
    /// use flaxen::prelude::*;
    /// let noise: Tensor![2, 3] = Key::new(0).uniform(Default::default(), 0.0, 1.0);
    /// assert_eq!(noise.as_slice()[0], 0.947667);
    /// ```
    pub fn uniform<S: Shape, E: Float>(self, shape: S, minval: f32, maxval: f32) -> Tensor<S, E> {
        self.floats(&Uniform::new(minval, maxval), shape)
    }

    /// Normal numbers with mean 0 and standard deviation 1: `jax.random.normal`.
    pub fn normal<S: Shape, E: Float>(self, shape: S) -> Tensor<S, E> {
        self.floats(&Normal, shape)
    }

    /// Normal numbers between two bounds: `jax.random.truncated_normal`.
    pub fn truncated_normal<S: Shape, E: Float>(self, lower: f32, upper: f32, shape: S) -> Tensor<S, E> {
        self.floats(&TruncatedNormal::new(lower, upper), shape)
    }

    /// Exponential numbers of rate 1: `jax.random.exponential`.
    pub fn exponential<S: Shape, E: Float>(self, shape: S) -> Tensor<S, E> {
        self.floats(&Exponential, shape)
    }

    /// Gumbel numbers of location 0 and scale 1: `jax.random.gumbel`.
    pub fn gumbel<S: Shape, E: Float>(self, shape: S) -> Tensor<S, E> {
        self.floats(&Gumbel, shape)
    }

    /// Laplace numbers of location 0 and scale 1: `jax.random.laplace`.
    pub fn laplace<S: Shape, E: Float>(self, shape: S) -> Tensor<S, E> {
        self.floats(&Laplace, shape)
    }

    /// Coins that are true with the probability `p`: `jax.random.bernoulli`.
    pub fn bernoulli<S: Shape>(self, p: f32, shape: S) -> Tensor<S, bool> {
        self.sample(&Bernoulli::new(p), shape)
    }

    /// 1 or -1: `jax.random.rademacher`.
    pub fn rademacher<S: Shape>(self, shape: S) -> Tensor<S, i32> {
        self.sample(&Rademacher, shape)
    }

    /// Integers from `minval`, included, to `maxval`, not included: `jax.random.randint`. See
    /// [`fill_randint`](Self::fill_randint).
    pub fn randint<S: Shape, E: Integer + Element>(self, shape: S, minval: i64, maxval: i64) -> Tensor<S, E> {
        Tensor::written(shape, |out| self.fill_randint(minval, maxval, out))
    }

    /// A class for each row of logits, which are along the last axis: `jax.random.categorical`. See
    /// [`fill_categorical`](Self::fill_categorical) for other axes and several draws.
    ///
    /// # Panics
    /// If there is no class.
    pub fn categorical<S: SplitLast>(self, logits: &Tensor<S, f32>) -> Tensor<S::Front, u32> {
        let sizes = logits.sizes();
        let sizes = sizes.as_ref();
        let last = sizes.len() - 1;
        let mut classes = Tensor::zeros(shape_of(&sizes[..last]));
        self.fill_categorical(logits.as_slice(), sizes, last, classes.as_mut_slice());
        classes
    }

    fn floats<S: Shape, E: Float>(
        self,
        distribution: &impl Distribution<Value = f32>,
        shape: S,
    ) -> Tensor<S, E> {
        self.sample(&Widened(*distribution, PhantomData), shape)
    }
}

/// The numbers of a distribution in another type of float.
#[derive(Clone, Copy)]
struct Widened<D, E>(D, PhantomData<E>);

impl<D: Distribution<Value = f32>, E: Float> Distribution for Widened<D, E> {
    type Value = E;

    #[inline(always)]
    fn value(&self, bits: u32) -> E {
        E::from_f64(self.0.value(bits).into())
    }
}
