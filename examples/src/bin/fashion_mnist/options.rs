//! The command line.

use std::path::PathBuf;

use clap::Parser;
use flaxen::Key;

/// Trains the convolutional network of Flax's Fashion-MNIST tutorial.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(version)]
pub struct Options {
    /// Folder of Fashion-MNIST (or MNIST): four IDX files, gzipped or not. Without it: handwritten digits that the
    /// program brings along
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// How often the training images are gone through
    #[arg(long, value_name = "N", default_value = "10", value_parser = positive)]
    pub epochs: usize,

    /// Images in a step
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive)]
    pub batch_size: usize,

    /// Step size of the gradient descent
    #[arg(long, value_name = "RATE", default_value = "0.1", value_parser = not_negative)]
    pub learning_rate: f64,

    /// Part of the last update that the next one keeps
    #[arg(long, value_name = "PART", default_value = "0.9", value_parser = not_negative)]
    pub momentum: f64,

    /// What the initial parameters and the order of the images are drawn from
    #[arg(long, value_name = "SEED", default_value = "0")]
    pub seed: u32,

    /// Stop after this many steps in all
    #[arg(long, value_name = "N", value_parser = positive)]
    pub steps: Option<usize>,

    /// Draw random numbers as JAX did before 0.5, as the tutorial was printed with
    #[arg(long)]
    pub legacy_keys: bool,

    /// Folder for the pictures; made where there is none
    #[arg(long, value_name = "DIR", default_value = "fashion_mnist_pictures")]
    pub out: PathBuf,

    /// File for the metrics: JSON lines, one a step and one an epoch
    #[arg(long, value_name = "FILE")]
    pub metrics: Option<PathBuf>,
}

impl Options {
    /// The key that all random numbers come from.
    pub fn key(&self) -> Key {
        if self.legacy_keys { Key::legacy(self.seed.into()) } else { Key::new(self.seed.into()) }
    }

    /// The number of steps of every epoch: the last may end early, at `--steps`.
    pub fn steps_of_epochs(&self, steps_per_epoch: usize) -> impl Iterator<Item = usize> + use<> {
        let all = self.epochs.saturating_mul(steps_per_epoch);
        let mut left = self.steps.unwrap_or(all).min(all);
        std::iter::from_fn(move || {
            let steps = left.min(steps_per_epoch);
            left -= steps;
            (steps > 0).then_some(steps)
        })
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=f64::from(f32::MAX)).contains(&number) => Ok(number),
        Ok(_) => Err("must be a finite number from 0 up".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Options, clap::Error> {
        Options::try_parse_from([&["fashion_mnist"], arguments].concat())
    }

    #[test]
    fn the_defaults_are_the_tutorial() {
        Options::command().debug_assert();
        let options = parse(&[]).unwrap();
        assert_eq!((options.epochs, options.batch_size, options.seed), (10, 32, 0));
        assert_eq!((options.learning_rate, options.momentum), (0.1, 0.9));
        assert!(options.data.is_none() && options.steps.is_none() && !options.legacy_keys);
    }

    #[test]
    fn keys_are_of_the_seed_and_the_layout() {
        assert_eq!(parse(&["--seed", "7"]).unwrap().key(), Key::new(7));
        assert_eq!(parse(&["--seed", "7", "--legacy-keys"]).unwrap().key(), Key::legacy(7));
    }

    #[test]
    fn numbers_out_of_range_are_usage_errors() {
        for arguments in [
            ["--epochs", "0"],
            ["--batch-size", "0"],
            ["--batch-size", "many"],
            ["--steps", "0"],
            ["--seed=-1", "--legacy-keys"],
            ["--learning-rate", "nan"],
            ["--learning-rate=-0.1", "--legacy-keys"],
            ["--momentum", "inf"],
        ] {
            assert_eq!(parse(&arguments).unwrap_err().exit_code(), 2, "{arguments:?}");
        }
    }

    #[test]
    fn steps_end_the_last_epoch_early() {
        let steps = |arguments: &[&str]| parse(arguments).unwrap().steps_of_epochs(46).collect::<Vec<_>>();
        assert_eq!(steps(&["--epochs", "2"]), [46, 46]);
        assert_eq!(steps(&["--epochs", "3", "--steps", "100"]), [46, 46, 8]);
        assert_eq!(steps(&["--steps", "92"]), [46, 46]);
        assert_eq!(steps(&["--epochs", "1", "--steps", "100"]), [46]);
    }
}
