//! A value that is about to be computed, so that an elementwise function that follows can be computed with it.

use crate::tensor::Float;

/// A value that is about to be computed.
///
/// Where the result of one call goes to the next one alone, a `#[module]` hands it over before it is computed. What follows
/// may ask for it with a function of every element, and who computes it may know how: a convolution that goes through
/// `relu` writes its output once. Who does not know computes first and then goes over the elements in place; the numbers
/// are the same.
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

/// What has elements: a tensor.
pub trait Elements: Sized {
    /// `f` of every element.
    fn map<F: Unary>(self, f: F) -> Self;

    /// `f` of every element and that of `other` at the same place.
    fn zip<F: Binary>(self, f: F, other: Self) -> Self;
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::{Differentiable, Needs, No, Yes};
    use crate::ops::testing::random;
    use crate::ops::{avg_pool, conv, exp, flatten, linear, max_pool, neg, relu, square, tanh};
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
