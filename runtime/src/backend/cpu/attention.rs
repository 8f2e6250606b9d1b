//! Products of the parts that belong to one head, for all samples and heads.
//!
//! A head's rows lie `heads * depth` elements apart, and stay there: the products read and write them with strides.

use super::kernels::Kernels;
use crate::backend::{Gemm, Product, gemm_each};

/// The sizes of attention: weights are `[batch, heads, queries, keys]`, what belongs to queries is
/// `[batch, queries, heads, depth]`, and what belongs to keys `[batch, keys, heads, depth]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionGeometry {
    /// Number of samples.
    pub batch: usize,
    /// Heads.
    pub heads: usize,
    /// Queries of a sample.
    pub queries: usize,
    /// Keys of a sample.
    pub keys: usize,
    /// Elements of a query and of a key, or of a value.
    pub depth: usize,
}

impl AttentionGeometry {
    /// The elements between the rows of a head.
    fn stride(&self) -> usize {
        self.heads * self.depth
    }

    /// The rows of a head, where each sample has so many; they are `stride` apart.
    fn rows<'a, E>(&self, x: &'a [E], rows: usize, sample: usize, head: usize) -> &'a [E] {
        // Where there are no rows, there is nothing to begin at.
        x.get(sample * rows * self.stride() + head * self.depth..).unwrap_or_default()
    }

    fn weights<'a, E>(&self, x: &'a [E], sample: usize, head: usize) -> &'a [E] {
        let len = self.queries * self.keys;
        &x[(sample * self.heads + head) * len..][..len]
    }

    fn check<E>(&self, weights: &[E], of_queries: &[E], of_keys: &[E]) {
        let rows = self.batch * self.stride();
        assert!(
            weights.len() == self.batch * self.heads * self.queries * self.keys
                && of_queries.len() == rows * self.queries
                && of_keys.len() == rows * self.keys,
            "elements of {self:?}"
        );
    }
}

/// `weights[b, h, q, k] = Σ of_queries[b, q, h, d] of_keys[b, k, h, d]`
pub fn scores<E: Kernels>(geometry: &AttentionGeometry, of_queries: &[E], of_keys: &[E], weights: &mut [E]) {
    geometry.check(weights, of_queries, of_keys);
    let AttentionGeometry { heads, queries, keys, depth, .. } = *geometry;
    gemm_each(weights, queries * keys, 1, |index, _| {
        let (sample, head) = (index / heads, index % heads);
        let gemm = Gemm {
            m: queries,
            k: depth,
            n: keys,
            a: geometry.rows(of_queries, queries, sample, head),
            a_strides: [geometry.stride(), 1],
            b: geometry.rows(of_keys, keys, sample, head),
            b_strides: [1, geometry.stride()],
        };
        Product { gemm, start: 0, c_stride: keys }
    });
}

/// `of_queries[b, q, h, d] = Σ weights[b, h, q, k] of_keys[b, k, h, d]`
pub fn sums_over_keys<E: Kernels>(
    geometry: &AttentionGeometry,
    weights: &[E],
    of_keys: &[E],
    of_queries: &mut [E],
) {
    geometry.check(weights, of_queries, of_keys);
    let AttentionGeometry { heads, queries, keys, depth, .. } = *geometry;
    gemm_each(of_queries, queries * geometry.stride(), heads, |sample, head| {
        let gemm = Gemm {
            m: queries,
            k: keys,
            n: depth,
            a: geometry.weights(weights, sample, head),
            a_strides: [keys, 1],
            b: geometry.rows(of_keys, keys, sample, head),
            b_strides: [geometry.stride(), 1],
        };
        Product { gemm, start: head * depth, c_stride: geometry.stride() }
    });
}

/// `of_keys[b, k, h, d] = Σ weights[b, h, q, k] of_queries[b, q, h, d]`
pub fn sums_over_queries<E: Kernels>(
    geometry: &AttentionGeometry,
    weights: &[E],
    of_queries: &[E],
    of_keys: &mut [E],
) {
    geometry.check(weights, of_queries, of_keys);
    let AttentionGeometry { heads, queries, keys, depth, .. } = *geometry;
    gemm_each(of_keys, keys * geometry.stride(), heads, |sample, head| {
        let gemm = Gemm {
            m: keys,
            k: queries,
            n: depth,
            a: geometry.weights(weights, sample, head),
            a_strides: [1, keys],
            b: geometry.rows(of_queries, queries, sample, head),
            b_strides: [geometry.stride(), 1],
        };
        Product { gemm, start: head * depth, c_stride: geometry.stride() }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers, so that sums are exact in any order.
    fn numbers(len: usize, seed: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 7 + seed) * 31 % 17) as f32 - 8.0).collect()
    }

    /// Also where every thread gets samples of its own.
    #[test]
    fn products_are_the_plain_sums() {
        super::super::threads::set_threads(2);
        let sizes = [
            [1, 1, 1, 1, 1],
            [2, 3, 5, 7, 4],
            [3, 2, 33, 18, 17],
            [1, 12, 50, 50, 64],
            [2, 2, 0, 3, 4],
            [2, 2, 3, 0, 4],
        ];
        for [batch, heads, queries, keys, depth] in sizes {
            let geometry = AttentionGeometry { batch, heads, queries, keys, depth };
            let row = |sample: usize, rows: usize, row: usize, head: usize| {
                ((sample * rows + row) * heads + head) * depth
            };
            let of_queries = numbers(batch * queries * heads * depth, 1);
            let of_keys = numbers(batch * keys * heads * depth, 2);
            let mut weights = vec![f32::NAN; batch * heads * queries * keys];
            scores(&geometry, &of_queries, &of_keys, &mut weights);
            let mut over_keys = vec![f32::NAN; of_queries.len()];
            sums_over_keys(&geometry, &weights, &of_keys, &mut over_keys);
            let mut over_queries = vec![f32::NAN; of_keys.len()];
            sums_over_queries(&geometry, &weights, &of_queries, &mut over_queries);

            let (mut plain_keys, mut plain_queries) = (vec![0.0; of_queries.len()], vec![0.0; of_keys.len()]);
            for sample in 0..batch {
                for head in 0..heads {
                    for query in 0..queries {
                        for key in 0..keys {
                            let (q, k) = (row(sample, queries, query, head), row(sample, keys, key, head));
                            let dot: f32 = (0..depth).map(|d| of_queries[q + d] * of_keys[k + d]).sum();
                            let weight = weights[((sample * heads + head) * queries + query) * keys + key];
                            assert_eq!(weight, dot, "{geometry:?}");
                            for d in 0..depth {
                                plain_keys[q + d] += weight * of_keys[k + d];
                                plain_queries[k + d] += weight * of_queries[q + d];
                            }
                        }
                    }
                }
            }
            assert_eq!(over_keys, plain_keys, "{geometry:?}");
            assert_eq!(over_queries, plain_queries, "{geometry:?}");
        }
    }
}
