//! Random numbers: JAX's, bit for bit.
//!
//! A [`Key`] is `jax.random`'s threefry key. It is used once: every draw and every [`split`](Key::split)
//! consumes it, so that reusing a key, which makes two draws equal and is a common mistake in JAX, does not
//! compile.
//!
//! ```
//! use flaxen::prelude::*;
//! use flaxen::rng::Normal;
//!
//! let (weights, noise) = Key::new(0).split();
//! let weights: Tensor![4, 3] = weights.normal(Default::default());
//! let mut more = [0.0; 4];
//! noise.fill(&Normal, &mut more);
//! ```
//!
//! What a key's bits become is a [`Distribution`]: tensors of them are drawn by the methods of [`Key`] that
//! have the names of `jax.random`, slices are filled by [`Key::fill`]. [`Scope`] derives the key of each of a
//! model's variables from its path, as Flax does.

mod bits;
mod categorical;
mod choice;
mod discrete;
mod draw;
mod exponential;
mod key;
mod key_rng;
mod normal;
mod permutation;
mod scope;
mod stream;
mod threefry;
mod uniform;
mod xla_math;

pub use bits::Distribution;
pub use discrete::{Bernoulli, Integer, Rademacher};
pub use exponential::{Exponential, Gumbel, Laplace};
pub use key::{Key, Layout};
pub use key_rng::KeyRng;
pub use normal::{Normal, TruncatedNormal};
pub use scope::{Replay, Scope};
pub use stream::{Provides, Rngs, Stream, dropout, params};
pub use uniform::Uniform;
