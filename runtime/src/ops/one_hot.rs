//! Labels as rows of zeros with a one at the label's place, as `nn.one_hot(labels, 10)`: `one_hot::<10>(labels)`.

use crate::op;
use crate::shape::axis::Append;
use crate::shape::{MAX_RANK, Message, Rule, Size, Sizes, Static};
use crate::tensor::{Element, Tensor, shape_of};
use std::marker::PhantomData;

/// One more axis, of `CLASSES` elements of `f32`: one at the label's place, zero elsewhere. A label that is no class
/// becomes a row of zeros.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op<CLASSES>(PhantomData<CLASSES>);

impl<CLASSES: Static> Op<CLASSES> {
    /// The op.
    pub const fn new() -> Self {
        Op(PhantomData)
    }

    /// The rule in numbers: one more axis.
    pub const fn shape([labels]: [Sizes; 1]) -> Rule {
        if labels.rank() == MAX_RANK {
            let message = Message::new("one_hot: ").sizes(labels).text(" cannot have one more axis");
            return Rule::Refused(message);
        }
        Rule::Out(labels.append(Size::Known(CLASSES::N)))
    }
}

/// An element that can be the number of a class: `i32`, `u32` and `u8`.
#[diagnostic::on_unimplemented(message = "`{Self}` is no label", label = "labels are i32, u32 or u8")]
pub trait Label: Element {
    /// The class, if it is none below zero.
    fn class(self) -> Option<usize>;

    /// The place among so many that it is the index of, where a negative index counts from the end.
    fn place(self, len: usize) -> Option<usize>;
}

macro_rules! labels {
    ($($label:ident)+) => {$(
        impl Label for $label {
            fn class(self) -> Option<usize> {
                usize::try_from(self).ok()
            }
            fn place(self, len: usize) -> Option<usize> {
                let index = i64::from(self);
                let place = if index < 0 { index + len as i64 } else { index };
                usize::try_from(place).ok().filter(|place| *place < len)
            }
        }
    )+};
}
labels! { i32 u32 u8 }

impl<CLASSES: Static, S: Append<CLASSES>, I: Label> op::Op<Tensor<S, I>> for Op<CLASSES> {
    type Out = Tensor<S::Out, f32>;

    fn infer(&self, labels: Tensor<S, I>) -> Self::Out {
        let mut sizes = [CLASSES::N; MAX_RANK];
        sizes[..S::RANK].copy_from_slice(labels.sizes().as_ref());
        Tensor::written(shape_of(&sizes[..=S::RANK]), |out| {
            out.fill(0.0);
            for (row, label) in out.chunks_exact_mut(CLASSES::N.max(1)).zip(labels.as_slice()) {
                if let Some(place) = label.class().and_then(|class| row.get_mut(class)) {
                    *place = 1.0;
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::op::Op as _;
    use crate::ops::testing::{fits, refused};
    use crate::prelude::*;

    #[test]
    fn values() {
        let labels = Tensor::<(U4,), i32>::of(&[1, 0, -1, 3]).unwrap();
        let rows: Tensor<(U4, U3)> = Op::<U3>::new().infer(labels);
        let expected = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0; 3], [0.0; 3]];
        assert_eq!(rows.as_slice(), expected.as_flattened());
        assert_eq!(Op::<U2>::new().infer(Tensor::scalar(1u8)).as_slice(), [0.0, 1.0]);
    }

    #[test]
    fn sizes() {
        fits(Op::<U10>::shape([<(Dyn, U3)>::STATIC]), "[?, 3, 10]");
        let message = "one_hot: [1, 1, 1, 1, 1, 1] cannot have one more axis";
        refused(Op::<U10>::shape([Sizes::known(&[1; 6])]), message);
    }
}
