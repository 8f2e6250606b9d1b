//! Copies that change the order of elements.

use super::map::{CHUNK, rows};
use super::threads::parallel_chunks;
use super::transpose::{SQUARE, square, transpose};
use crate::shape::MAX_RANK;

/// The side of the tiles that such squares make up: as many elements of `f32` as a cache line has.
const TILE: usize = 16;

/// An axis of the result.
#[derive(Clone, Copy)]
struct Axis {
    size: usize,
    /// How far apart its elements are in the operand.
    stride: usize,
}

/// Writes `x`, of sizes `sizes`, with its axes in the order `axes`: axis `i` of `out` is axis `axes[i]` of `x`.
pub fn permute<E: Copy + Send + Sync>(x: &[E], sizes: &[usize], axes: &[usize], out: &mut [E]) {
    assert!(axes.len() == sizes.len() && x.len() == out.len(), "the elements of a permutation");
    if out.is_empty() {
        return;
    }
    let (merged, count) = merged(sizes, axes);
    match &merged[..count] {
        [] => out.copy_from_slice(x),
        [front @ .., Axis { size, stride: 1 }] => {
            rows(out, *size, |row, out| out.copy_from_slice(&x[offset(front, row)..][..*size]));
        }
        [front @ .., Axis { size: height, stride: 1 }, Axis { size, stride }] => {
            matrices(x, front, *height, *size, *stride, out);
        }
        [front @ .., Axis { size, stride }] => rows(out, *size, |row, out| {
            let from = x[offset(front, row)..].iter().step_by(*stride);
            out.iter_mut().zip(from).for_each(|(out, &x)| *out = x);
        }),
    }
}

/// The axes of the result, without those of one element, and those joined that lie in the operand one within the other, too.
fn merged(sizes: &[usize], axes: &[usize]) -> ([Axis; MAX_RANK], usize) {
    let mut strides = [1; MAX_RANK];
    for axis in (1..sizes.len()).rev() {
        strides[axis - 1] = strides[axis] * sizes[axis];
    }
    let (mut merged, mut count) = ([Axis { size: 1, stride: 1 }; MAX_RANK], 0);
    for &axis in axes.iter().filter(|&&axis| sizes[axis] != 1) {
        let axis = Axis { size: sizes[axis], stride: strides[axis] };
        match merged[..count].last_mut() {
            Some(outer) if outer.stride == axis.size * axis.stride => {
                *outer = Axis { size: outer.size * axis.size, stride: axis.stride };
            }
            _ => {
                merged[count] = axis;
                count += 1;
            }
        }
    }
    (merged, count)
}

/// Where the operand has the first element of a row of the result.
fn offset(front: &[Axis], mut row: usize) -> usize {
    let mut offset = 0;
    for axis in front.iter().rev() {
        offset += row % axis.size * axis.stride;
        row /= axis.size;
    }
    offset
}

/// Writes matrices of `height` rows of `size` elements: the neighbours in a row are `stride` apart in the operand, those in a
/// column side by side.
fn matrices<E: Copy + Send + Sync>(
    x: &[E],
    front: &[Axis],
    height: usize,
    size: usize,
    stride: usize,
    out: &mut [E],
) {
    let together = (CHUNK / size).max(1).next_multiple_of(TILE.min(height));
    parallel_chunks(out, together * size, |chunk, mut out| {
        let mut row = chunk * together;
        while !out.is_empty() {
            // A tile's rows, or what is left of the matrix or of a tile that was begun.
            let down = row % height;
            let count = (TILE - down % TILE).min(height - down).min(out.len() / size);
            let (rows, rest) = out.split_at_mut(count * size);
            transpose_rows(&x[offset(front, row / height) + down..], stride, rows, size);
            (row, out) = (row + count, rest);
        }
    });
}

/// Writes rows of `size` elements, which are columns of the operand, in tiles as far as possible.
fn transpose_rows<E: Copy>(x: &[E], stride: usize, rows: &mut [E], size: usize) {
    let height = rows.len() / size;
    let whole = if height == TILE { size - size % TILE } else { 0 };
    for column in (0..whole).step_by(TILE) {
        let tile = transposed_tile(&x[column * stride..], stride);
        for (row, from) in rows.chunks_exact_mut(size).zip(&tile) {
            row[column..column + TILE].copy_from_slice(from);
        }
    }
    if whole < size {
        transpose(&x[whole * stride..], stride, [size - whole, height], &mut rows[whole..], size);
    }
}

/// As many columns as a tile has, as rows: complete before they are written, so that a line of the result is written at once.
#[inline(always)]
fn transposed_tile<E: Copy>(x: &[E], stride: usize) -> [[E; TILE]; TILE] {
    let mut tile = [[x[0]; TILE]; TILE];
    for column in (0..TILE).step_by(SQUARE) {
        let columns: [&[E]; SQUARE] = std::array::from_fn(|i| &x[(column + i) * stride..][..TILE]);
        for row in (0..TILE).step_by(SQUARE) {
            let rows = square(columns.map(|from| std::array::from_fn(|j| from[row + j])));
            for (to, from) in tile[row..].iter_mut().zip(rows) {
                to[column..column + SQUARE].copy_from_slice(&from);
            }
        }
    }
    tile
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each element to its place, by its indices.
    fn naive(x: &[u32], sizes: &[usize], axes: &[usize]) -> Vec<u32> {
        let stride = |axis: usize| sizes[axis + 1..].iter().product::<usize>();
        (0..x.len())
            .map(|mut place| {
                let mut from = 0;
                for &axis in axes.iter().rev() {
                    from += place % sizes[axis] * stride(axis);
                    place /= sizes[axis];
                }
                x[from]
            })
            .collect()
    }

    proptest! {
        #[test]
        fn every_element_gets_to_its_place(
            sizes in prop::collection::vec(prop_oneof![0_usize..3, 3_usize..40], 0..=4),
            order in prop::array::uniform4(0_usize..100),
        ) {
            let mut axes: Vec<usize> = (0..sizes.len()).collect();
            axes.sort_by_key(|&axis| order[axis]);
            let x: Vec<u32> = (0..sizes.iter().product::<usize>() as u32).collect();
            let mut out = vec![u32::MAX; x.len()];
            permute(&x, &sizes, &axes, &mut out);
            prop_assert_eq!(out, naive(&x, &sizes, &axes));
        }
    }

    #[test]
    fn a_matrix_that_threads_share_is_transposed() {
        let sizes = [301, 130];
        let x: Vec<u32> = (0..301 * 130).collect();
        let mut out = vec![0; x.len()];
        permute(&x, &sizes, &[1, 0], &mut out);
        assert_eq!(out, naive(&x, &sizes, &[1, 0]));
    }
}
