//! Orthogonal matrices.

use super::axis;
use crate::rng::{Key, Normal};

/// A random matrix with orthonormal columns, or rows where these are fewer, times `scale`.
///
/// It is the `Q` of the QR decomposition of a matrix of normal numbers, with the signs that make the diagonal
/// of `R` positive; so it is uniformly distributed (Mezzadri, "How to generate random matrices from the
/// classical compact groups", 2007).
pub(super) struct Orthogonal {
    pub(super) scale: f32,
    pub(super) column_axis: isize,
}

impl Orthogonal {
    pub(super) fn fill(&self, key: Key, sizes: &[usize], out: &mut [f32]) {
        assert!(sizes.len() >= 2, "an orthogonal matrix needs two axes, not {sizes:?}");
        if out.is_empty() {
            return;
        }
        let column_axis = axis(self.column_axis, sizes.len());
        let columns = sizes[column_axis];
        let rows = out.len() / columns;
        let vectors = orthonormal(key, rows.max(columns), rows.min(columns));

        // Rows are all axes but that of the columns, in their order.
        let inner: usize = sizes[column_axis + 1..].iter().product();
        for (i, place) in out.iter_mut().enumerate() {
            let (row, column) = (i / (inner * columns) * inner + i % inner, i / inner % columns);
            let component = if rows >= columns { vectors[column][row] } else { vectors[row][column] };
            *place = self.scale * component as f32;
        }
    }

    /// Puts the matrix of the last two axes in the middle of the others, among zeros.
    pub(super) fn fill_centre(&self, key: Key, sizes: &[usize], out: &mut [f32]) {
        let &[ref window @ .., inputs, outputs] = sizes else {
            panic!("a delta-orthogonal kernel has axes [..., in, out], not {sizes:?}");
        };
        assert!((1..=3).contains(&window.len()), "a delta-orthogonal kernel has 3 to 5 axes, not {sizes:?}");
        assert!(
            inputs <= outputs,
            "a delta-orthogonal kernel has no more inputs than outputs, unlike {sizes:?}"
        );
        out.fill(0.0);
        if out.is_empty() {
            return;
        }
        let centre = window.iter().fold(0, |place, size| place * size + (size - 1) / 2);
        let matrix = &mut out[centre * inputs * outputs..][..inputs * outputs];
        self.fill(key, &[inputs, outputs], matrix);
    }
}

/// So many orthonormal vectors, by the modified Gram-Schmidt process on columns of normal numbers, which
/// leaves the diagonal of `R` positive. Each vector is cleared of the others twice, after which it is
/// orthogonal to them to the last place.
fn orthonormal(key: Key, length: usize, vectors: usize) -> Vec<Vec<f64>> {
    let mut normals = vec![0.0; length * vectors];
    key.fill(&Normal, &mut normals);
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(vectors);
    for column in 0..vectors {
        let mut vector: Vec<f64> = normals.iter().skip(column).step_by(vectors).map(|&x| x.into()).collect();
        for _ in 0..2 {
            for unit in &basis {
                let along = dot(unit, &vector);
                vector.iter_mut().zip(unit).for_each(|(x, u)| *x -= along * u);
            }
        }
        let length = dot(&vector, &vector).sqrt();
        vector.iter_mut().for_each(|x| *x /= length);
        basis.push(vector);
    }
    basis
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_orthonormal() {
        let basis = orthonormal(Key::new(0), 40, 40);
        for (i, a) in basis.iter().enumerate() {
            for (j, b) in basis.iter().enumerate() {
                assert!((dot(a, b) - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
    }
}
