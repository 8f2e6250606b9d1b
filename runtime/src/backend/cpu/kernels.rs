//! The kernels as functions of their element types.
//!
//! A generic function is compiled in the crate that calls it: with that crate's options, and as often as there are
//! such crates. Through this trait the kernels are compiled here, once for each type; but for those that call a function of the
//! caller's, which are compiled where they are called in any case.

use super::{conv, gemm, lanes::Number, pool, squares};
use crate::backend::{ConvGeometry, Divisor, Epilogue, Gemm, Halving, PoolGeometry, Product};

/// An element type that the kernels compute in: `f32`, `f64`, or dual numbers of them. The functions are those of [`crate::backend`].
#[allow(missing_docs)]
pub trait Kernels: Number {
    fn gemm(gemm: Gemm<'_, Self>, c: &mut [Self], c_stride: usize, epilogue: Epilogue<'_, Self>);
    fn gemm_each<'a>(
        c: &mut [Self],
        piece: usize,
        products: usize,
        product: impl Fn(usize, usize) -> Product<'a, Self> + Sync,
    );
    fn conv_forward(
        geometry: &ConvGeometry,
        input: &[Self],
        kernel: &[Self],
        epilogue: Epilogue<'_, Self>,
        output: &mut [Self],
    );
    fn conv_inference(
        geometry: &ConvGeometry,
        input: &[Self],
        kernel: &[Self],
        epilogue: Epilogue<'_, Self>,
        halving: Option<Halving>,
        output: &mut [Self],
    );
    fn conv_input_gradient(
        geometry: &ConvGeometry,
        cotangent: &[Self],
        kernel: &[Self],
        input_gradient: &mut [Self],
    );
    fn conv_kernel_gradient(
        geometry: &ConvGeometry,
        input: &[Self],
        cotangent: &[Self],
        kernel_gradient: &mut [Self],
        bias_gradient: Option<&mut [Self]>,
    );
    fn avg_pool(geometry: &PoolGeometry, divisor: Divisor, input: &[Self], output: &mut [Self]);
    fn avg_pool_gradient(
        geometry: &PoolGeometry,
        divisor: Divisor,
        cotangent: &[Self],
        finish: impl Fn(usize, &mut [Self]) + Sync,
        input_gradient: &mut [Self],
    ) {
        pool::avg_pool_gradient(geometry, divisor, cotangent, finish, input_gradient);
    }
    fn avg_pool_gradient_in_place(
        geometry: &PoolGeometry,
        divisor: Divisor,
        cotangent: &[Self],
        f: impl Fn(Self, Self) -> Self + Sync,
        input: &mut [Self],
    ) {
        pool::avg_pool_gradient_in_place(geometry, divisor, cotangent, f, input);
    }
    fn max_pool(geometry: &PoolGeometry, input: &[Self], output: &mut [Self]);
    fn max_pool_gradient(
        geometry: &PoolGeometry,
        input: &[Self],
        cotangent: &[Self],
        finish: impl Fn(usize, &mut [Self]) + Sync,
        input_gradient: &mut [Self],
    ) {
        pool::max_pool_gradient(geometry, input, cotangent, finish, input_gradient);
    }
    fn mean_of_squares(elements: &[Self]) -> Self;
}

macro_rules! kernels {
    ($($float:ty)*) => {$(
        impl Kernels for $float {
            fn gemm(gemm: Gemm<'_, Self>, c: &mut [Self], c_stride: usize, epilogue: Epilogue<'_, Self>) {
                gemm::gemm(gemm, c, c_stride, epilogue);
            }
            fn gemm_each<'a>(
                c: &mut [Self],
                piece: usize,
                products: usize,
                product: impl Fn(usize, usize) -> Product<'a, Self> + Sync,
            ) {
                gemm::each(c, piece, products, product);
            }
            fn conv_forward(
                geometry: &ConvGeometry,
                input: &[Self],
                kernel: &[Self],
                epilogue: Epilogue<'_, Self>,
                output: &mut [Self],
            ) {
                conv::forward(geometry, input, kernel, epilogue, output);
            }
            fn conv_inference(
                geometry: &ConvGeometry,
                input: &[Self],
                kernel: &[Self],
                epilogue: Epilogue<'_, Self>,
                halving: Option<Halving>,
                output: &mut [Self],
            ) {
                conv::inference(geometry, input, kernel, epilogue, halving, output);
            }
            fn conv_input_gradient(
                geometry: &ConvGeometry,
                cotangent: &[Self],
                kernel: &[Self],
                input_gradient: &mut [Self],
            ) {
                conv::input_gradient(geometry, cotangent, kernel, input_gradient);
            }
            fn conv_kernel_gradient(
                geometry: &ConvGeometry,
                input: &[Self],
                cotangent: &[Self],
                kernel_gradient: &mut [Self],
                bias_gradient: Option<&mut [Self]>,
            ) {
                conv::kernel_gradient(geometry, input, cotangent, kernel_gradient, bias_gradient);
            }
            fn avg_pool(geometry: &PoolGeometry, divisor: Divisor, input: &[Self], output: &mut [Self]) {
                pool::avg_pool(geometry, divisor, input, output);
            }
            fn max_pool(geometry: &PoolGeometry, input: &[Self], output: &mut [Self]) {
                pool::max_pool(geometry, input, output);
            }
            fn mean_of_squares(elements: &[Self]) -> Self {
                (squares::sum_of_squares(elements) / elements.len() as f64) as $float
            }
        }
    )*};
}

kernels!(f32 f64);
