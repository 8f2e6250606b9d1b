//! The sum of the squares of many elements, for norms and means.

use super::map::vectorized;
use super::threads::parallel_chunks;
use crate::tensor::Float;
use pulp::NullaryFnOnce;

/// The elements are summed in so many parts, or fewer, however many threads there are.
const PARTS: usize = 64;

/// Elements of the smallest part.
const PART: usize = 1 << 15;

/// The sum of the squares.
pub fn sum_of_squares<E: Float>(elements: &[E]) -> f64 {
    let part = elements.len().div_ceil(PARTS).max(PART);
    if elements.len() <= part {
        return vectorized(Part(elements));
    }
    let mut sums = [0.0; PARTS];
    parallel_chunks(&mut sums[..elements.len().div_ceil(part)], 1, |index, sum| {
        let elements = &elements[index * part..];
        sum.fill(vectorized(Part(&elements[..elements.len().min(part)])));
    });
    sums.iter().sum()
}

/// Sums short runs in the elements' precision, lane by lane, and the runs in f64.
struct Part<'a, E>(&'a [E]);

impl<E: Float> NullaryFnOnce for Part<'_, E> {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        const LANES: usize = 32;
        let mut total = 0.0;
        for run in self.0.chunks(16 * LANES) {
            let mut sums = [E::ZERO; LANES];
            let (lanes, rest) = run.as_chunks::<LANES>();
            for lanes in lanes {
                sums.iter_mut().zip(lanes).for_each(|(sum, &x)| *sum += x * x);
            }
            total += sums.iter().map(|sum| sum.to_f64()).sum::<f64>();
            total += rest.iter().map(|&x| (x * x).to_f64()).sum::<f64>();
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_its_parts() {
        let elements: Vec<f32> = (0..PART * PARTS + 77).map(|i| (i % 7) as f32 - 3.0).collect();
        let exact = elements.iter().map(|&x| f64::from(x * x)).sum::<f64>();
        assert_eq!(sum_of_squares(&elements), exact);
        assert_eq!(sum_of_squares::<f64>(&[]), 0.0);
        assert_eq!(sum_of_squares(&[3.0]), 9.0);
    }
}
