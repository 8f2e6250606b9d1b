//! The index of the largest element along the last axis, which is removed, as `jnp.argmax(x, axis=-1)`.
//!
//! The first of several that are equal; NaN counts as the largest. The indices are `i32`.

use super::reduction::without;
use crate::op::{self, Op as _};
use crate::shape::axis::without_last;
use crate::shape::{Message, Rule, Size, Sizes, SplitLast};
use crate::tensor::{Float, Tensor};

/// The index of the largest element along the last axis, which is removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: the last axis is removed.
    pub const fn shape([x]: [Sizes; 1]) -> Rule {
        match x.rank() {
            0 => without_last("argmax", x),
            _ if matches!(x.from_end(0), Size::Known(0)) => {
                Rule::Refused(Message::new("argmax: the last axis of ").sizes(x).text(" has no elements"))
            }
            _ => without_last("argmax", x),
        }
    }
}

impl<S: SplitLast, E: Float> op::Op<Tensor<S, E>> for Op {
    type Out = Tensor<S::Front, i32>;

    fn infer(&self, x: Tensor<S, E>) -> Self::Out {
        let sizes = x.sizes();
        let sizes = sizes.as_ref();
        let rows = x.as_slice().chunks_exact(sizes[S::RANK - 1].max(1));
        Tensor::written(without(sizes, S::RANK - 1), |out| {
            out.fill(0);
            out.iter_mut().zip(rows).for_each(|(out, row)| *out = of_row(row));
        })
    }
}

fn of_row<E: Float>(row: &[E]) -> i32 {
    let (mut best, mut largest) = (0, row[0]);
    for (index, &x) in row.iter().enumerate() {
        if x > largest || x.is_nan() && !largest.is_nan() {
            (best, largest) = (index, x);
        }
    }
    best as i32
}

/// The index of the largest element along the last axis, which is removed.
pub fn argmax<X>(x: X) -> <Op as op::Op<X>>::Out
where
    Op: op::Op<X>,
{
    Op.infer(x)
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::ops::testing;
    use crate::prelude::*;

    #[test]
    fn values() {
        let nan = f32::NAN;
        let rows = [[1.0, 3.0, 3.0], [9.0, nan, nan], [nan, 1.0, 2.0], [f32::NEG_INFINITY; 3]];
        let x = Tensor::<(U4, U3)>::of(rows.as_flattened()).unwrap();
        assert_eq!(argmax(x).as_slice(), [1, 1, 0, 0]);
        assert_eq!(argmax(Tensor::<_, f32>::zeros((Dyn(0), U3::default()))).as_slice(), [0; 0]);
    }

    #[test]
    fn sizes() {
        testing::fits(Op::shape([Sizes::known(&[5, 10])]), "[5]");
        testing::refused(Op::shape([Sizes::known(&[])]), "argmax: a scalar has no last axis");
        testing::refused(
            Op::shape([Sizes::known(&[5, 0])]),
            "argmax: the last axis of [5, 0] has no elements",
        );
    }
}
