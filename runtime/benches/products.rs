//! The matrix products of the steps' layers, beside those of the crates `gemm` and `matrixmultiply`.
//!
//! Runs alternate, so that other work on the machine slows all of them, and the best of each counts. A ratio is their time
//! by ours, so above 1 ours is the faster. `matrixmultiply` is built for one thread.

// The two crates take pointers.
#![allow(unsafe_code)]

mod peak;

use std::time::{Duration, Instant};

use flaxen::backend::{Epilogue, Gemm, gemm, set_threads, threads};
use flaxen::prelude::*;
use gemm_common::Parallelism;

/// How long a product is measured.
const EACH: Duration = Duration::from_millis(300);

/// Which of a dense layer's products one is.
#[derive(Clone, Copy)]
enum Pass {
    Forward,
    KernelGradient,
    InputGradient,
}

/// A dense layer of one of the steps: rows, inputs, features.
const LAYERS: [(&str, [usize; 3]); 9] = [
    ("mlp 0", [128, 784, 256]),
    ("mlp 1", [128, 256, 10]),
    ("cnn 0", [32, 3136, 256]),
    ("cnn 1", [32, 256, 10]),
    ("cnn of 1000", [1000, 3136, 256]),
    ("bnmlp 0", [256, 64, 128]),
    ("bnmlp 1", [256, 128, 128]),
    ("transformer, query", [1024, 256, 256]),
    ("transformer, mlp", [1024, 256, 1024]),
];

fn main() {
    for count in [1, threads()] {
        set_threads(count);
        let peak = peak::peak(count);
        println!("\n{count} thread(s), peak {:.1} GFLOP/s", peak / 1e9);
        println!("{:38} {:>9} {:>9} {:>7} {:>8} {:>15}", "", "MFLOP", "us", "peak", "gemm", "matrixmultiply");
        for (name, sizes) in LAYERS {
            for (pass, which) in [
                ("forward", Pass::Forward),
                ("kernel gradient", Pass::KernelGradient),
                ("input gradient", Pass::InputGradient),
            ] {
                report(&format!("{name}, {pass}"), product(which, sizes), count, peak);
            }
        }
    }
}

/// Sizes and strides of a product.
struct Shape {
    m: usize,
    k: usize,
    n: usize,
    a_strides: [usize; 2],
    b_strides: [usize; 2],
}

fn product(pass: Pass, [rows, inputs, features]: [usize; 3]) -> Shape {
    let shape = |m, k, n, a_strides, b_strides| Shape { m, k, n, a_strides, b_strides };
    match pass {
        Pass::Forward => shape(rows, inputs, features, [inputs, 1], [features, 1]),
        Pass::KernelGradient => shape(inputs, rows, features, [1, inputs], [features, 1]),
        Pass::InputGradient => shape(rows, features, inputs, [features, 1], [1, features]),
    }
}

fn report(name: &str, shape: Shape, count: usize, peak: f64) {
    let Shape { m, k, n, a_strides, b_strides } = shape;
    let values = |len: usize| Tensor::<(Dyn,)>::from_fn((Dyn(len),), |i| (i % 97) as f32 * 0.01 - 0.5);
    let (a, b, mut c) = (values(m * k), values(k * n), values(m * n));
    let (a, b, c) = (a.as_slice(), b.as_slice(), c.as_mut_slice());
    let steps = |[row, column]: [usize; 2]| (column as isize, row as isize);
    let ((a_column, a_row), (b_column, b_row)) = (steps(a_strides), steps(b_strides));
    let parallelism = if count == 1 { Parallelism::None } else { Parallelism::Rayon(count) };
    let their_gemm = gemm_f32::gemm::f32::get_gemm_fn();

    let mut best = [f64::INFINITY; 3];
    let start = Instant::now();
    while start.elapsed() < EACH {
        time(&mut best[0], || gemm(Gemm { m, k, n, a, a_strides, b, b_strides }, c, Epilogue::Assign));
        // SAFETY: the operands reach as far as their sizes and strides say.
        time(&mut best[1], || unsafe {
            // The crate `gemm` makes the transposed product of one in row-major order.
            let (to, a, b) = (c.as_mut_ptr(), a.as_ptr(), b.as_ptr());
            their_gemm(
                n,
                m,
                k,
                to,
                n as isize,
                1,
                false,
                b,
                b_row,
                b_column,
                a,
                a_row,
                a_column,
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        });
        if count == 1 {
            // SAFETY: as above.
            time(&mut best[2], || unsafe {
                let (to, a, b) = (c.as_mut_ptr(), a.as_ptr(), b.as_ptr());
                matrixmultiply::sgemm(
                    m, k, n, 1.0, a, a_row, a_column, b, b_row, b_column, 0.0, to, n as isize, 1,
                );
            });
        }
    }
    let [ours, theirs, portable] = best;
    let work = 2.0 * (m * k * n) as f64;
    let portable = if count == 1 { format!("{:.2}", portable / ours) } else { String::new() };
    println!(
        "{name:38} {:9.2} {:9.1} {:6.1}% {:8.2} {portable:>15}",
        work / 1e6,
        ours * 1e6,
        100.0 * work / ours / peak,
        theirs / ours,
    );
}

fn time(best: &mut f64, product: impl FnOnce()) {
    let start = Instant::now();
    product();
    *best = start.elapsed().as_secs_f64().min(*best);
}
