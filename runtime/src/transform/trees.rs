//! Trees that carry tangents: those of flaxen's layers, tuples, and the variables of a model.

use super::lift::{Lift, Primal, Split};
use crate::module::{Collections, Each, Eval, Train, Variables};
use crate::nn::{EmbedParams, KernelBias, RunningStatistics, ScaleBias, UseBias, UseScale};
use crate::shape::{Dim, Shape, SplitLast};
use crate::tensor::{Dual, Float, Tensor};

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

/// The parameters of layers: before the semicolon what stands before the element, and each field as a type that lacks the
/// element.
macro_rules! layers {
    ($(
        $layer:ident<$($first:ident: $first_bound:path),+; $($last:ident: $last_bound:path),*> {
            $($field:ident: $($of:ident)::+<$shape:ty>),+
        }
    )+) => {$(
        impl<$($first: $first_bound,)+ E: Float, $($last: $last_bound,)* Call> Lift<Call> for $layer<$($first,)+ E, $($last),*>
        where
            $($($of)::+<$shape, E>: Lift<Call, Lifted = $($of)::+<$shape, Dual<E>>>,)+
        {
            type Lifted = $layer<$($first,)+ Dual<E>, $($last),*>;

            fn lifted(&self) -> Self::Lifted {
                $layer { $($field: Lift::<Call>::lifted(&self.$field)),+ }
            }
        }

        impl<$($first: $first_bound,)+ E: Float, $($last: $last_bound,)* Call> Primal<Call> for $layer<$($first,)+ E, $($last),*>
        where
            $($($of)::+<$shape, E>: Primal<Call, Lifted = $($of)::+<$shape, Dual<E>>, Owned = $($of)::+<$shape, E>>,)+
        {
            type Owned = Self;

            fn owned(&self) -> &Self {
                self
            }

            fn with_tangent(&self, tangent: &Self) -> Self::Lifted {
                $layer { $($field: Primal::<Call>::with_tangent(&self.$field, &tangent.$field)),+ }
            }
        }

        impl<$($first: $first_bound,)+ E: Float, $($last: $last_bound,)* Call> Split<Call>
            for $layer<$($first,)+ Dual<E>, $($last),*>
        where
            $($($of)::+<$shape, Dual<E>>: Split<Call, Primal = $($of)::+<$shape, E>>,)+
        {
            type Primal = $layer<$($first,)+ E, $($last),*>;

            fn split(self) -> (Self::Primal, Self::Primal) {
                $(let $field = Split::<Call>::split(self.$field);)+
                ($layer { $($field: $field.0),+ }, $layer { $($field: $field.1),+ })
            }
        }
    )+};
}

layers! {
    KernelBias<K: SplitLast; B: UseBias, F: Shape> { kernel: Tensor<K>, bias: B::Of<F> }
    ScaleBias<S: Shape; A: UseScale, B: UseBias> { scale: A::Of<S>, bias: B::Of<S> }
    EmbedParams<N: Dim, F: Dim;> { embedding: Tensor<(N, F)> }
    RunningStatistics<F: Dim;> { mean: Tensor<(F,)>, var: Tensor<(F,)> }
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
impl<'a, P, S: Clone> Collections<'a, P, S> for &'a (P, S) {
    fn split(self) -> (&'a P, S) {
        (&self.0, self.1.clone())
    }
}

impl<T: Lift<Call>, Call, const N: usize> Lift<Call> for Each<T, N> {
    type Lifted = Each<T::Lifted, N>;

    fn lifted(&self) -> Self::Lifted {
        Each(self.0.lifted())
    }
}

impl<T: Primal<Call, Owned = T>, Call, const N: usize> Primal<Call> for Each<T, N> {
    type Owned = Self;

    fn owned(&self) -> &Self {
        self
    }

    fn with_tangent(&self, tangent: &Self) -> Self::Lifted {
        Each(self.0.with_tangent(&tangent.0))
    }
}

impl<T: Split<Call>, Call, const N: usize> Split<Call> for Each<T, N> {
    type Primal = Each<T::Primal, N>;

    fn split(self) -> (Self::Primal, Self::Primal) {
        let (values, tangents) = self.0.split();
        (Each(values), Each(tangents))
    }
}

/// What an arm that is not taken has none of.
impl<T: Lift<Call>, Call> Lift<Call> for Option<T> {
    type Lifted = Option<T::Lifted>;

    fn lifted(&self) -> Self::Lifted {
        self.as_ref().map(T::lifted)
    }
}

impl<T: Primal<Call, Owned = T>, Call> Primal<Call> for Option<T> {
    type Owned = Self;

    fn owned(&self) -> &Self {
        self
    }

    fn with_tangent(&self, tangent: &Self) -> Self::Lifted {
        self.as_ref().zip(tangent.as_ref()).map(|(value, tangent)| value.with_tangent(tangent))
    }
}

impl<T: Split<Call>, Call> Split<Call> for Option<T> {
    type Primal = Option<T::Primal>;

    fn split(self) -> (Self::Primal, Self::Primal) {
        self.map(T::split).unzip()
    }
}
