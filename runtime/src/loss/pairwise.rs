//! What losses of two inputs have in common that are `f(a, b)` element by element, or the sum of it along each row.

use super::rows::{self, Row};
use crate::backend::map::{self, Function};
use crate::op::Need;
use crate::shape::{Shape, SplitLast};
use crate::tensor::{Float, Primitive, Tensor};

/// A function of two scalars with its derivatives, written with `#[inline(always)]`.
pub(super) trait Pairwise: Sync {
    /// `f(a, b)`
    fn value<E: Float>(&self, a: E, b: E) -> E;
    /// `df/da`
    fn partial_a<E: Float>(&self, a: E, b: E) -> E;
    /// `df/db`
    fn partial_b<E: Float>(&self, a: E, b: E) -> E;
}

macro_rules! functions {
    ($($name:ident |$f:ident, $a:ident, $b:ident| $value:expr;)+) => {$(
        struct $name<'a, F>(&'a F);

        impl<F: Pairwise, E: Float> Function<(E, E)> for $name<'_, F> {
            type Out = E;

            #[inline(always)]
            fn at(&self, ($a, $b): (E, E)) -> E {
                let $f = self;
                $value
            }
        }
    )+};
}
functions! {
    Value |f, a, b| E::primitive(f, [a, b]);
    PartialA |f, a, b| f.0.partial_a(a, b);
    PartialB |f, a, b| f.0.partial_b(a, b);
}

impl<F: Pairwise> Primitive<2> for Value<'_, F> {
    #[inline(always)]
    fn value<E: Float>(&self, [a, b]: [E; 2]) -> E {
        self.0.value(a, b)
    }

    #[inline(always)]
    fn tangent<E: Float>(&self, [a, b]: [E; 2], _: E, [da, db]: [E; 2]) -> E {
        self.0.partial_a(a, b) * da + self.0.partial_b(a, b) * db
    }
}

impl<F: Pairwise, E: Float> Row<E, 2, 1> for Value<'_, F> {
    #[inline(always)]
    fn row(&self, _: usize, [a, b]: [&[E]; 2], [out]: [&mut [E]; 1]) {
        out[0] = rows::sum(a, b, |a, b| self.at((a, b)));
    }
}

struct Multiply;

impl<E: Float> Function<(E, E)> for Multiply {
    type Out = E;

    #[inline(always)]
    fn at(&self, (a, b): (E, E)) -> E {
        a * b
    }
}

fn zip<S: Shape, E: Float>(
    f: &impl Function<(E, E), Out = E>,
    a: &Tensor<S, E>,
    b: &Tensor<S, E>,
) -> Tensor<S, E> {
    Tensor::written(a.shape(), |out| map::zip(f, a.as_slice(), b.as_slice(), out))
}

/// `f(a, b)` element by element.
pub(super) fn elements<S: Shape, E: Float>(
    f: &impl Pairwise,
    mut a: Tensor<S, E>,
    b: &Tensor<S, E>,
) -> Tensor<S, E> {
    if let Some(elements) = a.get_mut() {
        map::zip_in_place(&Value(f), elements, b.as_slice());
        return a;
    }
    zip(&Value(f), &a, b)
}

/// The sums of `f(a, b)` along each row.
pub(super) fn row_sums<S: SplitLast, E: Float>(
    f: &impl Pairwise,
    a: &Tensor<S, E>,
    b: &Tensor<S, E>,
) -> Tensor<S::Front, E> {
    rows::reduce(&Value(f), a, b)
}

/// The derivatives that are needed.
pub(super) type Partials<S, E, NA, NB> = (<NA as Need>::Of<Tensor<S, E>>, <NB as Need>::Of<Tensor<S, E>>);

/// Computes the derivatives that are needed.
pub(super) fn partials<S: Shape, E: Float, NA: Need, NB: Need>(
    f: &impl Pairwise,
    a: &Tensor<S, E>,
    b: &Tensor<S, E>,
) -> Partials<S, E, NA, NB> {
    (NA::when(|| zip(&PartialA(f), a, b)), NB::when(|| zip(&PartialB(f), a, b)))
}

/// `partial * cotangent`
pub(super) fn scaled<S: Shape, E: Float>(
    mut partial: Tensor<S, E>,
    cotangent: &Tensor<S, E>,
) -> Tensor<S, E> {
    map::zip_in_place(&Multiply, partial.as_mut_slice(), cotangent.as_slice());
    partial
}

/// Makes an op of a [`Pairwise`] function: `elements` of it, or `row_sums`.
macro_rules! pairwise_op {
    ($op:ident, elements, $name:literal, $inputs:expr) => {
        crate::loss::pairwise::pairwise_op! {
            $op, $name, $inputs, Shape, Tensor<S, E>, same,
            |op, a, b| elements(op, a, &b), crate::loss::pairwise::scaled
        }
    };
    ($op:ident, row_sums, $name:literal, $inputs:expr) => {
        crate::loss::pairwise::pairwise_op! {
            $op, $name, $inputs, SplitLast, Tensor<S::Front, E>, rows,
            |op, a, b| row_sums(op, &a, &b), crate::loss::rows::scale
        }
    };
    (
        $op:ident, $name:literal, $inputs:expr, $shape:ident, $out:ty, $rule:ident,
        |$self:ident, $a:ident, $b:ident| $value:ident($($argument:expr),+), $scale:path
    ) => {
        impl $op {
            /// The rule in numbers: both inputs have the same sizes.
            pub const fn shape([a, b]: [crate::shape::Sizes; 2]) -> crate::shape::Rule {
                crate::loss::sizes::$rule($name, $inputs, a, b)
            }
        }

        impl<S: crate::shape::$shape, E: Float> op::Op<(Tensor<S, E>, Tensor<S, E>)> for $op {
            type Out = $out;

            fn infer(&self, ($a, $b): (Tensor<S, E>, Tensor<S, E>)) -> Self::Out {
                crate::loss::sizes::check($op::shape, &$a, &$b);
                let $self = self;
                crate::loss::pairwise::$value($($argument),+)
            }
        }

        impl<S: crate::shape::$shape, E: Float, NA: op::Need, NB: op::Need>
            op::Differentiable<(Tensor<S, E>, Tensor<S, E>), (NA, NB)> for $op
        {
            /// The derivatives, before they are multiplied by the cotangent.
            type Residuals = crate::loss::pairwise::Partials<S, E, NA, NB>;

            fn forward(&self, (a, b): (Tensor<S, E>, Tensor<S, E>)) -> (Self::Out, Self::Residuals) {
                crate::loss::sizes::check($op::shape, &a, &b);
                let partials = crate::loss::pairwise::partials::<S, E, NA, NB>(self, &a, &b);
                (self.infer((a, b)), partials)
            }

            fn backward(&self, (a, b): Self::Residuals, cotangent: Self::Out) -> Self::Residuals {
                (
                    NA::map(a, |partial| $scale(partial, &cotangent)),
                    NB::map(b, |partial| $scale(partial, &cotangent)),
                )
            }
        }
    };
}
pub(super) use pairwise_op;
