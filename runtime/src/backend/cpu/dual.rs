//! The kernels on dual numbers, by those on their parts.
//!
//! Products and convolutions are linear in each of two operands, so that `(a + a'ε)(b + b'ε)` is three of them on real
//! numbers: `ab + (a'b + ab')ε`. Poolings are loops over numbers of any kind.

use super::{lanes::Number, pool};
use crate::backend::{ConvGeometry, Divisor, Epilogue, Gemm, Halving, Kernels, PoolGeometry, Product};
use crate::shape::Dyn;
use crate::tensor::{Dual, Float, Tensor};

/// The values or the tangents of an array.
type Part<E> = Tensor<(Dyn,), E>;

/// An array of dual numbers, taken apart.
struct Parts<E: Float> {
    value: Part<E>,
    tangent: Part<E>,
}

impl<E: Float> Parts<E> {
    fn of(array: &[Dual<E>]) -> Self {
        let shape = (Dyn(array.len()),);
        Parts {
            value: Tensor::from_fn(shape, |i| array[i].value),
            tangent: Tensor::from_fn(shape, |i| array[i].tangent),
        }
    }

    /// `product(a, b)`, of so many elements, of a function that is linear in both.
    fn product(a: &[Dual<E>], b: &[Dual<E>], len: usize, product: impl Fn(&[E], &[E], &mut [E])) -> Self {
        let (a, b) = (Parts::of(a), Parts::of(b));
        let of = |a: &Part<E>, b: &Part<E>| {
            Tensor::written((Dyn(len),), |out| product(a.as_slice(), b.as_slice(), out))
        };
        let (mut tangent, other) = (of(&a.tangent, &b.value), of(&a.value, &b.tangent));
        tangent.as_mut_slice().iter_mut().zip(other.as_slice()).for_each(|(sum, &term)| *sum += term);
        Parts { value: of(&a.value, &b.value), tangent }
    }

    /// Calls `write` with the place of each element, of those that begin at `from`, and its value.
    fn join(&self, from: usize, out: &mut [Dual<E>], write: impl Fn(usize, &mut Dual<E>, Dual<E>)) {
        let parts = self.value.as_slice()[from..].iter().zip(&self.tangent.as_slice()[from..]);
        for (index, (out, (&value, &tangent))) in out.iter_mut().zip(parts).enumerate() {
            write(index, out, Dual { value, tangent });
        }
    }

    fn finish(&self, from: usize, out: &mut [Dual<E>], epilogue: Epilogue<'_, Dual<E>>) {
        self.join(from, out, |index, out, sum| match epilogue {
            Epilogue::Assign => *out = sum,
            Epilogue::Accumulate => *out += sum,
            Epilogue::Bias(bias) => *out = sum + bias[index % bias.len()],
            Epilogue::BiasRelu(bias) => {
                // As the op `relu` has it: at NaN the derivative is zero.
                let Dual { value, tangent } = sum + bias[index % bias.len()];
                *out = Dual {
                    value: if value < E::ZERO { E::ZERO } else { value },
                    tangent: if value > E::ZERO { tangent } else { E::ZERO },
                };
            }
        });
    }
}

impl<E: Float> Number for Dual<E> {
    const LOWEST: Self = Dual::NEG_INFINITY;

    fn from_count(count: usize) -> Self {
        Dual { value: E::from_count(count), tangent: E::ZERO }
    }
}

impl<E: Float> Kernels for Dual<E> {
    fn gemm(gemm: Gemm<'_, Self>, c: &mut [Self], c_stride: usize, epilogue: Epilogue<'_, Self>) {
        let Gemm { m, k, n, a, a_strides, b, b_strides } = gemm;
        let product = |a: &[E], b: &[E], c: &mut [E]| {
            E::gemm(Gemm { m, k, n, a, a_strides, b, b_strides }, c, n, Epilogue::Assign);
        };
        let product = Parts::product(a, b, m * n, product);
        for (row, c) in c.chunks_mut(c_stride.max(1)).take(m).enumerate() {
            product.finish(row * n, &mut c[..n], epilogue);
        }
    }

