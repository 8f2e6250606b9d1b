//! Rows of a table by their numbers: `table[[indices]]`, as `jnp.take(table, indices, axis=0)`, what `nn.Embed` computes.
//!
//! A negative index counts from the end. One that is no row gives a row of NaN, and has no gradient.
//!
//! ```
//! use flaxen::prelude::*;
//! let table = Tensor::<(U3, U2)>::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
//! let rows: Tensor![2, 2] = take(table, Tensor::<(U2,), i32>::of(&[2, 0])?);
//! assert_eq!(rows.as_slice(), [5.0, 6.0, 1.0, 2.0]);
//! # Ok::<(), flaxen::Error>(())
//! ```

use super::one_hot::Label;
use crate::backend::gather::{gather, scatter_add};
use crate::op::{self, Differentiable, Need, Op as _};
use crate::shape::axis::Append;
use crate::shape::{Dim, MAX_RANK, Message, Rule, Sizes};
use crate::tensor::{Float, Tensor, shape_of};

/// `table[[indices]]`: `[N, F]` and `[..]` give `[.., F]`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Op;

impl Op {
    /// The op.
    pub const fn new() -> Self {
        Op
    }

    /// The rule in numbers: `[N, F]` and `[..]` give `[.., F]`.
    pub const fn shape([table, indices]: [Sizes; 2]) -> Rule {
        if table.rank() != 2 {
            return Rule::Refused(Message::new("take: expects a table [N, F], got ").sizes(table));
        }
        if indices.rank() == MAX_RANK {
            let message = Message::new("take: the indices ").sizes(indices);
            return Rule::Refused(message.text(" cannot have one more axis"));
        }
        Rule::Out(indices.append(table.at(1)))
    }
}

impl<N, F, S, E, I> op::Op<(Tensor<(N, F), E>, Tensor<S, I>)> for Op
where
    N: Dim,
    F: Dim,
    S: Append<F>,
    E: Float,
    I: Label,
{
    type Out = Tensor<S::Out, E>;

    fn infer(&self, (table, indices): (Tensor<(N, F), E>, Tensor<S, I>)) -> Self::Out {
        let [rows, len] = table.sizes();
        let mut sizes = [len; MAX_RANK];
        sizes[..S::RANK].copy_from_slice(indices.sizes().as_ref());
        let indices = indices.as_slice();
        Tensor::written(shape_of(&sizes[..=S::RANK]), |out| {
            let place = |index: usize| indices[index].place(rows);
            gather(table.as_slice(), len, place, E::from_f64(f64::NAN), out);
        })
    }
}

/// What the derivative reads.
pub struct Residuals<N, F, S: crate::shape::Shape, I: Label> {
    table: (N, F),
    indices: Tensor<S, I>,
}

impl<N, F, S, E, I, NT, NI> Differentiable<(Tensor<(N, F), E>, Tensor<S, I>), (NT, NI)> for Op
where
    N: Dim,
    F: Dim,
    S: Append<F>,
    E: Float,
    I: Label,
    NT: Need,
    NI: Need,
{
    type Residuals = Residuals<N, F, S, I>;

    fn forward(&self, (table, indices): (Tensor<(N, F), E>, Tensor<S, I>)) -> (Self::Out, Self::Residuals) {
        let residuals = Residuals { table: table.shape(), indices: indices.clone() };
        (self.infer((table, indices)), residuals)
    }

    /// The cotangent of indices is zero: they are no numbers that could be moved a little.
    fn backward(
        &self,
        Residuals { table, indices }: Self::Residuals,
        cotangent: Self::Out,
    ) -> (NT::Of<Tensor<(N, F), E>>, NI::Of<Tensor<S, I>>) {
        let (rows, len) = (table.0.size(), table.1.size());
        let dtable = NT::when(|| {
            let indices = indices.as_slice();
            let place = |index: usize| indices[index].place(rows);
            Tensor::written(table, |dtable| scatter_add(cotangent.as_slice(), len, place, dtable))
        });
        (dtable, NI::when(|| Tensor::zeros(indices.shape())))
    }
}

/// `table[[indices]]`.
pub fn take<T, I>(table: T, indices: I) -> <Op as op::Op<(T, I)>>::Out
where
    Op: op::Op<(T, I)>,
{
    Op.infer((table, indices))
}

#[cfg(test)]
mod tests {
    use super::{Op, *};
    use crate::op::{No, Yes};
    use crate::ops::testing::{fits, random, refused};
    use crate::prelude::*;

    #[test]
    fn values() {
        let table = Tensor::<(U3, U2)>::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let indices = Tensor::<(U2, U2), i32>::of(&[-1, 0, 3, -4]).unwrap();
        let rows: Tensor<(U2, U2, U2)> = take(table.clone(), indices);
        assert_eq!(rows.as_slice()[..4], [5.0, 6.0, 1.0, 2.0]);
        assert!(rows.as_slice()[4..].iter().all(|x| x.is_nan()));
        assert_eq!(take(table, Tensor::scalar(1u8)).as_slice(), [3.0, 4.0]);
    }

    #[test]
    fn rows_that_are_taken_twice_have_both_cotangents() {
        let table = random((U3::default(), U2::default()), 1);
        let indices = Tensor::from_fn((Dyn(5),), |i| [2, 0, 7, -1, 2][i]);
        let (_, residuals) = Differentiable::<_, (Yes, No)>::forward(&Op, (table, indices));
        let cotangent = Tensor::from_fn((Dyn(5), U2::default()), |i| i as f64);
        let (dtable, ()): (Tensor<(U3, U2), f64>, ()) =
            Differentiable::<(_, Tensor<(Dyn,), i32>), (Yes, No)>::backward(&Op, residuals, cotangent);
        assert_eq!(dtable.as_slice(), [2.0, 3.0, 0.0, 0.0, 14.0, 17.0]);
    }

    #[test]
    fn sizes() {
        fits(Op::shape([Sizes::known(&[7, 4]), <(Dyn, U3)>::STATIC]), "[?, 3, 4]");
        refused(Op::shape([Sizes::known(&[7]), Sizes::known(&[2])]), "take: expects a table [N, F], got [7]");
        let message = "take: the indices [1, 1, 1, 1, 1, 1] cannot have one more axis";
        refused(Op::shape([Sizes::known(&[7, 4]), Sizes::known(&[1; 6])]), message);
    }
}
