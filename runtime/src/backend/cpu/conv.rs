//! Convolution and its two gradients.

//F
use crate::backend::{ConvGeometry, Epilogue, Float};

/// Calls `visit(input, kernel, output)` with the indices of every product of the convolution.
fn products(g: &ConvGeometry, mut visit: impl FnMut(usize, usize, usize)) {
    let (per_group, out_per_group) = (g.in_features / g.groups, g.out_features / g.groups);
    for n in 0..g.batch {
        for y in 0..g.output[0] {
            for x in 0..g.output[1] {
                for ky in 0..g.kernel[0] {
                    for kx in 0..g.kernel[1] {
                        let iy = (y * g.strides[0] + ky * g.dilation[0]).wrapping_sub(g.padding[0][0]);
                        let ix = (x * g.strides[1] + kx * g.dilation[1]).wrapping_sub(g.padding[1][0]);
                        if iy >= g.input[0] || ix >= g.input[1] {
                            continue;
                        }
                        for ci in 0..per_group {
                            for co in 0..g.out_features {
                                let channel = co / out_per_group * per_group + ci;
                                visit(
                                    ((n * g.input[0] + iy) * g.input[1] + ix) * g.in_features + channel,
                                    ((ky * g.kernel[1] + kx) * per_group + ci) * g.out_features + co,
                                    ((n * g.output[0] + y) * g.output[1] + x) * g.out_features + co,
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The convolution of an NHWC input with an HWIO kernel, with an [`Epilogue`] whose bias is `[out_features]`.
pub fn conv_forward<E: Float>(
    g: &ConvGeometry,
    input: &[E],
    kernel: &[E],
    epilogue: Epilogue<'_, E>,
    output: &mut [E],
) {
    let mut sums = vec![E::ZERO; output.len()];
    products(g, |i, k, o| sums[o] += input[i] * kernel[k]);
    for (i, (out, sum)) in output.iter_mut().zip(sums).enumerate() {
        finish(out, sum, i % g.out_features, epilogue);
    }
}

/// The gradient with respect to the input, from the output's cotangent.
pub fn conv_input_gradient<E: Float>(
    g: &ConvGeometry,
    cotangent: &[E],
    kernel: &[E],
    input_gradient: &mut [E],
) {
    input_gradient.fill(E::ZERO);
    products(g, |i, k, o| input_gradient[i] += cotangent[o] * kernel[k]);
}

/// The gradients with respect to the kernel and, where asked for, to the bias (the sum of the cotangent over
/// images and pixels), from the input and the output's cotangent.
pub fn conv_kernel_gradient<E: Float>(
    g: &ConvGeometry,
    input: &[E],
    cotangent: &[E],
    kernel_gradient: &mut [E],
    bias_gradient: Option<&mut [E]>,
) {
    kernel_gradient.fill(E::ZERO);
    products(g, |i, k, o| kernel_gradient[k] += cotangent[o] * input[i]);
    if let Some(bias_gradient) = bias_gradient {
        bias_gradient.fill(E::ZERO);
        for row in cotangent.chunks_exact(g.out_features) {
            bias_gradient
                .iter_mut()
                .zip(row)
                .for_each(|(sum, &value)| *sum += value);
        }
    }
}
fn finish<E: Float>(c: &mut E, sum: E, column: usize, epilogue: Epilogue<'_, E>) {
    *c = match epilogue {
        Epilogue::Assign => sum,
        Epilogue::Accumulate => *c + sum,
        Epilogue::Bias(bias) => sum + bias[column],
        Epilogue::BiasRelu(bias) => {
            let sum = sum + bias[column];
            if sum < E::ZERO { E::ZERO } else { sum }
        }
    };
}
