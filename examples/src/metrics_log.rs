//! Metrics of a training run as JSON lines: one object a step, one an epoch.

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flaxen::{Error, Result};
use serde::Serialize;

/// Loss and accuracy of a batch, or their means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// The mean loss.
    pub loss: f32,
    /// The part that was classified rightly.
    pub accuracy: f32,
}

/// As the tutorial prints it: `loss: 0.47, accuracy: 82.56%`.
impl fmt::Display for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "loss: {:.2}, accuracy: {:.2}%", self.loss, self.accuracy * 100.0)
    }
}

/// What one step measured, before its update.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StepMetrics {
    /// Counted from 1 over all epochs.
    pub step: usize,
    /// The mean loss of the batch.
    pub loss: f32,
    /// The part of the batch that was classified rightly.
    pub accuracy: f32,
}

/// What one epoch measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EpochMetrics {
    /// Counted from 1.
    pub epoch: usize,
    /// The mean loss over the epoch's batches.
    pub train_loss: f32,
    /// The mean accuracy over the epoch's batches.
    pub train_accuracy: f32,
    /// The loss on the test set after the epoch.
    pub test_loss: f32,
    /// The accuracy on the test set after the epoch.
    pub test_accuracy: f32,
    /// Training speed, without the evaluation.
    pub images_per_second: f64,
}

/// A file of metrics, or none.
#[derive(Debug)]
pub struct MetricsLog(Option<(BufWriter<File>, PathBuf)>);

impl MetricsLog {
    /// Creates the file, or a log that drops everything.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be created.
    pub fn create(path: Option<&Path>) -> Result<Self> {
        let file = path.map(|path| match File::create(path) {
            Ok(file) => Ok((BufWriter::new(file), path.to_owned())),
            Err(source) => Err(Error::Io { path: path.to_owned(), source }),
        });
        file.transpose().map(Self)
    }

    /// Writes one line, at once: a run that is stopped loses nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the file cannot be written.
    pub fn write(&mut self, metrics: &impl Serialize) -> Result<()> {
        let Some((file, path)) = &mut self.0 else {
            return Ok(());
        };
        let mut line = || {
            serde_json::to_writer(&mut *file, metrics)?;
            file.write_all(b"\n")?;
            file.flush()
        };
        line().map_err(|source| Error::Io { path: path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn lines_are_written_at_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut log = MetricsLog::create(Some(&path)).unwrap();
        log.write(&StepMetrics { step: 1, loss: 2.3, accuracy: 0.125 }).unwrap();
        let epoch = EpochMetrics {
            epoch: 1,
            train_loss: 0.47,
            train_accuracy: 0.8256,
            test_loss: f32::NAN,
            test_accuracy: 0.8449,
            images_per_second: 1000.5,
        };
        log.write(&epoch).unwrap();
        let expected = concat!(
            r#"{"step":1,"loss":2.3,"accuracy":0.125}"#,
            "\n",
            r#"{"epoch":1,"train_loss":0.47,"train_accuracy":0.8256,"test_loss":null,"test_accuracy":0.8449,"#,
            r#""images_per_second":1000.5}"#,
            "\n"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn a_file_that_cannot_be_created_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = MetricsLog::create(Some(folder.path())).unwrap_err().to_string();
        assert!(message.starts_with(&folder.path().display().to_string()), "{message}");
        MetricsLog::create(None).unwrap().write(&1).unwrap();
    }
}
