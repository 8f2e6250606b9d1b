//! Whole steps, forward, backward and update, of the models with which other frameworks are compared.
//!
//! Prints one table: for each row what a step must do, how long that takes at the machine's peak as measured in the same
//! run, the times, and what a step allocates after the first. Criterion's estimates follow.
//!
//! ```console
//! $ cargo bench --bench step                  # all rows
//! $ cargo bench --bench step -- mlp           # one of them
//! $ cargo bench --bench step -- --json mlp    # as a line of JSON, without Criterion
//! $ cargo bench --bench step -- --peer 'jax=python jax_bench.py' mlp    # in turns with another program
//! ```
//!
//! `compare.sh`, beside this folder, gives the peers.
//!
//! `BENCH_THREADS` is the number of threads, if not all of the machine's; `BENCH_SECONDS` how long each of three
//! repetitions takes, 1 s if it is not set.

mod adam10m;
mod bnmlp;
mod cnn;
mod cnn_eval;
mod compare;
mod conditions;
mod json;
mod linreg;
mod mlp;
mod patterns;
#[path = "../../../runtime/benches/peak/mod.rs"]
mod peak;
mod resnet_block;
mod row;
mod table;
mod timing;
#[path = "../../../runtime/benches/peak/triad.rs"]
mod triad;

use std::alloc::System;
use std::env;
use std::error::Error;
use std::time::Duration;

use criterion::Criterion;
use row::Row;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use table::Machine;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROWS: [(&str, fn() -> Row); 7] = [
    ("linreg", linreg::row),
    ("mlp", mlp::row),
    ("cnn", cnn::row),
    ("cnn_eval", cnn_eval::row),
    ("bnmlp", bnmlp::row),
    ("resnet_block", resnet_block::row),
    ("adam10m", adam10m::row),
];

fn main() -> Result<(), Box<dyn Error>> {
    if let Some(threads) = variable("BENCH_THREADS") {
        flaxen::backend::set_threads(threads as usize);
    }
    let seconds = variable("BENCH_SECONDS").unwrap_or(1.0);
    let arguments: Vec<String> = env::args().skip(1).collect();
    let asked = |name: &str| arguments.iter().any(|argument| argument == name);
    let all = !ROWS.iter().any(|(name, _)| asked(name));
    let rows = ROWS.into_iter().filter(|(name, _)| all || asked(name));
    if asked("--peer") {
        let names: Vec<&str> = rows.map(|(name, _)| name).collect();
        let pairs = arguments.windows(2).filter(|pair| pair[0] == "--peer");
        let peers: Vec<String> = pairs.map(|pair| pair[1].clone()).collect();
        compare::compare(&names, &peers, variable("BENCH_PASSES").unwrap_or(3.0) as usize)?;
    } else if asked("--json") {
        rows.for_each(|(name, row)| json::print(name, &mut row(), seconds));
    } else {
        let mut machine = Machine::measure();
        machine.head();
        rows.clone().for_each(|(name, row)| machine.line(name, &mut row(), seconds));
        with_criterion(rows);
    }
    Ok(())
}

/// A number from the environment.
fn variable(name: &str) -> Option<f64> {
    env::var(name).ok()?.parse().ok()
}

fn with_criterion(rows: impl Iterator<Item = (&'static str, fn() -> Row)>) {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);
    let mut group = criterion.benchmark_group("step");
    for (name, row) in rows {
        let mut step = row().step;
        group.bench_function(name, |bencher| bencher.iter(&mut step));
    }
    group.finish();
    criterion.final_summary();
}
