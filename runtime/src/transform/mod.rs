//! What the transformations of closures compute with: values that carry tangents.
//!
//! Enters: tensors and trees of them. Leaves: how they are lifted to dual numbers and taken apart again ([`lift`]), and
//! Jacobians, row by row or column by column ([`jacobian`]).
//!
//! | macro | JAX | what it gives | how |
//! |---|---|---|---|
//! | [`grad!`](crate::grad) | `jax.grad` | `∇f(x)` | reverse |
//! | [`value_and_grad!`](crate::value_and_grad) | `jax.value_and_grad` | `f(x)`, `∇f(x)` | reverse |
//! | [`vjp!`](crate::vjp) | `jax.vjp` | `f(x)`, and `g ↦ J(x)ᵀ g` | reverse |
//! | [`jvp!`](crate::jvp) | `jax.jvp` | `f(x)`, `J(x) t` | forward |
//! | [`hvp!`](crate::hvp) | `jvp` of `grad` | `H(x) t` | forward over reverse |
//! | [`jacfwd!`](crate::jacfwd) | `jax.jacfwd` | `J(x)` | forward, a column at a time |
//! | [`jacrev!`](crate::jacrev) | `jax.jacrev` | `J(x)` | reverse, a row at a time |
//! | [`hessian!`](crate::hessian) | `jax.hessian` | `H(x)` | forward over reverse, a column at a time |
//!
//! # One in another
//!
//! The backward pass of a closure is written once, while it is compiled. Forward passes go over it as often as one likes: the
//! same equations are computed with [`Dual`](crate::tensor::Dual) numbers, or with dual numbers of dual numbers. So a
//! transformation may stand in the closure of a forward one, and reads its variables:
//!
//! ```
//! use flaxen::prelude::*;
//!
//! let x: Tensor![2; f64] = Tensor::of(&[1.0, 2.0])?;
//! let (u, v) = (Tensor::of(&[1.0, 0.0])?, Tensor::of(&[0.0, 1.0])?);
//! // f(x) = (x0 + x1)⁴, whose third derivatives are all 24 (x0 + x1).
//! let (_, third) = jvp!(|x| hvp!(|y| pow(y.sum(), 4.0), x, u), x, v);
//! assert_eq!(third.as_slice(), [72.0, 72.0]);
//! # Ok::<(), flaxen::Error>(())
//! ```
//!
//! What a closure reads from outside is lifted, with tangents of zero. A model's variables are lifted with the model's own
//! struct, so the model must be generic in its element:
//!
//! ```
//! use flaxen::prelude::*;
//!
//! #[module]
//! struct Mlp;
//!
//! #[module]
//! impl Mlp {
//!     fn call<B: Batch, E: Float>(&self, x: Tensor![B, 2; E]) -> Tensor![B, 1; E] {
//!         let x = tanh(compact!(Dense<8>)(x));
//!         compact!(Dense<1>)(x)
//!     }
//! }
//!
//! let model = Mlp::new();
//! let params = model.init::<f64>(Key::new(0)).params;
//! let x: Tensor![3, 2; f64] = Tensor::full(Default::default(), 0.5);
//! // The product of the Hessian by the parameters with a direction.
//! let direction = grad!(|params| model.apply(params, x.clone()).sum(), &params);
//! let product = hvp!(|params| square(model.apply(params, x.clone())).mean(), &params, &direction);
//! assert_eq!(product.elements(), params.elements());
//! ```
//!
//! # A rule of one's own
//!
//! [`#[custom_vjp]`](crate::custom_vjp) makes an op of a module with three functions, as `jax.custom_vjp`: `primal`, `forward`, which
//! also returns what is kept, and `backward`, which makes of that and of the output's cotangent those of the inputs. It is for
//! a derivative that is more precise than the one of the formula, term by term:
//!
//! ```
//! use flaxen::prelude::*;
//!
//! /// `ln(1 + eˣ)`, whose derivative is `eˣ / (1 + eˣ)`: of that, neither part may overflow.
//! #[custom_vjp]
//! mod log1pexp {
//!     use flaxen::prelude::*;
//!
//!     pub fn primal<S: Shape, E: Float>(x: Tensor<S, E>) -> Tensor<S, E> {
//!         log(exp(x) + E::ONE)
//!     }
//!     pub fn forward<S: Shape, E: Float>(x: Tensor<S, E>) -> (Tensor<S, E>, Tensor<S, E>) {
//!         (primal(x.clone()), x)
//!     }
//!     pub fn backward<S: Shape, E: Float>(x: Tensor<S, E>, cotangent: Tensor<S, E>) -> Tensor<S, E> {
//!         let rate = sigmoid(x);
//!         Tensor::from_fn(rate.shape(), |i| cotangent.as_slice()[i] * rate.as_slice()[i])
//!     }
//! }
//!
//! let x: Tensor![2; f64] = Tensor::of(&[0.0, 1000.0])?;
//! assert_eq!(grad!(|x| log1pexp(x).sum(), x).as_slice(), [0.5, 1.0]);
//! # Ok::<(), flaxen::Error>(())
//! ```
//!
//! or for one that is not the formula's at all, such as a gradient that is clipped. What is no tensor is a value of the op:
//!
//! ```
//! use flaxen::prelude::*;
//!
//! /// The identity, whose gradient lies between `lo` and `hi`.
//! #[custom_vjp]
//! mod clip_gradient {
//!     use flaxen::prelude::*;
//!
//!     pub fn primal<B: Batch>(x: Tensor![B, 2], _lo: f32, _hi: f32) -> Tensor![B, 2] {
//!         x
//!     }
//!     pub fn forward<B: Batch>(x: Tensor![B, 2], lo: f32, hi: f32) -> (Tensor![B, 2], (f32, f32)) {
//!         (x, (lo, hi))
//!     }
//!     pub fn backward<B: Batch>((lo, hi): (f32, f32), mut cotangent: Tensor![B, 2]) -> Tensor![B, 2] {
//!         cotangent.as_mut_slice().iter_mut().for_each(|x| *x = x.clamp(lo, hi));
//!         cotangent
//!     }
//! }
//!
//! let x: Tensor![1, 2] = Tensor::of(&[3.0, 0.1])?;
//! let gradient = grad!(|x| square(clip_gradient(x, -1.0, 1.0)).sum(), x);
//! assert_eq!(gradient.as_slice(), [1.0, 0.2]);
//! # Ok::<(), flaxen::Error>(())
//! ```
//!
//! `hvp!` and `hessian!` differentiate such a rule in turn, if it is generic in its element. `jvp!` differentiates `primal` as it is
//! written, where JAX refuses.

pub mod jacobian;
pub mod lift;
mod trees;

pub use jacobian::{Join, jacobian_by_columns, jacobian_by_rows};
pub use lift::{Lift, Primal, Split};
