//! The kernels that ops call: free functions on slices and plain sizes.
//!
//! This is the only door to a device's bodies. Tensors, shapes as types and gradients are the callers'
//! business; here an array is a slice in row-major order, images are NHWC and convolution kernels HWIO, as
//! in Flax. Every function checks the lengths of its slices and panics when they do not fit its sizes:
//! ops derive both from one type, so that is a bug of the op and never a user's mistake.
//!
//! The results do not depend on the number of threads, to the bit.

mod cpu;

pub use cpu::conv::{Winograd, set_winograd};
pub use cpu::kernels::Kernels;
pub use cpu::lanes::{Lanes, Number};
pub(crate) use cpu::prefetch::prefetch;
pub(crate) use cpu::share::parallel_zipped;
pub(crate) use cpu::squares::sum_of_squares;
pub use cpu::threads::{parallel, parallel_chunks, set_threads, threads};
pub(crate) use cpu::{
    attention, columns, copy, gather, map, math, normalize, pages, reduce, rowwise, stretch,
};

/// What happens to the sums of a matrix product or a convolution on their way to memory.
///
/// `N` below is the number of columns, which for a convolution is `out_features`.
#[derive(Clone, Copy, Debug)]
pub enum Epilogue<'a, E> {
    /// `c = sum`.
    Assign,
    /// `c += sum`.
    Accumulate,
    /// `c = sum + bias`, with a bias of shape `[N]`.
    Bias(&'a [E]),
    /// `c = relu(sum + bias)`, with a bias of shape `[N]`. NaN stays NaN.
    BiasRelu(&'a [E]),
}

/// The operands of a matrix product `A·B`: `A` is `m` by `k`, `B` is `k` by `n`.
///
/// Element `(i, j)` of `A` is `a[i * a_strides[0] + j * a_strides[1]]`, likewise for `B`: a transposed operand is
/// the same slice with its strides exchanged.
#[derive(Clone, Copy, Debug)]
pub struct Gemm<'a, E> {
    /// Rows of `A` and of the product.
    pub m: usize,
    /// Columns of `A`, rows of `B`.
    pub k: usize,
    /// Columns of `B` and of the product.
    pub n: usize,
    /// The left operand.
    pub a: &'a [E],
    /// The distance between rows and between columns of `A`, in elements.
    pub a_strides: [usize; 2],
    /// The right operand.
    pub b: &'a [E],
    /// The distance between rows and between columns of `B`, in elements.
    pub b_strides: [usize; 2],
}

/// The sizes of a two-dimensional convolution, named as in `jax.lax.conv_general_dilated`.
///
/// The input is `[batch, input[0], input[1], in_features]`, the kernel
/// `[kernel[0], kernel[1], in_features / groups, out_features]`, the output
/// `[batch, output[0], output[1], out_features]`. A one-dimensional convolution has height 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvGeometry {
    /// Number of images.
    pub batch: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Channels of the input.
    pub in_features: usize,
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Channels of the output.
    pub out_features: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Distance between windows.
    pub strides: [usize; 2],
    /// Rows of zeros above and below, columns of zeros left and right.
    pub padding: [[usize; 2]; 2],
    /// Distance between the taps of a window (JAX's `rhs_dilation`).
    pub dilation: [usize; 2],
    /// JAX's `feature_group_count`.
    pub groups: usize,
}

impl ConvGeometry {
    /// Number of elements of the input.
    pub const fn input_len(&self) -> usize {
        self.batch * self.input[0] * self.input[1] * self.in_features
    }

    /// Number of elements of the kernel.
    pub const fn kernel_len(&self) -> usize {
        self.kernel[0] * self.kernel[1] * (self.in_features / self.groups) * self.out_features
    }

    /// Number of elements of the output.
    pub const fn output_len(&self) -> usize {
        self.batch * self.output[0] * self.output[1] * self.out_features
    }

    /// Number of elements that are written of the output.
    pub(crate) const fn written_len(&self, halving: Option<Halving>) -> usize {
        match halving {
            Some(_) => self.output_len() / 4,
            None => self.output_len(),
        }
    }

    /// Floating-point operations of the direct sum, the same for the forward pass and for both gradients.
    pub const fn flops(&self) -> usize {
        2 * self.output_len() * self.kernel[0] * self.kernel[1] * (self.in_features / self.groups)
    }
}

/// The sizes of a two-dimensional pooling: windows over `[batch, input[0], input[1], features]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolGeometry {
    /// Number of images.
    pub batch: usize,
    /// Height and width of the input.
    pub input: [usize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Channels.
    pub features: usize,
    /// Height and width of a window.
    pub window: [usize; 2],
    /// Distance between windows.
    pub strides: [usize; 2],
    /// Rows of padding above and below, columns of padding left and right.
    pub padding: [[usize; 2]; 2],
}

impl PoolGeometry {
    /// Number of elements of the input.
    pub const fn input_len(&self) -> usize {
        self.batch * self.input[0] * self.input[1] * self.features
    }

    /// Number of elements of the output.
    pub const fn output_len(&self) -> usize {
        self.batch * self.output[0] * self.output[1] * self.features
    }

    /// Whether the windows are those of a [`Halving`].
    pub fn halves(&self) -> bool {
        self.window == [2; 2]
            && self.strides == [2; 2]
            && self.padding == [[0; 2]; 2]
            && self.input == self.output.map(|size| 2 * size)
    }
}

/// What an average is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divisor {
    /// The number of elements of the window (Flax's `count_include_pad=True`, its default).
    Window,
    /// The number of elements of the window that lie inside the input.
    Inside,
}

