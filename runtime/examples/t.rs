#![allow(unsafe_code)]
//! Scratch.
use flaxen::backend::*;
use std::time::Instant;
#[path = "../benches/peak/mod.rs"]
mod peak;
#[repr(align(64))]
#[derive(Clone, Copy)]
struct L([f32; 16]);
fn v(len: usize) -> &'static mut [f32] {
    let b = Box::leak(vec![L([0.0; 16]); len.div_ceil(16)].into_boxed_slice());
    let s = unsafe { std::slice::from_raw_parts_mut(b.as_mut_ptr().cast::<f32>(), len) };
    for (i, x) in s.iter_mut().enumerate() {
        *x = (i % 97) as f32 * 0.01 - 0.5;
    }
    s
}
fn best(n: usize, f: &mut dyn FnMut()) -> f64 {
    let mut b = f64::MAX;
    for _ in 0..n {
        let t = Instant::now();
        f();
        b = b.min(t.elapsed().as_secs_f64());
    }
    b
}
fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    set_threads(n);
    // x
    let only = std::env::args().nth(2).unwrap_or_default();
    let g1 = ConvGeometry {
        batch: 32,
        input: [28; 2],
        in_features: 1,
        output: [28; 2],
        out_features: 32,
        kernel: [3; 2],
        strides: [1; 2],
        padding: [[1; 2]; 2],
        dilation: [1; 2],
        groups: 1,
    };
    let g2 = ConvGeometry {
        batch: 32,
        input: [14; 2],
        in_features: 32,
        output: [14; 2],
        out_features: 64,
        ..g1
    };
    let pk = peak::peak(n) / 1e9;
    println!("peak {pk:.0}");
    let rep = |name: &str, fl: usize, f: &mut dyn FnMut()| {
        if !name.contains(&only) {
            return;
        }
        let t = best(400, f);
        println!(
            "{name:10} {:7.1}us {:5.1} GF {:4.0}%",
            t * 1e6,
            fl as f64 / t / 1e9,
            fl as f64 / t / 1e7 / pk
        );
    };
    for g in [g1, g2] {
        let (x, k, b) = (v(g.input_len()), v(g.kernel_len()), v(g.out_features));
        let y = v(g.output_len());
        rep(&format!("fwd{}", g.in_features), g.flops(), &mut || {
            conv_forward(&g, &x, &k, Epilogue::Bias(&b), y)
        });
        let (dk, db) = (v(g.kernel_len()), v(g.out_features));
        rep("dk", g.flops(), &mut || {
            conv_kernel_gradient(&g, &x, &y, dk, Some(db))
        });
        let dx = v(g.input_len());
        rep("dx", g.flops(), &mut || conv_input_gradient(&g, &y, &k, dx));
    }
    let (m, k, o) = (32, 3136, 256);
    let fl = 2 * m * k * o;
    let (x, w, dy, b) = (v(m * k), v(k * o), v(m * o), v(o));
    let (mut y, dw, dx) = (v(m * o), v(k * o), v(m * k));
    rep("dense fwd", fl, &mut || {
        gemm(
            Gemm {
                m,
                k,
                n: o,
                a: &x,
                a_strides: [k, 1],
                b: &w,
                b_strides: [o, 1],
            },
            y,
            Epilogue::Bias(&b),
        )
    });
    rep("dense dw", fl, &mut || {
        gemm(
            Gemm {
                m: k,
                k: m,
                n: o,
                a: &x,
                a_strides: [1, k],
                b: &dy,
                b_strides: [o, 1],
            },
            dw,
            Epilogue::Assign,
        )
    });
    rep("dense dx", fl, &mut || {
        gemm(
            Gemm {
                m,
                k: o,
                n: k,
                a: &dy,
                a_strides: [o, 1],
                b: &w,
                b_strides: [1, o],
            },
            dx,
            Epilogue::Assign,
        )
    });
    for (s, f) in [(28, 32), (14, 64)] {
        let g = PoolGeometry {
            batch: 32,
            input: [s; 2],
            output: [s / 2; 2],
            features: f,
            window: [2; 2],
            strides: [2; 2],
            padding: [[0; 2]; 2],
        };
        let (x, y, dx) = (v(g.input_len()), v(g.output_len()), v(g.input_len()));
        rep("avg", g.input_len(), &mut || avg_pool(&g, Divisor::Window, &x, y));
        rep("davg", g.input_len(), &mut || {
            avg_pool_gradient(&g, Divisor::Window, &y, dx)
        });
        rep("max", g.input_len(), &mut || max_pool(&g, &x, y));
        rep("dmax", g.input_len(), &mut || max_pool_gradient(&g, &x, &y, dx));
    }
}
