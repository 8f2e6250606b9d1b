//! Average and maximum pooling over two-dimensional windows of NHWC images.

use super::lanes::Lanes;
use crate::backend::{Divisor, PoolGeometry};

/// The part of a window along one axis that lies inside the input.
fn inside(g: &PoolGeometry, axis: usize, position: usize) -> std::ops::Range<usize> {
    let start = position * g.strides[axis];
    let clip = |at: usize| at.saturating_sub(g.padding[axis][0]).min(g.input[axis]);
    clip(start)..clip(start + g.window[axis])
}

/// Calls `visit(output, inputs, divisor)` for every element of the output, the inputs in window order.
fn windows(g: &PoolGeometry, mut visit: impl FnMut(usize, &mut dyn Iterator<Item = usize>, usize)) {
    for n in 0..g.batch {
        for y in 0..g.output[0] {
            for x in 0..g.output[1] {
                let (rows, columns) = (inside(g, 0, y), inside(g, 1, x));
                for c in 0..g.features {
                    let at = |row, column| ((n * g.input[0] + row) * g.input[1] + column) * g.features + c;
                    let columns = &columns;
                    let mut inputs = rows
                        .clone()
                        .flat_map(|row| columns.clone().map(move |column| at(row, column)));
                    let output = ((n * g.output[0] + y) * g.output[1] + x) * g.features + c;
                    visit(output, &mut inputs, rows.len() * columns.len());
                }
            }
        }
    }
}

/// What the sum over a window with `inside` elements in the input is divided by.
fn divisor<E: Lanes>(g: &PoolGeometry, divisor: Divisor, inside: usize) -> E {
    E::from_count(match divisor {
        Divisor::Window => g.window[0] * g.window[1],
        Divisor::Inside => inside,
    })
}

/// The average of every window; padding counts as zeros.
pub fn avg_pool<E: Lanes>(g: &PoolGeometry, by: Divisor, input: &[E], output: &mut [E]) {
    windows(g, |o, inputs, inside| {
        let mut sum = E::default();
        inputs.for_each(|i| sum += input[i]);
        output[o] = sum / divisor(g, by, inside);
    });
}

/// The gradient of [`avg_pool`] with respect to its input.
pub fn avg_pool_gradient<E: Lanes>(g: &PoolGeometry, by: Divisor, cotangent: &[E], input_gradient: &mut [E]) {
    input_gradient.fill(E::default());
    windows(g, |o, inputs, inside| {
        inputs.for_each(|i| input_gradient[i] += cotangent[o] / divisor(g, by, inside));
    });
}

/// The maximum of every window; padding never wins, NaN always does.
pub fn max_pool<E: Lanes>(g: &PoolGeometry, input: &[E], output: &mut [E]) {
    windows(g, |o, inputs, _| {
        let mut best = E::LOWEST;
        inputs.for_each(|i| {
            best = if best >= input[i] || best != best {
                best
            } else {
                input[i]
            }
        });
        output[o] = best;
    });
}

/// The gradient of [`max_pool`] with respect to its input: each cotangent goes to the first maximum of its
/// window, in row-major order, as XLA's `select-and-scatter` with `>=` does.
pub fn max_pool_gradient<E: Lanes>(g: &PoolGeometry, input: &[E], cotangent: &[E], input_gradient: &mut [E]) {
    input_gradient.fill(E::default());
    windows(g, |o, inputs, _| {
        let mut best: Option<usize> = None;
        for i in inputs {
            if best.is_none_or(|b| !(input[b] >= input[i])) {
                best = Some(i);
            }
        }
        if let Some(i) = best {
            input_gradient[i] += cotangent[o];
        }
    });
}
