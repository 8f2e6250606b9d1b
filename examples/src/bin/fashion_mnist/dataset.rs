//! What is trained on: Fashion-MNIST or MNIST from files, or the digits inside the program.

use std::path::Path;

use flaxen::Result;
use flaxen::data::mnist::{self, CLASSES, LabelledImages, TrainTest};
use flaxen_examples::digits;

/// The classes of Fashion-MNIST.
const CLOTHES: [&str; CLASSES] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// The classes of MNIST and of the digits inside the program.
const DIGITS: [&str; CLASSES] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// The first labels of MNIST's training set, by which it is known from Fashion-MNIST: their files have the same
/// names.
const FIRST_OF_MNIST: [u8; 16] = [5, 0, 4, 1, 9, 2, 1, 3, 1, 4, 3, 5, 3, 6, 1, 7];

/// Images with the names of their classes.
#[derive(Debug)]
pub struct Dataset {
    /// The images.
    pub images: TrainTest,
    /// The names of the classes.
    pub class_names: &'static [&'static str; CLASSES],
    /// What it is, in one line.
    pub description: String,
}

impl Dataset {
    /// The four files of a folder, else the digits.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let images = folder.map_or_else(digits::load, mnist::load)?;
        let sizes = format!("{} images to train and {} to test", images.train.len(), images.test.len());
        let description = match folder {
            Some(folder) => format!("{}: {sizes}", folder.display()),
            None => format!(
                "Handwritten digits (UCI), enlarged to 28x28: {sizes}. Fashion-MNIST is to be had at \
                 https://github.com/zalandoresearch/fashion-mnist#get-the-data, for --data DIR"
            ),
        };
        let class_names = match folder {
            Some(_) if !is_mnist(&images.train) => &CLOTHES,
            _ => &DIGITS,
        };
        Ok(Self { images, class_names, description })
    }
}

fn is_mnist(train: &LabelledImages) -> bool {
    train.labels().starts_with(&FIRST_OF_MNIST)
}

#[cfg(test)]
mod tests {
    use flaxen::data::mnist::PIXELS;

    use super::*;

    #[test]
    fn without_a_folder_there_are_digits() {
        let dataset = Dataset::load(None).unwrap();
        assert_eq!(dataset.class_names[7], "7");
        assert!(dataset.description.contains("1500 images to train and 297 to test"));
        assert!(dataset.description.contains("github.com/zalandoresearch/fashion-mnist"));
        assert_eq!(dataset.description.lines().count(), 1);
    }

    #[test]
    fn mnist_is_known_by_its_first_labels() {
        let set = |labels: Vec<u8>| LabelledImages::new(vec![0; labels.len() * PIXELS], labels, 255).unwrap();
        assert!(is_mnist(&set(FIRST_OF_MNIST.to_vec())));
        let first_of_fashion_mnist = vec![9, 0, 0, 3, 0, 2, 7, 2, 5, 5, 0, 9, 5, 5, 7, 9];
        assert!(!is_mnist(&set(first_of_fashion_mnist)));
        assert!(!is_mnist(&set(vec![5])));
    }
}