/// A pooling in windows of 2 by 2 that lie side by side: it makes of images others half as high and wide. A convolution can
/// do it on the way to memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halving {
    /// The average of the four.
    Average,
    /// The maximum of the four, NaN if there is one.
    Maximum,
}

/// The matrix product `C = A·B` with an [`Epilogue`]; `c` is `m` by `n` in row-major order.
pub fn gemm<E: Kernels>(gemm: Gemm<'_, E>, c: &mut [E], epilogue: Epilogue<'_, E>) {
    assert_eq!(c.len(), gemm.m * gemm.n, "a product of {} by {}", gemm.m, gemm.n);
    E::gemm(gemm, c, gemm.n, epilogue);
}

/// A matrix product in a piece of an array: it is written from `start` of the piece on, in rows that are `c_stride` apart.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a, E> {
    /// The operands.
    pub gemm: Gemm<'a, E>,
    /// Where the result begins.
    pub start: usize,
    /// The distance between rows of the result.
    pub c_stride: usize,
}

/// Many matrix products of the same sizes and strides: `products` of them in each piece of `piece` elements of `c`. Pieces are
/// shared out among the threads where every thread gets one.
pub fn gemm_each<'a, E: Kernels>(
    c: &mut [E],
    piece: usize,
    products: usize,
    product: impl Fn(usize, usize) -> Product<'a, E> + Sync,
) {
    E::gemm_each(c, piece, products, product);
}

/// The convolution of an NHWC input with an HWIO kernel, with an [`Epilogue`] whose bias is `[out_features]`.
pub fn conv_forward<E: Kernels>(
    geometry: &ConvGeometry,
    input: &[E],
    kernel: &[E],
    epilogue: Epilogue<'_, E>,
    output: &mut [E],
) {
    E::conv_forward(geometry, input, kernel, epilogue, output);
}

/// The same where no backward pass follows: it may round differently, and a window of zeros give a number near 0, see
/// [`Winograd`]. With a [`Halving`] only what that makes of the images is written; their height and width must be even.
pub fn conv_inference<E: Kernels>(
    geometry: &ConvGeometry,
    input: &[E],
    kernel: &[E],
    epilogue: Epilogue<'_, E>,
    halving: Option<Halving>,
    output: &mut [E],
) {
    E::conv_inference(geometry, input, kernel, epilogue, halving, output);
}

/// The gradient of [`conv_forward`] with respect to the input, from the output's cotangent.
pub fn conv_input_gradient<E: Kernels>(
    geometry: &ConvGeometry,
    cotangent: &[E],
    kernel: &[E],
    input_gradient: &mut [E],
) {
    E::conv_input_gradient(geometry, cotangent, kernel, input_gradient);
}

/// The gradients of [`conv_forward`] with respect to the kernel and, where asked for, to the bias (the sum of the
/// cotangent over images and pixels), from the input and the output's cotangent.
pub fn conv_kernel_gradient<E: Kernels>(
    geometry: &ConvGeometry,
    input: &[E],
    cotangent: &[E],
    kernel_gradient: &mut [E],
    bias_gradient: Option<&mut [E]>,
) {
    E::conv_kernel_gradient(geometry, input, cotangent, kernel_gradient, bias_gradient);
}

/// The average of every window; padding counts as zeros.
pub fn avg_pool<E: Kernels>(geometry: &PoolGeometry, divisor: Divisor, input: &[E], output: &mut [E]) {
    E::avg_pool(geometry, divisor, input, output);
}

/// The gradient of [`avg_pool`] with respect to its input. Calls `finish(from, part)` with each part of it, from element
/// `from` on, while it is in the caches: what is done with it next. `finish` is written with `#[inline(always)]`.
pub fn avg_pool_gradient<E: Kernels>(
    geometry: &PoolGeometry,
    divisor: Divisor,
    cotangent: &[E],
    finish: impl Fn(usize, &mut [E]) + Sync,
    input_gradient: &mut [E],
) {
    E::avg_pool_gradient(geometry, divisor, cotangent, finish, input_gradient);
}

/// Makes `f(gradient, input)` of every element of the input of [`avg_pool`], in its place. The windows lie side by side
/// ([`PoolGeometry::is_side_by_side`]). `f` is written with `#[inline(always)]`.
pub fn avg_pool_gradient_in_place<E: Kernels>(
    geometry: &PoolGeometry,
    divisor: Divisor,
    cotangent: &[E],
    f: impl Fn(E, E) -> E + Sync,
    input: &mut [E],
) {
    E::avg_pool_gradient_in_place(geometry, divisor, cotangent, f, input);
}

/// The maximum of every window; padding never wins, NaN always does.
pub fn max_pool<E: Kernels>(geometry: &PoolGeometry, input: &[E], output: &mut [E]) {
    E::max_pool(geometry, input, output);
}

/// The gradient of [`max_pool`] with respect to its input: each cotangent goes to the first maximum of its
/// window, in row-major order, as XLA's `select-and-scatter` with `>=` does. `finish` is as in [`avg_pool_gradient`].
pub fn max_pool_gradient<E: Kernels>(
    geometry: &PoolGeometry,
    input: &[E],
    cotangent: &[E],
    finish: impl Fn(usize, &mut [E]) + Sync,
    input_gradient: &mut [E],
) {
    E::max_pool_gradient(geometry, input, cotangent, finish, input_gradient);
}

/// The mean of the squares of all elements.
pub(crate) fn mean_of_squares<E: Kernels>(elements: &[E]) -> E {
    E::mean_of_squares(elements)
}
