//! Between decimal digits and typenum's binary numbers, so that dimensions can be computed with.
//!
//! Digits become a number by Horner's rule. A number becomes digits by doubling a list of decimal digits once a
//! bit (`UInt<U, B>` is twice `U` plus `B`), which rustc does in milliseconds; dividing by ten would take it a
//! hundred times longer.

use super::dim::*;
use std::ops::{Add, Mul};
use typenum::{B0, B1, Prod, Sum, U10, UInt, UTerm};

/// A static dimension as a typenum number.
pub trait Number: Static {
    /// The typenum number of this size.
    type Number;
}

/// A typenum number as a dimension.
pub trait Decimal {
    /// The dimension of this size.
    type Dim: Static;
}

/// One decimal digit as a type.
pub struct Is<const DIGIT: u8>;

/// The typenum number of a digit.
pub trait Digit {
    /// `U0` to `U9`.
    type Number;
}

macro_rules! digits {
    ($($digit:literal $number:ident;)+) => {$(
        impl Digit for Is<$digit> {
            type Number = typenum::$number;
        }
    )+};
}
digits! { 0 U0; 1 U1; 2 U2; 3 U3; 4 U4; 5 U5; 6 U6; 7 U7; 8 U8; 9 U9; }

/// `10 N + D`: a number with one more digit.
pub trait Append<D> {
    /// The longer number.
    type Out;
}

impl<N, D> Append<D> for N
where
    N: Mul<U10>,
    Prod<N, U10>: Add<D>,
{
    type Out = Sum<Prod<N, U10>, D>;
}

/// The number of a list of digits, `(((), A), B)`.
pub trait Horner {
    /// Its value.
    type Out;
}

impl Horner for () {
    type Out = UTerm;
}

impl<Front: Horner, const D: u8> Horner for (Front, Is<D>)
where
    Is<D>: Digit,
    Front::Out: Append<<Is<D> as Digit>::Number>,
{
    type Out = <Front::Out as Append<<Is<D> as Digit>::Number>>::Out;
}

/// Digits, the last first: `Digits<Is<4>, Digits<Is<8>, Digits<Is<7>, End>>>` is 784.
pub struct Digits<First, Rest>(First, Rest);

/// No more digits.
pub struct End;

/// Twice a list of digits plus a carried bit.
pub trait Double<Carry> {
    /// The doubled list.
    type Out;
}

/// Twice a digit plus a carried bit.
pub trait DoubleDigit<Carry> {
    /// The digit that stays.
    type Digit;
    /// The bit that is carried on.
    type Carry;
}

macro_rules! doubled {
    ($($digit:literal: $even:literal $odd:literal $carry:ident;)+) => {$(
        impl DoubleDigit<B0> for Is<$digit> {
            type Digit = Is<$even>;
            type Carry = $carry;
        }
        impl DoubleDigit<B1> for Is<$digit> {
            type Digit = Is<$odd>;
            type Carry = $carry;
        }
    )+};
}
doubled! {
    0: 0 1 B0; 1: 2 3 B0; 2: 4 5 B0; 3: 6 7 B0; 4: 8 9 B0;
    5: 0 1 B1; 6: 2 3 B1; 7: 4 5 B1; 8: 6 7 B1; 9: 8 9 B1;
}

impl Double<B0> for End {
    type Out = End;
}

impl Double<B1> for End {
    type Out = Digits<Is<1>, End>;
}

impl<Carry, First, Rest> Double<Carry> for Digits<First, Rest>
where
    First: DoubleDigit<Carry>,
    Rest: Double<First::Carry>,
{
    type Out = Digits<First::Digit, Rest::Out>;
}

/// The decimal digits of a typenum number.
pub trait ToDigits {
    /// The list of digits, the last first.
    type Out;
}

impl ToDigits for UTerm {
    type Out = End;
}

impl<U: ToDigits, B> ToDigits for UInt<U, B>
where
    U::Out: Double<B>,
{
    type Out = <U::Out as Double<B>>::Out;
}

/// The dimension with a list of digits.
pub trait FromDigits {
    /// The dimension.
    type Dim: Static;
}

impl FromDigits for End {
    type Dim = Dim1<0>;
}

impl<N: ToDigits> Decimal for N
where
    N::Out: FromDigits,
{
    type Dim = <N::Out as FromDigits>::Dim;
}

macro_rules! list {
    () => { End };
    ($last:ident $($rest:ident)*) => { Digits<Is<$last>, list!($($rest)*)> };
}

macro_rules! horner {
    () => { () };
    ($last:ident $($front:ident)*) => { (horner!($($front)*), Is<$last>) };
}

macro_rules! dimensions {
    ($($name:ident<$($digit:ident),+> $($reversed:ident)+;)+) => {$(
        impl<$(const $digit: u8),+> Number for $name<$($digit),+>
        where
            horner!($($reversed)+): Horner,
        {
            type Number = <horner!($($reversed)+) as Horner>::Out;
        }

        impl<$(const $digit: u8),+> FromDigits for list!($($reversed)+) {
            type Dim = $name<$($digit),+>;
        }
    )+};
}
dimensions! {
    Dim1<A> A;
    Dim2<A, B> B A;
    Dim3<A, B, C> C B A;
    Dim4<A, B, C, D> D C B A;
    Dim5<A, B, C, D, E> E D C B A;
    Dim6<A, B, C, D, E, F> F E D C B A;
    Dim7<A, B, C, D, E, F, G> G F E D C B A;
    Dim8<A, B, C, D, E, F, G, H> H G F E D C B A;
    Dim9<A, B, C, D, E, F, G, H, I> I H G F E D C B A;
}
