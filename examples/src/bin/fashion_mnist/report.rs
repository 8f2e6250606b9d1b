//! What a person sees of the training: a bar while an epoch runs, a line after it; and the log of metrics.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use flaxen::{Error, Result};
use flaxen_examples::metrics_log::{EpochMetrics, Metrics, MetricsLog, StepMetrics};
use flaxen_examples::progress;
use indicatif::ProgressBar;

/// Tells of a training run on an output and in a log.
pub struct Report<W: Write> {
    output: W,
    log: MetricsLog,
    /// Epochs that have begun.
    epoch: usize,
    /// Steps in all.
    step: usize,
    bar: ProgressBar,
    begun: Instant,
    images: usize,
    images_per_second: f64,
}

impl<W: Write> Report<W> {
    /// A report on no epoch yet.
    pub fn new(output: W, log: MetricsLog) -> Self {
        let bar = ProgressBar::hidden();
        Self { output, log, epoch: 0, step: 0, bar, begun: Instant::now(), images: 0, images_per_second: 0.0 }
    }

    /// Prints a line.
    pub fn say(&mut self, line: &str) -> Result<()> {
        let result = writeln!(self.output, "{line}").and_then(|()| self.output.flush());
        result.map_err(|source| Error::Io { path: PathBuf::from("standard output"), source })
    }

    /// The next epoch begins, and with it the time that its speed is measured in.
    pub fn begin_epoch(&mut self, steps: usize) {
        self.epoch += 1;
        self.bar = progress::epoch_bar(self.epoch, steps);
        self.images = 0;
        self.begun = Instant::now();
    }

    /// A step on a batch of so many images is done.
    pub fn step(&mut self, images: usize, metrics: Metrics) -> Result<()> {
        self.step += 1;
        self.images += images;
        self.images_per_second = self.images as f64 / self.begun.elapsed().as_secs_f64();
        self.bar.inc(1);
        let Metrics { loss, accuracy } = metrics;
        self.log.write(&StepMetrics { step: self.step, loss, accuracy })
    }

    /// The epoch is done: the means of its steps, and what was measured on the test set after it.
    pub fn end_epoch(&mut self, train: Metrics, test: Metrics) -> Result<()> {
        self.bar.finish_and_clear();
        self.log.write(&EpochMetrics {
            epoch: self.epoch,
            train_loss: train.loss,
            train_accuracy: train.accuracy,
            test_loss: test.loss,
            test_accuracy: test.accuracy,
            images_per_second: self.images_per_second,
        })?;
        let line = format!("Epoch [{}] - Train {train} / Test {test}", self.epoch);
        self.say(&line)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_the_tutorial_s_and_the_log_has_all_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics");
        let mut output = Vec::new();
        let mut report = Report::new(&mut output, MetricsLog::create(Some(&path)).unwrap());
        for _ in 0..2 {
            report.begin_epoch(1);
            report.step(32, Metrics { loss: 2.5, accuracy: 0.125 }).unwrap();
            let train = Metrics { loss: 0.4713, accuracy: 0.82556 };
            report.end_epoch(train, Metrics { loss: 0.4, accuracy: 0.8449 }).unwrap();
        }
        let output = String::from_utf8(output).unwrap();
        let expected = "Epoch [1] - Train loss: 0.47, accuracy: 82.56% / Test loss: 0.40, accuracy: 84.49%";
        assert_eq!(output.lines().next(), Some(expected));
        assert!(output.lines().nth(1).unwrap().starts_with("Epoch [2] - "));

        let log = fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[2], serde_json::json!({"step": 2, "loss": 2.5, "accuracy": 0.125}));
        assert_eq!(lines[3]["epoch"], 2);
        assert!(lines[3]["images_per_second"].as_f64().unwrap() > 0.0);
    }
}
