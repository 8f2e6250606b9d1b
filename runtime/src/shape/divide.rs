//! Division of one dimension by another: exact, rounded up, and as the number of steps of a stride.
//!
//! What is divided by one stays as it is, also where it is generic. Divisions by two go digit by digit (see
//! [`halve`](super::halve)), the others through typenum.

use super::Dim;
use super::decimal::{Decimal, Number};
use super::dim::{Dim1, Dim2, Dim3, Dim4, Dyn};
use super::halve::{Even, Halved};
use std::ops::{Add, Div, Rem, Sub};
use typenum::{Add1, B1, Quot, Sub1, Sum, UInt, UTerm};

/// A dimension by which another can be divided, rounding up. One divides every dimension, also a generic one.
pub trait CeilDivides<H> {
    /// `ceil(H / self)`
    type Out: Dim;
}

impl<H: Dim> CeilDivides<H> for Dim1<1> {
    type Out = H;
}

impl<H: Halved> CeilDivides<H> for Dim1<2> {
    type Out = H::Ceil;
}

impl CeilDivides<Dyn> for Dim1<2> {
    type Out = Dyn;
}

/// A dimension that `S` divides without a rest.
#[diagnostic::on_unimplemented(
    message = "`{S}` does not divide `{Self}`",
    label = "this size is not a multiple"
)]
pub trait Divided<S>: Dim {
    /// `Self / S`
    type Out: Dim;
}

impl<H: Dim, S: Divides<H>> Divided<S> for H {
    type Out = S::Out;
}

/// A dimension that divides `H` without a rest. One divides every dimension, also a generic one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not divide `{H}`",
    label = "`{H}` is not a multiple of `{Self}`"
)]
pub trait Divides<H> {
    /// `H / self`
    type Out: Dim;
}

impl<H: Dim> Divides<H> for Dim1<1> {
    type Out = H;
}

impl<H: Even> Divides<H> for Dim1<2> {
    type Out = H::Half;
}

impl Divides<Dyn> for Dim1<2> {
    type Out = Dyn;
}

/// A typenum number with the number of steps of `S` into so many elements.
pub trait StepsInto<S> {
    /// `self / S + 1`
    type Out;
}

impl<Room, S: Number> StepsInto<S> for Room
where
    Room: Div<S::Number>,
    Quot<Room, S::Number>: Add<B1>,
{
    type Out = Add1<Quot<Room, S::Number>>;
}

/// A dimension divided by the dimension `S` in binary, rounding up.
pub trait CeilQuotient<S> {
    /// `ceil(self / S)`
    type Out: Dim;
}

impl<H: Number, S: Number> CeilQuotient<S> for H
where
    S::Number: Sub<B1>,
    H::Number: Add<Sub1<S::Number>>,
    Sum<H::Number, Sub1<S::Number>>: Div<S::Number>,
    Quot<Sum<H::Number, Sub1<S::Number>>, S::Number>: Decimal,
{
    type Out = <Quot<Sum<H::Number, Sub1<S::Number>>, S::Number> as Decimal>::Dim;
}

impl<S> CeilQuotient<S> for Dyn {
    type Out = Dyn;
}

/// A dimension divided by the dimension `S` in binary, if there is no rest.
pub trait ExactQuotient<S> {
    /// `self / S`
    type Out: Dim;
}

impl<H: Number, S: Number> ExactQuotient<S> for H
where
    H::Number: Rem<S::Number> + Div<S::Number>,
    <H::Number as Rem<S::Number>>::Output: Decimal<Dim: NoRest<H, S>>,
    Quot<H::Number, S::Number>: Decimal,
{
    type Out = <Quot<H::Number, S::Number> as Decimal>::Dim;
}

impl<S> ExactQuotient<S> for Dyn {
    type Out = Dyn;
}

/// The rest of `H / S`, if it is zero.
#[diagnostic::on_unimplemented(
    message = "`{S}` does not divide `{H}`",
    label = "`{H}` is not a multiple of `{S}`"
)]
pub trait NoRest<H, S> {}

impl<H, S> NoRest<H, S> for Dim1<0> {}

macro_rules! larger_divisors {
    ($([$($digit:ident)*] $divisor:ty;)+) => {$(
        impl<Room: StepsInto<Self>, $(const $digit: u8),*> Steps<Room> for $divisor {
            type Out = Room::Out;
        }

        impl<H: CeilQuotient<Self>, $(const $digit: u8),*> CeilDivides<H> for $divisor {
            type Out = H::Out;
        }

        impl<H: ExactQuotient<Self>, $(const $digit: u8),*> Divides<H> for $divisor {
            type Out = H::Out;
        }
    )+};
}
larger_divisors! {
    [] Dim1<3>;
    [] Dim1<4>;
    [] Dim1<5>;
    [] Dim1<6>;
    [] Dim1<7>;
    [] Dim1<8>;
    [] Dim1<9>;
    [A B] Dim2<A, B>;
    [A B C] Dim3<A, B, C>;
    [A B C D] Dim4<A, B, C, D>;
}

/// A stride, with the number of steps into a typenum number of elements, and the place where they begin.
pub trait Steps<Room> {
    /// `Room / self + 1`
    type Out;
}

impl<Room: Add<B1>> Steps<Room> for Dim1<1> {
    type Out = Add1<Room>;
}

impl Steps<UTerm> for Dim1<2> {
    type Out = UInt<UTerm, B1>;
}

impl<Half: Add<B1>, B> Steps<UInt<Half, B>> for Dim1<2> {
    type Out = Add1<Half>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::dim::names::*;

    #[test]
    fn only_what_divides_is_divided() {
        fn same<T>(_: T, _: T) {}
        same(<U28 as Divided<U2>>::Out::default(), U14::default());
        same(<U27 as Divided<U3>>::Out::default(), U9::default());
        same(<U360 as Divided<U120>>::Out::default(), U3::default());
        fn one<D: Dim>(dim: D) -> <D as Divided<U1>>::Out {
            dim
        }
        assert_eq!(one(Dyn(3)), Dyn(3));
    }
}
