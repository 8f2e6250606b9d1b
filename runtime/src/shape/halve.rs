//! Half of a dimension, computed digit by digit: most images are halved again and again, and rustc does this twenty times
//! faster than a division of binary numbers.
//!
//! `n / 2` is `5 n` without its last digit. That digit of `5 n` is 0 if `n` is even.

use super::decimal::{Digits, End, FromDigits, Is};
use super::dim::*;

/// A static dimension that can be halved.
#[diagnostic::on_unimplemented(message = "`{Self}` has no half", label = "this size is not known to be even")]
pub trait Halved: Static {
    /// `ceil(Self / 2)`
    type Ceil: Static;
}

/// A static dimension of even size.
#[diagnostic::on_unimplemented(message = "2 does not divide `{Self}`", label = "this size is odd")]
pub trait Even: Static {
    /// `Self / 2`
    type Half: Static;
}

/// Half of a last digit: what it carries to the digits before it.
pub trait HalfDigit {
    /// Rounded up.
    type Ceil;
}

/// An even last digit, that of the dimension `Whole`.
#[diagnostic::on_unimplemented(message = "2 does not divide `{Whole}`", label = "`{Whole}` is odd")]
pub trait EvenDigit<Whole> {
    /// Its half.
    type Half;
}

/// Five times a digit plus what is carried.
pub trait TimesFive<Carry> {
    /// The digit that stays.
    type Digit;
    /// What is carried on.
    type Carry;
}

macro_rules! times_five {
    ($digit:literal: $($carry:literal $stays:literal $carries:literal),+) => {$(
        impl TimesFive<Is<$carry>> for Is<$digit> {
            type Digit = Is<$stays>;
            type Carry = Is<$carries>;
        }
    )+};
}

macro_rules! even {
    ($($digit:literal $half:literal;)+) => {$(
        impl HalfDigit for Is<$digit> {
            type Ceil = Is<$half>;
        }
        impl<Whole> EvenDigit<Whole> for Is<$digit> {
            type Half = Is<$half>;
        }
        times_five! { $digit: 0 0 $half, 1 1 $half, 2 2 $half, 3 3 $half, 4 4 $half, 5 5 $half }
    )+};
}

macro_rules! odd {
    ($($digit:literal $floor:literal $ceil:literal;)+) => {$(
        impl HalfDigit for Is<$digit> {
            type Ceil = Is<$ceil>;
        }
        times_five! { $digit: 0 5 $floor, 1 6 $floor, 2 7 $floor, 3 8 $floor, 4 9 $floor, 5 0 $ceil }
    )+};
}

even! { 0 0; 2 1; 4 2; 6 3; 8 4; }
odd! { 1 0 1; 3 1 2; 5 2 3; 7 3 4; 9 4 5; }

/// Five times a list of digits, the last first, plus what is carried.
pub trait Fives<Carry> {
    /// The longer list.
    type Out;
}

impl Fives<Is<0>> for End {
    type Out = End;
}

macro_rules! carried {
    ($($carry:literal)+) => {$(
        impl Fives<Is<$carry>> for End {
            type Out = Digits<Is<$carry>, End>;
        }
    )+};
}
carried! { 1 2 3 4 5 }

impl<Carry, First: TimesFive<Carry>, Rest: Fives<First::Carry>> Fives<Carry> for Digits<First, Rest> {
    type Out = Digits<First::Digit, Rest::Out>;
}

macro_rules! list {
    () => { End };
    ($last:ident $($rest:ident)*) => { Digits<Is<$last>, list!($($rest)*)> };
}

macro_rules! dimensions {
    ($($name:ident<$($digit:ident),+> $last:ident $($rest:ident)*;)+) => {$(
        impl<$(const $digit: u8),+> Halved for $name<$($digit),+>
        where
            Is<$last>: HalfDigit,
            list!($($rest)*): Fives<<Is<$last> as HalfDigit>::Ceil, Out: FromDigits>,
        {
            type Ceil = <<list!($($rest)*) as Fives<<Is<$last> as HalfDigit>::Ceil>>::Out as FromDigits>::Dim;
        }

        impl<$(const $digit: u8),+> Even for $name<$($digit),+>
        where
            Is<$last>: EvenDigit<Self>,
            list!($($rest)*): Fives<<Is<$last> as EvenDigit<Self>>::Half, Out: FromDigits>,
        {
            type Half = <<list!($($rest)*) as Fives<<Is<$last> as EvenDigit<Self>>::Half>>::Out as FromDigits>::Dim;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::dim::names::*;

    #[test]
    fn halves() {
        fn check<D: Even + Halved>() {
            assert_eq!((D::N / 2, D::N / 2), (<D::Half as Static>::N, <D::Ceil as Static>::N));
        }
        check::<U0>();
        check::<U2>();
        check::<U10>();
        check::<U18>();
        check::<U224>();
        check::<U1000>();
        check::<U998>();
        check::<Dim9<1, 2, 3, 4, 5, 6, 7, 9, 8>>();
    }

    #[test]
    fn halves_of_odd_sizes_are_rounded_up() {
        fn check<D: Halved>() {
            assert_eq!(D::N.div_ceil(2), <D::Ceil as Static>::N);
        }
        check::<U1>();
        check::<U7>();
        check::<U19>();
        check::<U99>();
        check::<U199>();
        check::<U999>();
        check::<Dim5<1, 0, 9, 9, 9>>();
    }

    #[test]
    fn a_half_is_the_same_type_as_its_name() {
        fn same<T>(_: T, _: T) {}
        same(<U28 as Even>::Half::default(), U14::default());
        same(<U199 as Halved>::Ceil::default(), U100::default());
    }
}
