//! Jacobians: a matrix of derivatives for an output and an input of any shape.

use super::lift::Split;
use crate::shape::{MAX_RANK, Shape};
use crate::tensor::{Dual, Float, Tensor, shape_of};

/// Two shapes that make one of six dimensions at most: the output's, and then the input's.
#[diagnostic::on_unimplemented(
    message = "a Jacobian of shape `{Self}` by `{Inner}` has too many dimensions",
    label = "a tensor has six dimensions at most"
)]
pub trait Join<Inner: Shape>: Shape {
    /// The dimensions of both.
    type Out: Shape;
}

macro_rules! join {
    ($($($outer:ident)*, $($inner:ident)*;)+) => {$(
        impl<$($outer: crate::shape::Dim,)* $($inner: crate::shape::Dim),*> Join<($($inner,)*)> for ($($outer,)*) {
            type Out = ($($outer,)* $($inner,)*);
        }
    )+};
}

join! {
    , ;
    , U;
    , U V;
    , U V W;
    , U V W X;
    , U V W X Y;
    , U V W X Y Z;
    A, ;
    A, U;
    A, U V;
    A, U V W;
    A, U V W X;
    A, U V W X Y;
    A B, ;
    A B, U;
    A B, U V;
    A B, U V W;
    A B, U V W X;
    A B C, ;
    A B C, U;
    A B C, U V;
    A B C, U V W;
    A B C D, ;
    A B C D, U;
    A B C D, U V;
    A B C D E, ;
    A B C D E, U;
    A B C D E F, ;
}

/// The Jacobian at `x`, of shape `[output.., input..]`, a row at a time: `vjp` computes the output and its pullback, and is
/// called once for each element of the output.
pub fn jacobian_by_rows<S, O, E, P>(
    x: Tensor<S, E>,
    mut vjp: impl FnMut(Tensor<S, E>) -> (Tensor<O, E>, P),
) -> Tensor<O::Out, E>
where
    S: Shape,
    O: Join<S>,
    E: Float,
    P: FnOnce(Tensor<O, E>) -> Tensor<S, E>,
{
    let (out, pullback) = vjp(x.clone());
    let (rows, columns) = (out.as_slice().len(), x.as_slice().len());
    let (shape, mut first) = (out.shape(), Some(pullback));
    Tensor::written(joined(shape, x.shape()), |jacobian| {
        for (row, place) in jacobian.chunks_exact_mut(columns.max(1)).enumerate().take(rows) {
            let pullback = first.take().unwrap_or_else(|| vjp(x.clone()).1);
            place.copy_from_slice(pullback(basis(shape, row)).as_slice());
        }
    })
}

/// The Jacobian at `x`, of shape `[output.., input..]`, a column at a time: `f` is called once for each element of `x`, which
/// alone varies.
pub fn jacobian_by_columns<S, O, E>(
    x: Tensor<S, E>,
    mut f: impl FnMut(Tensor<S, Dual<E>>) -> Tensor<O, Dual<E>>,
) -> Tensor<O::Out, E>
where
    S: Shape,
    O: Join<S>,
    E: Float,
{
    let columns = x.as_slice().len();
    let mut column = |column: usize| {
        let along = |i| if i == column { E::ONE } else { E::ZERO };
        f(Tensor::from_fn(x.shape(), |i| Dual { value: x.as_slice()[i], tangent: along(i) }))
    };
    let first = column(0);
    let rows = first.as_slice().len();
    Tensor::written(joined(first.shape(), x.shape()), |jacobian| {
        let mut tangents = Some(first);
        for index in 0..columns {
            let (_, tangent) = Split::<()>::split(tangents.take().unwrap_or_else(|| column(index)));
            for row in 0..rows {
                jacobian[row * columns + index] = tangent.as_slice()[row];
            }
        }
    })
}

/// Zeros, with a one at a place.
fn basis<S: Shape, E: Float>(shape: S, place: usize) -> Tensor<S, E> {
    Tensor::from_fn(shape, |i| if i == place { E::ONE } else { E::ZERO })
}

fn joined<O: Join<S>, S: Shape>(outer: O, inner: S) -> O::Out {
    let mut sizes = [0; MAX_RANK];
    sizes[..O::RANK].copy_from_slice(outer.sizes().as_ref());
    sizes[O::RANK..O::RANK + S::RANK].copy_from_slice(inner.sizes().as_ref());
    shape_of(&sizes[..O::RANK + S::RANK])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn rows_and_columns_of_a_product() {
        let x = Tensor::<(U2,), f64>::of(&[3.0, 5.0]).unwrap();
        let rows = jacobian_by_rows(x.clone(), |x| {
            let kept = x.clone();
            (square(x), move |dy: Tensor<(U2,), f64>| dy * kept * 2.0)
        });
        let columns = jacobian_by_columns(x, square);
        assert_eq!(rows.as_slice(), [6.0, 0.0, 0.0, 10.0]);
        assert_eq!((rows.sizes(), rows), (columns.sizes(), columns));
    }

    #[test]
    fn of_no_elements() {
        let x = Tensor::<(Dyn,), f64>::zeros((Dyn(0),));
        let columns = jacobian_by_columns(x.clone(), |x| x.sum());
        assert_eq!(columns.sizes(), [0]);
        let rows = jacobian_by_rows(x, |x| (x.clone(), move |dy: Tensor<(Dyn,), f64>| dy * x));
        assert_eq!(rows.sizes(), [0, 0]);
    }
}
