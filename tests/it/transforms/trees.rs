//! Trees compared and moved.

use flaxen::prelude::*;

/// Checks that no element of two trees is further apart.
#[track_caller]
pub fn close<T: Tree>(found: &T, expected: &T, tolerance: f64) {
    let difference = distance(found.clone(), expected.clone());
    assert!(difference <= tolerance, "{difference} apart");
}

/// The largest difference of two trees.
pub fn distance<T: Tree>(mut a: T, mut b: T) -> f64 {
    use flaxen::tree::{Path, Zip};
    struct Largest(f64);
    impl Zip<1> for Largest {
        fn leaf<S: Shape, E: Float>(&mut self, _: &Path, a: &mut Tensor<S, E>, [b]: [&mut Tensor<S, E>; 1]) {
            for (&a, &b) in a.as_slice().iter().zip(b.as_slice()) {
                self.0 = self.0.max((a - b).to_f64().abs());
            }
        }
    }
    let mut largest = Largest(0.0);
    a.zip([&mut b], &Path::ROOT, &mut largest);
    largest.0
}

/// `a + factor * b`
pub fn moved<T: Tree>(a: &T, b: &T, factor: f64) -> T {
    use flaxen::tree::{Path, Zip};
    struct Move(f64);
    impl Zip<1> for Move {
        fn leaf<S: Shape, E: Float>(&mut self, _: &Path, a: &mut Tensor<S, E>, [b]: [&mut Tensor<S, E>; 1]) {
            for (a, &b) in a.as_mut_slice().iter_mut().zip(b.as_slice()) {
                *a += E::from_f64(self.0) * b;
            }
        }
    }
    let (mut sum, mut b) = (a.clone(), b.clone());
    sum.zip([&mut b], &Path::ROOT, &mut Move(factor));
    sum
}
