//! The kernels of the Fashion-MNIST CNN's training step, each alone, at batch 32.
//!
//! Prints the machine's peak first, then for each kernel the operations, the best time and its share of the peak of
//! as many threads as the kernels use; Criterion's own estimates follow.

mod peak;

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use criterion::Criterion;
use flaxen::backend::{
    ConvGeometry, Divisor, Epilogue, Gemm, PoolGeometry, Winograd, avg_pool, avg_pool_gradient, conv_forward,
    conv_input_gradient, conv_kernel_gradient, gemm, max_pool, max_pool_gradient, set_threads, set_winograd,
    threads,
};

const BATCH: usize = 32;

fn main() {
    let peaks: Vec<f64> = (1..=threads()).map(peak::peak).collect();
    for (index, peak) in peaks.iter().enumerate() {
        println!("peak of {} thread(s): {:.1} GFLOP/s", index + 1, peak / 1e9);
    }
    let all = threads();
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .sample_size(20);
    for count in [1, all] {
        set_threads(count);
        println!("\n{count} thread(s)");
        let peak = peaks[count - 1];
        let mut bench = |name: &str, flops: usize, kernel: &mut dyn FnMut()| {
            report(name, flops, peak, kernel);
            if count == all {
                criterion.bench_function(name, |bencher| bencher.iter(&mut *kernel));
            }
        };
        convolutions(&mut bench);
        products(&mut bench);
        pools(&mut bench);
    }
    criterion.final_summary();
}

