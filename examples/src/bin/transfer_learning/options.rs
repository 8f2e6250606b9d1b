//! The command line.

use std::path::PathBuf;

use clap::Parser;
use flaxen::Key;

/// Trains a classifier on top of a vision transformer that stays as it is.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(version)]
pub struct Options {
    /// Folder of openai/clip-vit-base-patch32: `config.json`, and `flax_model.msgpack` or `model.safetensors`. Without it: a
    /// small transformer with random parameters
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,

    /// How often the training images are gone through
    #[arg(long, value_name = "N", default_value = "10", value_parser = positive)]
    pub epochs: usize,

    /// Images in a step
    #[arg(long, value_name = "N", default_value = "32", value_parser = positive)]
    pub batch_size: usize,

    /// Step size of Adam
    #[arg(long, value_name = "RATE", default_value = "0.005", value_parser = not_negative)]
    pub learning_rate: f64,

    /// How many of the training images are used; all unless it is given
    #[arg(long, value_name = "N", value_parser = positive)]
    pub images: Option<usize>,

    /// What the order of the images, and random parameters, are drawn from
    #[arg(long, value_name = "SEED", default_value = "0")]
    pub seed: u32,
}

impl Options {
    /// The key that all random numbers come from.
    pub fn key(&self) -> Key {
        Key::new(self.seed.into())
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

    #[test]
    fn the_defaults_are_the_tutorial() {
        Options::command().debug_assert();
        let options = Options::try_parse_from(["transfer_learning"]).unwrap();
        assert_eq!((options.epochs, options.batch_size, options.seed), (10, 32, 0));
        assert_eq!((options.learning_rate, options.model), (5e-3, None));
    }

    #[test]
    fn numbers_out_of_range_are_usage_errors() {
        for argument in ["--epochs=0", "--batch-size=0", "--images=0", "--learning-rate=-1", "--seed=x"] {
            let error = Options::try_parse_from(["transfer_learning", argument]).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{argument}");
        }
    }
}