    fn gemm_each<'a>(
        c: &mut [Self],
        piece: usize,
        products: usize,
        product: impl Fn(usize, usize) -> Product<'a, Self> + Sync,
    ) {
        for (index, c) in c.chunks_exact_mut(piece.max(1)).enumerate() {
            for Product { gemm, start, c_stride } in (0..products).map(|which| product(index, which)) {
                Self::gemm(gemm, &mut c[start..], c_stride, Epilogue::Assign);
            }
        }
    }

    fn conv_forward(
        geometry: &ConvGeometry,
        input: &[Self],
        kernel: &[Self],
        epilogue: Epilogue<'_, Self>,
        output: &mut [Self],
    ) {
        let product = |input: &[E], kernel: &[E], output: &mut [E]| {
            E::conv_forward(geometry, input, kernel, Epilogue::Assign, output);
        };
        Parts::product(input, kernel, output.len(), product).finish(0, output, epilogue);
    }

    fn conv_inference(
        geometry: &ConvGeometry,
        input: &[Self],
        kernel: &[Self],
        epilogue: Epilogue<'_, Self>,
        halving: Option<Halving>,
        output: &mut [Self],
    ) {
        let Some(halving) = halving else {
            return Self::conv_forward(geometry, input, kernel, epilogue, output);
        };
        let whole = Tensor::written((Dyn(geometry.output_len()),), |whole| {
            Self::conv_forward(geometry, input, kernel, epilogue, whole);
        });
        let geometry = PoolGeometry {
            batch: geometry.batch,
            input: geometry.output,
            output: geometry.output.map(|size| size / 2),
            features: geometry.out_features,
            window: [2; 2],
            strides: [2; 2],
            padding: [[0; 2]; 2],
        };
        match halving {
            Halving::Average => pool::avg_pool(&geometry, Divisor::Window, whole.as_slice(), output),
            Halving::Maximum => pool::max_pool(&geometry, whole.as_slice(), output),
        }
    }

    fn conv_input_gradient(
        geometry: &ConvGeometry,
        cotangent: &[Self],
        kernel: &[Self],
        input_gradient: &mut [Self],
    ) {
        let product = |cotangent: &[E], kernel: &[E], gradient: &mut [E]| {
            E::conv_input_gradient(geometry, cotangent, kernel, gradient);
        };
        let gradient = Parts::product(cotangent, kernel, input_gradient.len(), product);
        gradient.finish(0, input_gradient, Epilogue::Assign);
    }

    fn conv_kernel_gradient(
        geometry: &ConvGeometry,
        input: &[Self],
        cotangent: &[Self],
        kernel_gradient: &mut [Self],
        bias_gradient: Option<&mut [Self]>,
    ) {
        let product = |input: &[E], cotangent: &[E], gradient: &mut [E]| {
            E::conv_kernel_gradient(geometry, input, cotangent, gradient, None);
        };
        let gradient = Parts::product(input, cotangent, kernel_gradient.len(), product);
        gradient.finish(0, kernel_gradient, Epilogue::Assign);
        if let Some(sums) = bias_gradient {
            assert_eq!(sums.len(), geometry.out_features, "the bias's gradient of {geometry:?}");
            sums.fill(Dual::ZERO);
            for pixel in cotangent.chunks_exact(sums.len().max(1)) {
                sums.iter_mut().zip(pixel).for_each(|(sum, &term)| *sum += term);
            }
        }
    }

    fn avg_pool(geometry: &PoolGeometry, divisor: Divisor, input: &[Self], output: &mut [Self]) {
        pool::avg_pool(geometry, divisor, input, output);
    }

    fn max_pool(geometry: &PoolGeometry, input: &[Self], output: &mut [Self]) {
        pool::max_pool(geometry, input, output);
    }

    fn mean_of_squares(elements: &[Self]) -> Self {
        let parts = Parts::of(elements);
        let products =
            parts.value.as_slice().iter().zip(parts.tangent.as_slice()).map(|(&x, &tangent)| x * tangent);
        let mean = products.sum::<E>() / E::from_f64(elements.len() as f64);
        Dual { value: E::mean_of_squares(parts.value.as_slice()), tangent: mean + mean }
    }
}
