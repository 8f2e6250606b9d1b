//! Random numbers: JAX's, bit for bit.
//!
//! A [`Key`] is `jax.random`'s threefry key. It is used once: every draw and every [`split`](Key::split) consumes it,
//! so that reusing a key, which makes two draws equal and is a common mistake in JAX, does not compile.
//!
//! ```
//! use flaxen::rng::{Key, Normal};
//!
//! let (weights, noise) = Key::new(0).split();
//! let mut values = [0.0; 4];
//! weights.fill(&Normal, &mut values);
//! assert_eq!(noise.draw(&Normal), Key::new(0).split().1.draw(&Normal));
//! ```
//!
//! What a key's bits become is a [`Distribution`]; draws over a set (permutations, choices, classes) are methods of
//! [`Key`]. [`Scope`] derives the key of each of a model's variables from its path, as Flax does.

mod bits;
mod categorical;
mod choice;
mod discrete;
mod exponential;
mod key;
mod key_rng;
mod normal;
mod permutation;
mod scope;
mod threefry;
mod uniform;
mod xla_math;

pub use bits::Distribution;
pub use discrete::{Bernoulli, Integer, Rademacher};
pub use exponential::{Exponential, Gumbel, Laplace};
pub use key::{Key, Layout};
pub use key_rng::KeyRng;
pub use normal::{Normal, TruncatedNormal};
pub use scope::Scope;
pub use uniform::Uniform;
