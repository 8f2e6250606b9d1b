//! The Fashion-MNIST tutorial of Flax: trains its convolutional network, tells how well it does, and draws the first
//! images with what it takes them for.
//!
//! `cargo run --release --bin fashion_mnist -- --help` lists the options.

mod dataset;
mod options;
mod pictures;
mod report;
mod training;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use flaxen::Result;
use flaxen::data::batches;
use flaxen_examples::metrics_log::MetricsLog;

use dataset::Dataset;
use options::Options;
use pictures::Pictures;
use report::Report;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where the error output is closed, the exit code still tells.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// All that can be wrong with the options is found before anything is trained.
fn run(options: &Options) -> Result<()> {
    let dataset = Dataset::load(options.data.as_deref())?;
    let steps_per_epoch = batches::per_epoch(dataset.images.train.len(), options.batch_size)?;
    let pictures = Pictures::in_folder(&options.out)?;
    let mut report = Report::new(io::stdout(), MetricsLog::create(options.metrics.as_deref())?);

    report.say(&dataset.description)?;
    pictures.draw_training_images(&dataset)?;
    let predictions = training::train(options, &dataset.images, steps_per_epoch, &mut report)?;
    pictures.draw_predictions(&dataset, &predictions)?;
    report.say(&pictures.to_string())
}