/// Prints the best of some runs.
fn report(name: &str, flops: usize, peak: f64, kernel: &mut dyn FnMut()) {
    let best = (0..60)
        .map(|_| {
            let start = Instant::now();
            kernel();
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    let rate = flops as f64 / best;
    println!(
        "{name:32} {:8.2} MFLOP {:8.1} us {:7.1} GFLOP/s {:5.1} % of peak",
        flops as f64 / 1e6,
        best * 1e6,
        rate / 1e9,
        100.0 * rate / peak
    );
}

type Bench<'a> = dyn FnMut(&str, usize, &mut dyn FnMut()) + 'a;

/// Some numbers, on a boundary of 64 bytes as a tensor's are.
struct Values {
    buffer: Vec<f32>,
    start: usize,
}

fn values(len: usize) -> Values {
    let buffer: Vec<f32> = (0..len + 16).map(|i| (i % 97) as f32 * 0.01 - 0.5).collect();
    let start = buffer.as_ptr().align_offset(64);
    Values { buffer, start }
}

impl Deref for Values {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.buffer[self.start..][..self.buffer.len() - 16]
    }
}

impl DerefMut for Values {
    fn deref_mut(&mut self) -> &mut [f32] {
        let len = self.buffer.len() - 16;
        &mut self.buffer[self.start..][..len]
    }
}

fn convolutions(bench: &mut Bench<'_>) {
    for (name, batch, size, in_features, out_features) in [
        ("conv 1->32", BATCH, 28, 1, 32),
        ("conv 32->64", BATCH, 14, 32, 64),
        ("conv 32->64 of 1000", 1000, 14, 32, 64),
        ("conv 64->64", 16, 32, 64, 64),
    ] {
        let g = ConvGeometry {
            batch,
            input: [size; 2],
            in_features,
            output: [size; 2],
            out_features,
            kernel: [3; 2],
            strides: [1; 2],
            padding: [[1; 2]; 2],
            dilation: [1; 2],
            groups: 1,
        };
        let mut pass = |pass: &str, kernel: &mut dyn FnMut()| {
            let name = format!("{name} {pass}");
            bench(&name, g.flops(), kernel);
            against_direct(&name, kernel);
        };
        let (input, kernel, bias) = (values(g.input_len()), values(g.kernel_len()), values(out_features));
        let mut output = values(g.output_len());
        pass("forward", &mut || {
            conv_forward(&g, &input, &kernel, Epilogue::Bias(&bias), &mut output);
        });
        let (mut kernel_gradient, mut bias_gradient) = (values(g.kernel_len()), values(out_features));
        pass("kernel gradient", &mut || {
            conv_kernel_gradient(&g, &input, &output, &mut kernel_gradient, Some(&mut bias_gradient));
        });
        let mut input_gradient = values(g.input_len());
        pass("input gradient", &mut || {
            conv_input_gradient(&g, &output, &kernel, &mut input_gradient);
        });
    }
}

/// Prints how much faster a convolution is than the direct sum: the best of runs that alternate, so that other work on the
/// machine slows both.
fn against_direct(name: &str, kernel: &mut dyn FnMut()) {
    let mut best = [f64::INFINITY; 2];
    for run in 0..120 {
        set_winograd(if run % 2 == 1 { Winograd::default() } else { Winograd::Never });
        let start = Instant::now();
        kernel();
        best[run % 2] = best[run % 2].min(start.elapsed().as_secs_f64());
    }
    set_winograd(Winograd::default());
    println!("{name:32} Winograd's: {:.2} times the speed of the direct sum", best[0] / best[1]);
}

fn products(bench: &mut Bench<'_>) {
    for (batch, inputs, outputs) in [(BATCH, 3136, 256), (BATCH, 256, 10), (128, 784, 256)] {
        let (x, kernel) = (values(batch * inputs), values(inputs * outputs));
        let (cotangent, bias) = (values(batch * outputs), values(outputs));
        let name = format!("dense {batch}x{inputs}->{outputs}");
        let flops = 2 * batch * inputs * outputs;
        let mut product = |pass: &str, gemm_: Gemm<'_, f32>, epilogue: Epilogue<'_, f32>| {
            let mut c = values(gemm_.m * gemm_.n);
            bench(&format!("{name} {pass}"), flops, &mut || gemm(gemm_, &mut c, epilogue));
        };
        let forward = Gemm {
            m: batch,
            k: inputs,
            n: outputs,
            a: &x,
            a_strides: [inputs, 1],
            b: &kernel,
            b_strides: [outputs, 1],
        };
        product("forward", forward, Epilogue::Bias(&bias));
        let kernel_gradient = Gemm {
            m: inputs,
            k: batch,
            n: outputs,
            a: &x,
            a_strides: [1, inputs],
            b: &cotangent,
            b_strides: [outputs, 1],
        };
        product("kernel gradient", kernel_gradient, Epilogue::Assign);
        let input_gradient = Gemm {
            m: batch,
            k: outputs,
            n: inputs,
            a: &cotangent,
            a_strides: [outputs, 1],
            b: &kernel,
            b_strides: [1, outputs],
        };
        product("input gradient", input_gradient, Epilogue::Assign);
    }
}

fn pools(bench: &mut Bench<'_>) {
    for (size, features) in [(28, 32), (14, 64)] {
        let g = PoolGeometry {
            batch: BATCH,
            input: [size; 2],
            output: [size / 2; 2],
            features,
            window: [2; 2],
            strides: [2; 2],
            padding: [[0; 2]; 2],
        };
        let (input, mut output) = (values(g.input_len()), values(g.output_len()));
        let mut gradient = values(g.input_len());
        let (flops, name) = (g.input_len(), format!("pool {size}x{size}x{features}"));
        bench(&format!("avg {name} forward"), flops, &mut || {
            avg_pool(&g, Divisor::Window, &input, &mut output)
        });
        bench(&format!("avg {name} gradient"), flops, &mut || {
            avg_pool_gradient(&g, Divisor::Window, &output, |_, _| (), &mut gradient);
        });
        bench(&format!("max {name} forward"), flops, &mut || max_pool(&g, &input, &mut output));
        bench(&format!("max {name} gradient"), flops, &mut || {
            max_pool_gradient(&g, &input, &output, |_, _| (), &mut gradient);
        });
    }
}
