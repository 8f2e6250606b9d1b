//! `a + b`, `a * 2.0`, `-a` on tensors, for code outside of modules. An operand given by reference is not overwritten.

use super::elementwise::map;
use super::{add, div, mul, neg, sub};
use crate::backend::map::WithRight;
use crate::op::Op;
use crate::shape::Shape;
use crate::shape::broadcast::Broadcast;
use crate::tensor::{Float, Tensor};
use std::ops::{Add, Div, Mul, Neg, Sub};

macro_rules! operators {
    ($($trait:ident $method:ident $op:ident $left:ident;)+) => {$(
        impl<A: Broadcast<B>, B: Shape, E: Float> $trait<Tensor<B, E>> for Tensor<A, E> {
            type Output = Tensor<A::Out, E>;
            fn $method(self, b: Tensor<B, E>) -> Self::Output {
                $op(self, b)
            }
        }

        impl<A: Broadcast<B>, B: Shape, E: Float> $trait<&Tensor<B, E>> for Tensor<A, E> {
            type Output = Tensor<A::Out, E>;
            fn $method(self, b: &Tensor<B, E>) -> Self::Output {
                $op(self, b.clone())
            }
        }

        impl<A: Broadcast<B>, B: Shape, E: Float> $trait<Tensor<B, E>> for &Tensor<A, E> {
            type Output = Tensor<A::Out, E>;
            fn $method(self, b: Tensor<B, E>) -> Self::Output {
                $op(self.clone(), b)
            }
        }

        impl<A: Broadcast<B>, B: Shape, E: Float> $trait<&Tensor<B, E>> for &Tensor<A, E> {
            type Output = Tensor<A::Out, E>;
            fn $method(self, b: &Tensor<B, E>) -> Self::Output {
                $op(self.clone(), b.clone())
            }
        }

        impl<S: Shape, E: Float> $trait<E> for Tensor<S, E> {
            type Output = Tensor<S, E>;
            fn $method(self, v: E) -> Self {
                map(&WithRight(&$op::Op, v), self)
            }
        }

        impl<S: Shape, E: Float> $trait<E> for &Tensor<S, E> {
            type Output = Tensor<S, E>;
            fn $method(self, v: E) -> Tensor<S, E> {
                map(&WithRight(&$op::Op, v), self.clone())
            }
        }

        operators!($trait $method $op $left f32);
        operators!($trait $method $op $left f64);
    )+};
    ($trait:ident $method:ident $op:ident $left:ident $float:ident) => {
        impl<S: Shape> $trait<Tensor<S, $float>> for $float {
            type Output = Tensor<S, $float>;
            fn $method(self, x: Tensor<S, $float>) -> Self::Output {
                $op::$left::new(self).infer(x)
            }
        }

        impl<S: Shape> $trait<&Tensor<S, $float>> for $float {
            type Output = Tensor<S, $float>;
            fn $method(self, x: &Tensor<S, $float>) -> Self::Output {
                $op::$left::new(self).infer(x.clone())
            }
        }
    };
}

operators! {
    Add add add Scalar;
    Sub sub sub FromScalar;
    Mul mul mul Scalar;
    Div div div IntoScalar;
}

impl<S: Shape, E: Float> Neg for Tensor<S, E> {
    type Output = Self;
    fn neg(self) -> Self {
        neg(self)
    }
}

impl<S: Shape, E: Float> Neg for &Tensor<S, E> {
    type Output = Tensor<S, E>;
    fn neg(self) -> Tensor<S, E> {
        neg(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn operators_of_tensors_and_scalars() {
        let a = Tensor::<(U2,)>::of(&[1.0, 2.0]).unwrap();
        let b = Tensor::<(U2, U1)>::of(&[10.0, 20.0]).unwrap();
        assert_eq!((&a + &b).as_slice(), [11.0, 12.0, 21.0, 22.0]);
        assert_eq!((&b - &a).as_slice(), [9.0, 8.0, 19.0, 18.0]);
        assert_eq!((a.clone() * a.clone() / 2.0).as_slice(), [0.5, 2.0]);
        assert_eq!((1.0 - &a).as_slice(), [0.0, -1.0]);
        assert_eq!((2.0 / &a + 1.0).as_slice(), [3.0, 2.0]);
        assert_eq!((-&a).as_slice(), [-1.0, -2.0]);
        assert_eq!(a.as_slice(), [1.0, 2.0]);
    }
}
