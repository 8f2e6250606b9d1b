//! A value that is about to be computed, so that an elementwise function or a pooling that follows can be computed with it.

use crate::backend::Halving;
use crate::shape::Shape;
use crate::tensor::{Float, Tensor};

/// A value that is about to be computed.
///
/// Where the result of one call goes to the next one alone, a `#[module]` hands it over before it is computed. What follows
/// may ask for it with a function of every element, or for a pooling of it, and who computes it may know how: a convolution that
/// goes through `relu` writes its output once, and one that is pooled in inference writes a quarter. Who does not know computes
/// first and then goes over the elements; the numbers are the same.
pub trait Deferred<T>: Sized {
    /// Computes it.
    fn compute(self) -> T;

    /// Computes `f` of every element.
    fn map<F: Unary>(self, f: F) -> T
    where
        T: Elements,
    {
        self.compute().map(f)
    }

    /// Computes `f` of every element and that of `other` at the same place.
    fn zip<F: Binary>(self, f: F, other: T) -> T
    where
        T: Elements,
    {
        self.compute().zip(f, other)
    }

    /// Computes a pooling of it.
    fn pool<P: Pooling<ShapeOf<T>>>(self, pooling: &P) -> Pooled<T, P>
    where
        T: Elements,
    {
        self.compute().pool(pooling)
    }

    /// Computes a pooling of `f` of every element.
    fn map_pool<F: Unary, P: Pooling<ShapeOf<T>>>(self, f: F, pooling: &P) -> Pooled<T, P>
    where
        T: Elements,
    {
        self.map(f).pool(pooling)
    }
}

/// The shape of a tensor.
pub type ShapeOf<T> = <T as Elements>::Shape;

/// What a pooling makes of a tensor. (Whoever implements [`Deferred::pool`] writes these two aliases: the compiler does not look
/// through them there.)
pub type Pooled<T, P> = Tensor<<P as Pooling<ShapeOf<T>>>::Out, <T as Elements>::Element>;

/// What a call does with an output that goes to the next call alone, in inference: a guess, for who plans how much memory is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handover {
    /// Writes it.
    Written,
    /// Leaves it to the next call, which may write a pooling of it instead.
    Left,
    /// Leaves it to the next call, if the input has been left to this one.
    Passed,
    /// Writes it, and the input, if that has been left to this call, is never written.
    Pooled,
}

/// A function of an element.
pub trait Unary: Sync {
    /// Whether it is `max(x, 0)`, which products and convolutions compute on the way to memory.
    const IS_RELU: bool = false;

    /// `f(x)`
    fn at<E: Float>(&self, x: E) -> E;
}

/// A function of two elements.
pub trait Binary: Sync {
    /// `f(a, b)`
    fn at<E: Float>(&self, a: E, b: E) -> E;
}

/// A pooling of images.
pub trait Pooling<X: Shape> {
    /// The shape of the output.
    type Out: Shape;

    /// The output.
    fn pool<E: Float>(&self, x: Tensor<X, E>) -> Tensor<Self::Out, E>;

    /// If it halves images of a shape, how it does that, and the shape of the output: who computes the images may halve them
    /// before they are written.
    fn halving(&self, x: X) -> Option<(Halving, Self::Out)>;
}

/// What has elements: a tensor.
pub trait Elements: Sized {
    /// Its shape.
    type Shape: Shape;
    /// The type of its elements.
    type Element: Float;

    /// `f` of every element.
    fn map<F: Unary>(self, f: F) -> Self;

    /// `f` of every element and that of `other` at the same place.
    fn zip<F: Binary>(self, f: F, other: Self) -> Self;

    /// A pooling.
    fn pool<P: Pooling<Self::Shape>>(self, pooling: &P) -> Tensor<P::Out, Self::Element>;
}

/// A value that is there.
pub struct Now<T>(pub T);

impl<T> Deferred<T> for Now<T> {
    fn compute(self) -> T {
        self.0
    }
}

/// A value that may be there already.
pub(crate) enum Perhaps<D, T> {
    Later(D),
    Now(T),
}

impl<T, D: Deferred<T>> Deferred<T> for Perhaps<D, T> {
    fn compute(self) -> T {
        match self {
            Perhaps::Later(value) => value.compute(),
            Perhaps::Now(value) => value,
        }
    }

    fn map<F: Unary>(self, f: F) -> T
    where
        T: Elements,
    {
        match self {
            Perhaps::Later(value) => value.map(f),
            Perhaps::Now(value) => value.map(f),
        }
    }

    fn zip<F: Binary>(self, f: F, other: T) -> T
    where
        T: Elements,
    {
        match self {
            Perhaps::Later(value) => value.zip(f, other),
            Perhaps::Now(value) => value.zip(f, other),
        }
    }

