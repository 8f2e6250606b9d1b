//! In what elements a transform accumulates gradients: Optax's `mu_dtype` and `accumulator_dtype`.

use super::bf16_array::{Bf16Array, rounded, zeros_like};
use super::per_leaf::PerLeaf;
use super::state::Slots;
use crate::tensor::Float;
use crate::tree::Tree;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// The elements of a mean or sum of gradients: [`ParamsDtype`] or [`Bf16`].
pub trait AccumulatorDtype: Copy + Debug + Default + PartialEq + Send + Sync + 'static {
    /// The mean or sum for parameters `P`.
    type Tree<P: Tree>: Accumulator<P>;
    /// Whether it is in bfloat16.
    const IS_BF16: bool;

    /// `decay * accumulated`, where both are numbers of these elements, and so is the product.
    fn decayed<E: Float>(decay: E, accumulated: E) -> E;
}

/// A tree of a state, in the parameters' elements or in others.
pub trait Accumulator<P: Tree>:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Zeros for these parameters.
    fn zeros_like(params: &P) -> Self;

    /// Hands itself out.
    fn push<'a>(&'a mut self, slots: &mut Slots<'a, P>);
}

/// Each leaf's own element, Optax's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParamsDtype;

impl AccumulatorDtype for ParamsDtype {
    type Tree<P: Tree> = P;
    const IS_BF16: bool = false;

    #[inline(always)]
    fn decayed<E: Float>(decay: E, accumulated: E) -> E {
        decay * accumulated
    }
}

impl<P: Tree> Accumulator<P> for P {
    fn zeros_like(params: &P) -> P {
        params.zeros_like()
    }

    fn push<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push(self);
    }
}

/// bfloat16, `jnp.bfloat16`: two bytes an element, the range of `f32` and 8 bits of precision.
///
/// A step computes with what it accumulates in the parameters' elements, and rounds to the nearest number what it keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bf16;

impl AccumulatorDtype for Bf16 {
    type Tree<P: Tree> = PerLeaf<Bf16Array>;
    const IS_BF16: bool = true;

    /// A number of Python's is of the type of the array by which JAX multiplies it.
    #[inline(always)]
    fn decayed<E: Float>(decay: E, accumulated: E) -> E {
        rounded(rounded(decay) * accumulated)
    }
}

impl<P: Tree> Accumulator<P> for PerLeaf<Bf16Array> {
    fn zeros_like(params: &P) -> Self {
        zeros_like(params)
    }

    fn push<'a>(&'a mut self, slots: &mut Slots<'a, P>) {
        slots.push_bf16(self);
    }
}

#[cfg(test)]
mod tests {
    use crate::optim::{self, Bf16, GradientTransformation, apply_updates};
    use crate::prelude::*;
    use crate::serialization::{from_bytes, to_bytes};

    type Params = (Tensor<(U3,)>,);

    fn leaf(values: [f32; 3]) -> Params {
        (Tensor::of(&values).unwrap(),)
    }

    fn trained<T: GradientTransformation>(tx: &T) -> (Params, T::State<Params>) {
        let mut params = leaf([1.0, -2.0, 0.5]);
        let mut state = tx.init(&params);
        for gradients in [[0.3, -0.7, 1e-3], [0.11, 0.5, -2e-3], [-0.23, 0.05, 3e-3], [0.9, -0.33, 0.017]] {
            let updates = tx.update(leaf(gradients), &mut state, &params);
            apply_updates(&mut params, updates);
        }
        (params, state)
    }

    /// Four steps of `optax.sgd(0.1, momentum=0.9, accumulator_dtype=jnp.bfloat16)` and of others.
    #[test]
    fn steps_are_optax_s() {
        let check = |(params,): &Params, expected: [f32; 3]| {
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-6 * b.abs();
            assert!(params.as_slice().iter().zip(&expected).all(near), "{params:?} and not {expected:?}");
        };
        let momentum = || optim::sgd(0.1).momentum(0.9).accumulator_dtype(Bf16);
        check(&trained(&momentum()).0, [0.8211992383003235, -1.871604561805725, 0.4979287385940552]);
        let nesterov = momentum().nesterov();
        check(&trained(&nesterov).0, [0.7310793399810791, -1.8364439010620117, 0.49623584747314453]);
        let nadamw = optim::nadamw(0.1).mu_dtype(Bf16);
        check(&trained(&nadamw).0, [0.6976338028907776, -1.8502329587936401, 0.2624230682849884]);
    }

    /// `flax.serialization.to_bytes` of the state after the same steps of `optax.adam(0.1, mu_dtype=jnp.bfloat16)`.
    const FLAX: &[u8] = b"\x82\xa10\x83\xa5count\xc7\x0e\x01\x93\x90\xa5int32\xc4\x04\x04\x00\x00\x00\xa2mu\x81\xa10\xc7\x14\x01\x93\x91\x03\xa8bfloat16\xc4\x06\xcd=\x1e\xbd\xf7:\xa2nu\x81\xa10\xc7\x19\x01\x93\x91\x03\xa7float32\xc4\x0c\xc8\xe0|:<\xac^:C\xa9\xa24\xa11\x80";

    #[test]
    fn a_state_is_written_as_flax_writes_it() {
        let (_, state) = trained(&optim::adam(0.1).mu_dtype(Bf16));
        let read = from_bytes(&state, FLAX).unwrap();
        assert_eq!(read.0.mu, state.0.mu);
        assert_eq!(to_bytes(&read).unwrap().escape_ascii().to_string(), FLAX.escape_ascii().to_string());
        assert_eq!(size_of_val(read.0.mu.get(0).unwrap().as_slice()), 2 * 3);
    }

    #[test]
    #[should_panic = "the state of an optimiser has sizes [3] for ``, which has 2 elements"]
    fn a_state_of_other_parameters() {
        let tx = optim::trace(0.9).accumulator_dtype(Bf16);
        let mut state = tx.init(&Tensor::<(Dyn,)>::zeros((Dyn(3),)));
        let other = Tensor::<(Dyn,)>::zeros((Dyn(2),));
        tx.update(other.clone(), &mut state, &other);
    }
}
