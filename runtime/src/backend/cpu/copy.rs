//! Copies that change the order of elements.

use super::map::rows;
use crate::shape::MAX_RANK;

/// Writes `x`, of sizes `sizes`, with its axes in the order `axes`: axis `i` of `out` is axis `axes[i]` of `x`.
pub fn permute<E: Copy + Send + Sync>(x: &[E], sizes: &[usize], axes: &[usize], out: &mut [E]) {
    let rank = sizes.len();
    assert!(axes.len() == rank && x.len() == out.len(), "the elements of a permutation");
    let mut strides = [1; MAX_RANK];
    for axis in (1..rank).rev() {
        strides[axis - 1] = strides[axis] * sizes[axis];
    }
    let Some((&last, front)) = axes.split_last() else {
        return out.copy_from_slice(x);
    };
    let (len, stride) = (sizes[last], strides[last]);
    rows(out, len, |mut row, out| {
        let mut from = 0;
        for &axis in front.iter().rev() {
            from += row % sizes[axis] * strides[axis];
            row /= sizes[axis];
        }
        if stride == 1 {
            out.copy_from_slice(&x[from..from + len]);
        } else {
            out.iter_mut().zip(x[from..].iter().step_by(stride)).for_each(|(out, &x)| *out = x);
        }
    });
}
