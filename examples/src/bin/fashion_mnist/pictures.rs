//! The two pictures: what there is to learn, and what was learned.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use flaxen::{Error, Result};
use flaxen_examples::picture_grid::{self, Caption};

use crate::dataset::Dataset;

/// Where the pictures are written.
#[derive(Debug)]
pub struct Pictures {
    train: PathBuf,
    test: PathBuf,
}

impl Pictures {
    /// Makes the folder where there is none, and checks that both pictures can be written there.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|source| Error::Io { path: folder.to_owned(), source })?;
        let pictures =
            Self { train: folder.join("train_images.png"), test: folder.join("test_predictions.png") };
        picture_grid::check_writable(&pictures.train)?;
        picture_grid::check_writable(&pictures.test)?;
        Ok(pictures)
    }

    /// The first training images with their labels.
    pub fn draw_training_images(&self, dataset: &Dataset) -> Result<()> {
        let set = &dataset.images.train;
        let label = |&label: &u8| Caption::label(dataset.class_names[usize::from(label)]);
        let captions: Vec<_> = set.labels().iter().take(picture_grid::IMAGES).map(label).collect();
        let title = format!("First {} training images", captions.len());
        picture_grid::write(&self.train, &title, set, &captions)
    }

    /// The first test images with the classes that the model predicts.
    ///
    /// # Errors
    ///
    /// Also when a prediction is no class.
    pub fn draw_predictions(&self, dataset: &Dataset, predictions: &[usize]) -> Result<()> {
        let set = &dataset.images.test;
        let captions = set.labels().iter().zip(predictions).take(picture_grid::IMAGES);
        let captions = captions.map(|(&label, &predicted)| match dataset.class_names.get(predicted) {
            Some(predicted) => Ok(Caption::prediction(predicted, dataset.class_names[usize::from(label)])),
            None => Err(Error::Mismatch {
                what: "predicted class".into(),
                expected: format!("below {}", dataset.class_names.len()),
                found: predicted.to_string(),
            }),
        });
        let captions: Vec<_> = captions.collect::<Result<_>>()?;
        let right = captions.iter().filter(|caption| !caption.is_wrong()).count();
        let title = format!("First {} test images: {right} predicted rightly", captions.len());
        picture_grid::write(&self.test, &title, set, &captions)
    }
}

impl fmt::Display for Pictures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pictures: {}, {}", self.train.display(), self.test.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_pictures_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = Dataset::load(None).unwrap();
        let pictures = Pictures::in_folder(&folder.path().join("new/folder")).unwrap();
        assert!(!pictures.train.exists() && !pictures.test.exists());
        pictures.draw_training_images(&dataset).unwrap();
        let mut predictions: Vec<_> =
            dataset.images.test.labels().iter().map(|&label| usize::from(label)).collect();
        predictions[3] = 9 - predictions[3];
        pictures.draw_predictions(&dataset, &predictions).unwrap();
        assert!(pictures.train.exists() && pictures.test.exists());
        assert!(pictures.draw_predictions(&dataset, &[10]).is_err());
    }

    #[test]
    fn a_folder_that_cannot_be_had_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let message = Pictures::in_folder(&file).unwrap_err().to_string();
        assert!(message.starts_with(&file.display().to_string()), "{message}");
        fs::create_dir(folder.path().join("test_predictions.png")).unwrap();
        let message = Pictures::in_folder(folder.path()).unwrap_err().to_string();
        assert!(message.contains("test_predictions.png"), "{message}");
    }
}
