//! Whether two tensors agree, element by element with broadcasting, as `jnp.equal` (`==`).
//!
//! ```
//! use flaxen::ops::{argmax, equal, mean};
//! use flaxen::prelude::*;
//!
//! let logits = Tensor::<(U2, U3)>::of(&[0.1, 0.7, 0.2, 0.5, 0.3, 0.2])?;
//! let labels = Tensor::<(U2,), i32>::of(&[1, 2])?;
//! let accuracy = mean(equal(argmax(logits), labels));
//! assert_eq!(accuracy.item(), 0.5);
//! # Ok::<(), flaxen::Error>(())
//! ```

use super::broadcast::pairs;
use crate::backend::map::Function;
use crate::op::{self, Op as _};
use crate::shape::broadcast::{Broadcast, Plan, sizes};
use crate::shape::{Rule, Shape, Sizes};
use crate::tensor::{Element, Tensor};

/// `a == b` element by element, broadcast. NaN equals nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: sizes broadcast.
    pub const fn shape([a, b]: [Sizes; 2]) -> Rule {
        sizes("equal", a, b)
    }
}

impl<E: Element> Function<(E, E)> for Op {
    type Out = bool;

    #[inline(always)]
    fn at(&self, (a, b): (E, E)) -> bool {
        a == b
    }
}

impl<A: Broadcast<B>, B: Shape, E: Element> op::Op<(Tensor<A, E>, Tensor<B, E>)> for Op {
    type Out = Tensor<A::Out, bool>;

    fn infer(&self, (a, b): (Tensor<A, E>, Tensor<B, E>)) -> Self::Out {
        let plan = Plan::new(a.sizes().as_ref(), b.sizes().as_ref());
        pairs(self, &plan, a.as_slice(), b.as_slice())
    }
}

/// `a == b` element by element, broadcast.
pub fn equal<A, B>(a: A, b: B) -> <Op as op::Op<(A, B)>>::Out
where
    Op: op::Op<(A, B)>,
{
    Op.infer((a, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn values() {
        let a = Tensor::<(U2, U2), u8>::of(&[1, 2, 3, 2]).unwrap();
        let b = Tensor::<(U2,), u8>::of(&[1, 2]).unwrap();
        assert_eq!(equal(a, b).as_slice(), [true, true, false, true]);
        let nan = Tensor::scalar(f32::NAN);
        assert!(!equal(nan.clone(), nan).item());
    }
}
