//! Trees that carry tangents: those of flaxen's layers, tuples, and the variables of a model.

use super::lift::{Lift, Primal, Split};
use crate::module::{Collections, Eval, Train, Variables};
use crate::nn::{KernelBias, UseBias};
use crate::shape::SplitLast;
use crate::tensor::{Dual, Float};

macro_rules! tuples {
    ($($($part:ident $index:tt)*;)+) => {$(
        impl<$($part: Lift<Call>,)* Call> Lift<Call> for ($($part,)*) {
            type Lifted = ($($part::Lifted,)*);

            #[allow(clippy::unused_unit)]
            fn lifted(&self) -> Self::Lifted {
                ($(self.$index.lifted(),)*)
            }
        }

        impl<$($part: Primal<Call, Owned = $part>,)* Call> Primal<Call> for ($($part,)*) {
            type Owned = Self;

            fn owned(&self) -> &Self {
                self
            }

            #[allow(unused_variables, clippy::unused_unit)]
            fn with_tangent(&self, tangent: &Self) -> Self::Lifted {
                ($(self.$index.with_tangent(&tangent.$index),)*)
            }
        }

        impl<$($part: Split<Call>,)* Call> Split<Call> for ($($part,)*) {
            type Primal = ($($part::Primal,)*);

            #[allow(unused_variables, clippy::unused_unit)]
            fn split(self) -> (Self::Primal, Self::Primal) {
                let parts = ($(self.$index.split(),)*);
                (($(parts.$index.0,)*), ($(parts.$index.1,)*))
            }
        }
    )+};
}

tuples! {
    ;
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 F 4;
}

impl<T: Lift<Call>, Call, const N: usize> Lift<Call> for [T; N] {
    type Lifted = [T::Lifted; N];

    fn lifted(&self) -> Self::Lifted {
        self.each_ref().map(T::lifted)
    }
}

impl<T: Primal<Call, Owned = T>, Call, const N: usize> Primal<Call> for [T; N] {
    type Owned = Self;

    fn owned(&self) -> &Self {
        self
    }

    fn with_tangent(&self, tangent: &Self) -> Self::Lifted {
        std::array::from_fn(|index| self[index].with_tangent(&tangent[index]))
    }
}

impl<T: Split<Call>, Call, const N: usize> Split<Call> for [T; N] {
    type Primal = [T::Primal; N];

    fn split(self) -> (Self::Primal, Self::Primal) {
        let mut tangents = [const { None }; N];
        let mut places = tangents.iter_mut();
        let values = self.map(|part| {
            let (value, tangent) = part.split();
            if let Some(place) = places.next() {
                *place = Some(tangent);
            }
            value
        });
        (values, tangents.map(|tangent| tangent.unwrap_or_else(|| unreachable!("each part has a tangent"))))
    }
}

impl<K: SplitLast, E: Float, B: UseBias, Call> Lift<Call> for KernelBias<K, E, B>
where
    B::Of<K::Last, E>: Lift<Call, Lifted = B::Of<K::Last, Dual<E>>>,
{
    type Lifted = KernelBias<K, Dual<E>, B>;

    fn lifted(&self) -> Self::Lifted {
        KernelBias { kernel: Lift::<Call>::lifted(&self.kernel), bias: self.bias.lifted() }
    }
}

impl<K: SplitLast, E: Float, B: UseBias, Call> Primal<Call> for KernelBias<K, E, B>
where
    B::Of<K::Last, E>: Primal<Call, Lifted = B::Of<K::Last, Dual<E>>, Owned = B::Of<K::Last, E>>,
{
    type Owned = Self;

    fn owned(&self) -> &Self {
        self
    }

    fn with_tangent(&self, tangent: &Self) -> Self::Lifted {
        KernelBias {
            kernel: Primal::<Call>::with_tangent(&self.kernel, &tangent.kernel),
            bias: self.bias.with_tangent(&tangent.bias),
        }
    }
}

impl<K: SplitLast, E: Float, B: UseBias, Call> Split<Call> for KernelBias<K, Dual<E>, B>
where
    B::Of<K::Last, Dual<E>>: Split<Call, Primal = B::Of<K::Last, E>>,
{
    type Primal = KernelBias<K, E, B>;

    fn split(self) -> (Self::Primal, Self::Primal) {
        let (kernel, kernel_tangent) = Split::<Call>::split(self.kernel);
        let (bias, bias_tangent) = self.bias.split();
        (KernelBias { kernel, bias }, KernelBias { kernel: kernel_tangent, bias: bias_tangent })
    }
}

impl<P: Lift<Call>, S: Lift<Call>, Call> Lift<Call> for Variables<P, S> {
    type Lifted = Variables<P::Lifted, S::Lifted>;

    fn lifted(&self) -> Self::Lifted {
        Variables { params: self.params.lifted(), state: self.state.lifted() }
    }
}

impl<P: Primal<Call, Owned = P>, S: Primal<Call, Owned = S>, Call> Primal<Call> for Variables<P, S> {
    type Owned = Self;

    fn owned(&self) -> &Self {
        self
    }

    fn with_tangent(&self, tangent: &Self) -> Self::Lifted {
        Variables {
            params: self.params.with_tangent(&tangent.params),
            state: self.state.with_tangent(&tangent.state),
        }
    }
}

macro_rules! phases {
    ($($phase:ident)+) => {$(
        impl<Call> Lift<Call> for $phase {
            type Lifted = $phase;

            fn lifted(&self) -> $phase {
                *self
            }
        }
    )+};
}
phases! { Train Eval }

/// Parameters and state, lifted together.
impl<P, S: Clone> Collections<P, S> for (P, S) {
    fn params(&self) -> &P {
        &self.0
    }
    fn state(&self) -> S {
        self.1.clone()
    }
}
