//! Ops as methods of a tensor, for code outside of modules. In a module, `x.mean()` means the op `mean`.

use super::*;
use crate::op::Op;
use crate::shape::{Shape, Static};
use crate::tensor::{Element, Tensor};

macro_rules! methods {
    ($($(#[$doc:meta])* $op:ident $(<$($generic:ident: $bound:path),+>)?;)+) => {
        impl<S: Shape, E: Element> Tensor<S, E> {$(
            $(#[$doc])*
            pub fn $op $(<$($generic: $bound),+>)? (self) -> <$op::Op $(<$($generic),+>)? as Op<Self>>::Out
            where
                $op::Op $(<$($generic),+>)?: Op<Self>,
            {
                $op::Op $(::<$($generic),+>)? ::new().infer(self)
            }
        )+}
    };
}

methods! {
    /// The sum of all elements.
    sum;
    /// The mean of all elements; of `bool`, the share that is true.
    mean;
    /// The largest of all elements.
    max;
    /// The smallest of all elements.
    min;
    /// The sum along the axis `A`: `x.sum_axis::<U1>()`.
    sum_axis<A: Static>;
    /// The mean along the axis `A`.
    mean_axis<A: Static>;
    /// The largest elements along the axis `A`.
    max_axis<A: Static>;
    /// The smallest elements along the axis `A`.
    min_axis<A: Static>;
    /// The index of the largest element along the last axis.
    argmax;
    /// The same elements in the shape of the tensor type `T`: `x.reshape::<Tensor![Dyn, 28, 28, 1]>()`.
    reshape<T: reshape::Target>;
    /// All axes but the first as one.
    flatten;
    /// The axes in reverse order.
    transpose;
    /// The part of the axis `A` from `START` to before `END`.
    slice<A: Static, START: Static, END: Static>;
    /// Labels as rows of zeros with a one at the label's place.
    one_hot<CLASSES: Static>;
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn methods_are_the_ops() {
        let x = Tensor::<(U2, U3)>::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        assert_eq!(x.clone().sum().item(), 21.0);
        assert_eq!(x.clone().mean_axis::<U0>().as_slice(), [2.5, 3.5, 4.5]);
        assert_eq!(x.clone().slice::<U1, U2, U3>().flatten().sizes(), [2, 1]);
        assert_eq!(x.argmax().one_hot::<U3>().as_slice(), [0.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    }
}
