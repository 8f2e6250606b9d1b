//! Arithmetic on dimensions: `H / 2`, `A + B`. With [`Dyn`] in it, a result is [`Dyn`].

use super::decimal::{Decimal, Number};
use super::dim::{Dim, Dyn, Static};
use std::ops;

macro_rules! arithmetic {
    ($($(#[$doc:meta])* $name:ident, $operator:ident;)+) => {$(
        $(#[$doc])*
        #[diagnostic::on_unimplemented(
            message = "these dimensions cannot be computed with: `{Self}` and `{Rhs}`",
            label = "`{Self}` and `{Rhs}` have no such result",
            note = "a result below zero does not exist, and a division must leave a size"
        )]
        pub trait $name<Rhs>: Dim {
            /// The resulting dimension.
            type Out: Dim;
        }

        impl<L: Number, R: Number> $name<R> for L
        where
            L::Number: ops::$operator<R::Number>,
            <L::Number as ops::$operator<R::Number>>::Output: Decimal,
        {
            type Out = <<L::Number as ops::$operator<R::Number>>::Output as Decimal>::Dim;
        }

        impl<R: Dim> $name<R> for Dyn {
            type Out = Dyn;
        }

        impl<L: Static> $name<Dyn> for L {
            type Out = Dyn;
        }
    )+};
}

arithmetic! {
    /// `Self + Rhs`.
    DimAdd, Add;
    /// `Self - Rhs`.
    DimSub, Sub;
    /// `Self * Rhs`.
    DimMul, Mul;
    /// `Self / Rhs`, rounded down.
    DimDiv, Div;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::dim::names::*;

    fn size<D: Static>() -> usize {
        D::N
    }

    #[test]
    fn dimensions_are_computed_in_types() {
        assert_eq!(size::<<U7 as DimMul<U7>>::Out>(), 49);
        assert_eq!(size::<<<U64 as DimMul<U49>>::Out as DimMul<U1000>>::Out>(), 3_136_000);
        assert_eq!(size::<<U28 as DimDiv<U3>>::Out>(), 9);
        assert_eq!(size::<<U999 as DimAdd<U1>>::Out>(), 1000);
        assert_eq!(size::<<U10 as DimSub<U10>>::Out>(), 0);
    }

    #[test]
    fn a_result_is_the_same_type_as_its_name() {
        fn same<T>(_: T, _: T) {}
        same(<U28 as DimDiv<U2>>::Out::default(), U14::default());
        same(<U28 as DimMul<U28>>::Out::default(), U784::default());
    }
}
