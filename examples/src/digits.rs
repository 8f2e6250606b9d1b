//! Real handwritten digits inside the program, for a first run without any download: 1,797 images of 8×8 pixels.
//! Their source and licence are in `data/README.md`.

use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use flaxen::data::mnist::{LabelledImages, PIXELS, SIDE, TrainTest};
use flaxen::{Error, Result};

/// A line each: 64 pixels from 0 to 16, and the digit.
const COMPRESSED_CSV: &[u8] = include_bytes!("../data/digits.csv.gz");

/// Height and width of an image in the file.
const FILE_SIDE: usize = 8;

/// The pixel that means 1.
const WHITE: u8 = 16;

/// Every pixel becomes this many in height and in width,
const SCALE: usize = 3;

/// and what is left to 28 becomes a border.
const BORDER: usize = (SIDE - FILE_SIDE * SCALE) / 2;

/// The first images train, the others test.
const TRAINING_IMAGES: usize = 1500;

/// The digits, enlarged to 28×28: 1,500 to train, 297 to test.
///
/// # Errors
///
/// If the data inside the program are damaged.
pub fn load() -> Result<TrainTest> {
    let mut csv = String::new();
    GzDecoder::new(COMPRESSED_CSV).read_to_string(&mut csv).map_err(|error| damaged(error.to_string()))?;
    let lines: Vec<&str> = csv.lines().collect();
    let (train, test) = lines
        .split_at_checked(TRAINING_IMAGES)
        .ok_or_else(|| damaged(format!("only {} images", lines.len())))?;
    Ok(TrainTest { train: parse(train)?, test: parse(test)? })
}

/// An image and its label from each line.
fn parse(lines: &[&str]) -> Result<LabelledImages> {
    let mut images = Vec::with_capacity(lines.len() * PIXELS);
    let mut labels = Vec::with_capacity(lines.len());
    for line in lines {
        let numbers = line.split(',').map(str::parse).collect::<Result<Vec<u8>, _>>();
        match numbers.ok().as_deref() {
            Some([image @ .., label]) if image.len() == FILE_SIDE * FILE_SIDE => {
                enlarge(image, &mut images);
                labels.push(*label);
            }
            _ => return Err(damaged(format!("expected 64 pixels and a digit, found {line:?}"))),
        }
    }
    LabelledImages::new(images, labels, WHITE)
}

/// Appends an 8×8 image as 28×28.
fn enlarge(image: &[u8], images: &mut Vec<u8>) {
    let start = images.len();
    images.resize(start + PIXELS, 0);
    let enlarged = &mut images[start..];
    for row in 0..FILE_SIDE * SCALE {
        for column in 0..FILE_SIDE * SCALE {
            enlarged[(row + BORDER) * SIDE + column + BORDER] =
                image[row / SCALE * FILE_SIDE + column / SCALE];
        }
    }
}

fn damaged(reason: String) -> Error {
    Error::Format { path: PathBuf::from("digits.csv.gz inside the program"), reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_1500_and_297_of_all_digits() {
        let TrainTest { train, test } = load().unwrap();
        assert_eq!((train.len(), test.len(), train.white()), (1500, 297, 16));
        assert_eq!(train.labels()[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let mut counts = [0; 10];
        train.labels().iter().chain(test.labels()).for_each(|&label| counts[usize::from(label)] += 1);
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    }

    #[test]
    fn pixels_are_three_by_three_inside_a_border_of_two() {
        let TrainTest { train, .. } = load().unwrap();
        let image = train.image(0);
        let row = |index: usize| &image[index * SIDE..][..SIDE];
        // The file's first line begins 0,0,5,13,9,1,0,0.
        let enlarged: Vec<u8> = [0; 2]
            .into_iter()
            .chain([0, 0, 5, 13, 9, 1, 0, 0].into_iter().flat_map(|p| [p; 3]))
            .chain([0; 2])
            .collect();
        assert!((0..2).chain(26..28).all(|index| row(index) == [0; SIDE]));
        assert!((2..5).all(|index| row(index) == enlarged));
        assert_ne!(row(5), enlarged);
        assert_eq!(
            train.gather::<flaxen::shape::Dyn>(&[0]).unwrap().images.as_slice()[2 * SIDE + 11],
            13.0 / 16.0
        );
    }

    #[test]
    fn damaged_lines_are_refused() {
        for line in ["", "1,2", "x", &"1,".repeat(65), &format!("{}11", "1,".repeat(64))] {
            assert!(parse(&[line]).is_err(), "{line:?}");
        }
    }
}