    fn pool<P: Pooling<ShapeOf<T>>>(self, pooling: &P) -> Pooled<T, P>
    where
        T: Elements,
    {
        match self {
            Perhaps::Later(value) => value.pool(pooling),
            Perhaps::Now(value) => value.pool(pooling),
        }
    }

    fn map_pool<F: Unary, P: Pooling<ShapeOf<T>>>(self, f: F, pooling: &P) -> Pooled<T, P>
    where
        T: Elements,
    {
        match self {
            Perhaps::Later(value) => value.map_pool(f, pooling),
            Perhaps::Now(value) => value.map(f).pool(pooling),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Differentiable, Needs, No, Op, Yes};
    use crate::ops::testing::random;
    use crate::ops::{
        avg_pool, avg_pool_with, conv, exp, flatten, linear, max_pool, max_pool_with, neg, relu, square, tanh,
    };
    use crate::prelude::*;

    /// The values, minus zero told from zero.
    fn bits<S: Shape, E: Float>(x: &Tensor<S, E>) -> String {
        format!("{:?}", x.as_slice())
    }

    /// A call whose output goes to an op gives the same values together and one after the other.
    fn forward<In, N, S, T, E>(
        first: &impl Differentiable<In, N, Out = Tensor<S, E>>,
        then: &impl Differentiable<Tensor<S, E>, Yes, Out = Tensor<T, E>>,
        input: In,
    ) where
        In: Clone,
        N: Needs<In>,
        S: Shape,
        T: Shape,
        E: Float,
    {
        let y = then.infer(first.infer(input.clone()));
        let together = then.infer_deferred(first.infer_deferred(Now(input.clone())));
        assert_eq!(bits(&together.compute()), bits(&y), "inferred");
        let y = then.forward(first.forward(input.clone()).0).0;
        let together = then.forward_deferred(first.forward_deferred(Now(input)).0).0;
        assert_eq!(bits(&together.compute()), bits(&y), "forward");
    }

    /// The same for two ops of one input, in both directions.
    fn both<S: Shape, T: Shape, U: Shape, E: Float>(
        first: &impl Differentiable<Tensor<S, E>, Yes, Out = Tensor<T, E>>,
        then: &impl Differentiable<Tensor<T, E>, Yes, Out = Tensor<U, E>>,
        x: Tensor<S, E>,
    ) {
        forward::<_, Yes, _, _, _>(first, then, x.clone());
        let pull = |shared: bool| {
            let (y, kept) = first.forward(x.clone());
            let (z, kept_then) = then.forward(y.clone());
            let dz = Tensor::from_fn(z.shape(), |i| E::from_f64([1.5, -0.0, -2.0, 0.1][i % 4]));
            let holder = shared.then(|| (dz.clone(), x.clone(), y));
            let together = then.backward_deferred(kept_then, Now(dz));
            let together = first.backward_deferred(kept, together).compute();
            drop(holder);
            together
        };
        let (y, kept) = first.forward(x.clone());
        let (z, kept_then) = then.forward(y);
        let dz = Tensor::from_fn(z.shape(), |i| E::from_f64([1.5, -0.0, -2.0, 0.1][i % 4]));
        let dx = first.backward(kept, then.backward(kept_then, dz));
        assert_eq!(bits(&pull(false)), bits(&dx), "backward");
        assert_eq!(bits(&pull(true)), bits(&dx), "backward, while others hold what is read");
    }

    /// Random numbers with zeros of both signs and NaN among them.
    fn numbers<S: Shape, E: Float>(shape: S, seed: u64) -> Tensor<S, E> {
        let random = random(shape, seed);
        Tensor::from_fn(shape, |i| match i % 7 {
            3 => E::from_f64(-0.0),
            4 if i > 20 => E::from_f64(f64::NAN),
            5 => E::ZERO,
            _ => E::from_f64(random.as_slice()[i]),
        })
    }

    fn products_and_what_follows<E: Float>() {
        let (x, kernel) = (numbers::<_, E>((Dyn(9), U5::default()), 1), numbers((U5::default(), Dyn(7)), 2));
        let bias: Tensor<(Dyn,), E> = numbers((Dyn(7),), 3);
        type All = (Yes, Yes, Yes);
        forward::<_, All, _, _, _>(&linear::Op, &relu::Op, (x.clone(), kernel.clone(), bias.clone()));
        forward::<_, All, _, _, _>(&linear::Op, &tanh::Op, (x.clone(), kernel.clone(), bias));
        forward::<_, All, _, _, _>(&linear::Op, &relu::Op, (x, kernel, ()));
        let image = numbers::<_, E>((Dyn(2), Dyn(5), Dyn(6), U3::default()), 4);
        let kernel = numbers::<_, E>((U3::default(), U3::default(), U3::default(), U5::default()), 5);
        let bias: Tensor<(U5,), E> = numbers((U5::default(),), 6);
        let conv = conv::Op::<U1, Same>::new();
        forward::<_, All, _, _, _>(&conv, &relu::Op, (image.clone(), kernel.clone(), bias.clone()));
        forward::<_, (No, Yes, Yes), _, _, _>(&conv, &square::Op, (image.clone(), kernel.clone(), bias));
        forward::<_, (Yes, Yes), _, _, _>(&conv, &relu::Op, (image, kernel));
    }

    #[test]
    fn products_give_the_same_bits_with_the_op_that_follows() {
        products_and_what_follows::<f32>();
        products_and_what_follows::<Dual<f32>>();
    }

    /// What is inferred, an op or none, and a pooling give the same values together and one after the other.
    fn pooled<In: Clone, S: Shape, T: Shape, E: Float>(
        first: &impl Op<In, Out = Tensor<S, E>>,
        pooling: &impl Op<Tensor<S, E>, Out = Tensor<T, E>>,
        input: In,
    ) {
        let later = || first.infer_deferred(Now(input.clone()));
        let whole = first.infer(input.clone());
        let cases = [
            (pooling.infer_deferred(later()).compute(), whole.clone()),
            (
                pooling.infer_deferred(relu::Op.infer_deferred(later())).compute(),
                relu::Op.infer(whole.clone()),
            ),
            (
                pooling.infer_deferred(tanh::Op.infer_deferred(later())).compute(),
                tanh::Op.infer(whole.clone()),
            ),
            (
                pooling.infer_deferred(neg::Op.infer_deferred(relu::Op.infer_deferred(later()))).compute(),
                neg::Op.infer(relu::Op.infer(whole)),
            ),
        ];
        for (together, whole) in cases {
            assert_eq!(bits(&together), bits(&pooling.infer(whole)));
        }
    }

    fn convolutions_and_poolings<E: Float>() {
        let image = numbers::<_, E>((Dyn(2), Dyn(6), U4::default(), U3::default()), 4);
        let kernel = numbers::<_, E>((U3::default(), U3::default(), U3::default(), U5::default()), 5);
        let bias: Tensor<(U5,), E> = numbers((U5::default(),), 6);
        let (conv, input) = (conv::Op::<U1, Same>::new(), (image.clone(), kernel.clone(), bias));
        pooled(&conv, &avg_pool::Op::<U2, U2>::new(), input.clone());
        pooled(&conv, &max_pool::Op::<U2, U2>::new(), input.clone());
        pooled(&conv, &avg_pool::Op::<U3, U2>::new(), input.clone());
        pooled(&conv, &avg_pool_with::Op::<U2, U2, Same>::new(), input.clone());
        pooled(&conv, &max_pool_with::Op::<U2, U2>::new(), input.clone());
        pooled(&conv, &max_pool_with::Op::<U2>::new(), input);
        pooled(&conv, &max_pool::Op::<U2, U2>::new(), (image, kernel));
    }

    #[test]
    fn convolutions_give_the_same_bits_with_the_pooling_that_follows() {
        convolutions_and_poolings::<f32>();
        convolutions_and_poolings::<Dual<f32>>();
    }

    fn poolings_and_what_is_before<E: Float>() {
        let image = |features| numbers::<_, E>((Dyn(2), U4::default(), U6::default(), Dyn(features)), 7);
        for features in [1, 3, 17] {
            both(&relu::Op, &avg_pool::Op::<U2, U2>::new(), image(features));
            both(&square::Op, &avg_pool::Op::<U4, U3>::new(), image(features));
            both(&neg::Op, &avg_pool::Op::<U1, U1>::new(), image(features));
            both(&relu::Op, &max_pool::Op::<U2, U3>::new(), image(features));
            both(&avg_pool::Op::<U2, U2>::new(), &flatten::Op, image(features));
        }
    }

    #[test]
    fn poolings_give_the_same_bits_with_the_op_before() {
        poolings_and_what_is_before::<f32>();
        poolings_and_what_is_before::<Dual<f32>>();
    }

    /// Ops that keep their output, their input, and nothing, after each other.
    fn chains<E: Float>() {
        let x = || numbers::<_, E>((Dyn(5), U7::default()), 8);
        both(&relu::Op, &tanh::Op, x());
        both(&tanh::Op, &square::Op, x());
        both(&tanh::Op, &neg::Op, x());
        both(&square::Op, &exp::Op, x());
        both(&square::Op, &square::Op, x());
        both(&square::Op, &neg::Op, x());
        both(&neg::Op, &exp::Op, x());
        both(&neg::Op, &square::Op, x());
        both(&neg::Op, &neg::Op, x());
    }

    #[test]
    fn chains_of_elementwise_ops_give_the_same_bits() {
        chains::<f32>();
        chains::<Dual<f32>>();
    }
}
