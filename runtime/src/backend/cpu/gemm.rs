//! Matrix products.

use crate::backend::{Epilogue, Float, Gemm};

/// `C = A·B` with an [`Epilogue`]; `c` is `m` by `n` in row-major order.
pub fn gemm<E: Float>(gemm: Gemm<'_, E>, c: &mut [E], epilogue: Epilogue<'_, E>) {
    let Gemm {
        m,
        k,
        n,
        a,
        a_strides,
        b,
        b_strides,
    } = gemm;
    assert_eq!(c.len(), m * n, "the product is {m} by {n}");
    for i in 0..m {
        for j in 0..n {
            let mut sum = E::ZERO;
            for l in 0..k {
                sum += a[i * a_strides[0] + l * a_strides[1]] * b[l * b_strides[0] + j * b_strides[1]];
            }
            finish(&mut c[i * n + j], sum, j, epilogue);
        }
    }
}

/// Applies an epilogue to one element.
pub(super) fn finish<E: Float>(c: &mut E, sum: E, column: usize, epilogue: Epilogue<'_, E>) {
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
