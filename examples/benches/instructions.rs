//! How many instructions a small training step executes, on one thread: what gets slower shows here in spite of noise.
//!
//! Each step runs under valgrind's callgrind, which counts; the bench fails where a count is above its budget. Valgrind offers
//! AVX2 and no AVX-512, so these are the instructions of the AVX2 kernels.
//!
//! ```console
//! $ cargo bench --bench instructions                  # needs valgrind
//! $ cargo bench --bench instructions --profile dev    # as after tests, without another build of all dependencies
//! ```
//!
//! Whoever makes a step cheaper, or dearer on purpose, changes its budget here.

#[allow(dead_code)] // its row is of the other bench
#[path = "step/cnn.rs"]
mod cnn;
#[path = "step/linreg.rs"]
mod linreg;
#[allow(dead_code)] // as above
#[path = "step/mlp.rs"]
mod mlp;
#[path = "step/patterns.rs"]
mod patterns;
#[allow(dead_code)] // as above
#[path = "step/row.rs"]
mod row;

use std::env;
use std::error::Error;
use std::process::Command;

use flaxen::prelude::*;
use patterns::Batches;

/// How far a count may be above its budget: compilers and C libraries differ a little.
const TOLERANCE: f64 = 0.05;

/// A step, and how many instructions it may execute.
struct Counted {
    name: &'static str,
    /// By optimised code, and by that of tests.
    budget: [f64; 2],
    step: fn() -> Box<dyn FnMut() -> f32>,
}

const STEPS: [Counted; 3] = [
    Counted { name: "linreg", budget: [6_130.0, 21_400.0], step: || linreg::row().step },
    Counted { name: "mlp, batch 8", budget: [1_874_000.0, 29_630_000.0], step: mlp_step },
    Counted { name: "cnn, batch 2", budget: [11_872_000.0, 156_143_000.0], step: cnn_step },
];

fn mlp_step() -> Box<dyn FnMut() -> f32> {
    let mut batches = Batches::<(U8, U784), U8>::new(Default::default(), Default::default());
    let mut state = mlp::create_train_state::<U256>();
    Box::new(move || {
        let (images, labels) = batches.next();
        mlp::train_step(&mut state, images, labels)
    })
}

fn cnn_step() -> Box<dyn FnMut() -> f32> {
    let mut batches = Batches::<(U2, U28, U28, U1), U2>::new(Default::default(), Default::default());
    let mut state = cnn::create_train_state();
    Box::new(move || {
        let (images, labels) = batches.next();
        cnn::train_step(&mut state, images, labels)
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(index) = env::var("COUNTED_STEP").ok().and_then(|index| index.parse::<usize>().ok()) {
        run(&STEPS[index]);
        return Ok(());
    }
    let build = usize::from(cfg!(debug_assertions));
    let mut broken = Vec::new();
    println!("{:14} {:>14} {:>14} {:>8}", "step", "instructions", "budget", "");
    for (index, Counted { name, budget, .. }) in STEPS.iter().enumerate() {
        let (count, budget) = (count(index)?, budget[build]);
        let change = count / budget - 1.0;
        println!("{name:14} {count:>14} {budget:>14} {:>+7.1}%", 100.0 * change);
        if change > TOLERANCE {
            broken.push(*name);
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    Err(format!("more than {} % above the budget: {}", 100.0 * TOLERANCE, broken.join("; ")).into())
}

/// The instructions of a step in a run of this program under callgrind.
fn count(index: usize) -> Result<f64, Box<dyn Error>> {
    let arguments = ["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*counted_step*"];
    let output = Command::new("valgrind")
        .args(arguments)
        .arg(env::current_exe()?)
        .env("COUNTED_STEP", index.to_string())
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let count = text.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    Ok(count.ok_or_else(|| format!("valgrind does not say how many instructions it collected: {text}"))?)
}

/// What runs under callgrind: two steps that fill the pools of memory, and one that counts.
fn run(counted: &Counted) {
    flaxen::backend::set_threads(1);
    let mut step = (counted.step)();
    step();
    step();
    counted_step(&mut step);
}

/// Callgrind finds it by its name.
#[inline(never)]
fn counted_step(step: &mut dyn FnMut() -> f32) {
    std::hint::black_box(step());
}
