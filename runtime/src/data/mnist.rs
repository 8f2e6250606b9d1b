//! MNIST and the sets made in its image (Fashion-MNIST): grey images of 28×28 pixels in ten classes, as four
//! IDX files.

use std::fs;
use std::path::Path;

use super::idx;
use crate::Tensor;
use crate::error::{Error, Result};
use crate::shape::{Batch, Dyn};

/// Height and width of an image.
pub const SIDE: usize = 28;

/// Pixels of an image.
pub const PIXELS: usize = SIDE * SIDE;

/// Classes; the labels are `0..CLASSES`.
pub const CLASSES: usize = 10;

/// A training set and a test set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainTest {
    /// What is learned from.
    pub train: LabelledImages,
    /// What is only measured on.
    pub test: LabelledImages,
}

/// Images, each with its class. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledImages {
    /// `[n, 28, 28]`, row-major.
    images: Vec<u8>,
    /// `[n]`, each below [`CLASSES`].
    labels: Vec<u8>,
    /// The pixel that means 1.
    white: u8,
}

impl LabelledImages {
    /// Images `[n, 28, 28]` with labels `[n]`; a model sees each pixel divided by `white`.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] when there are no images, when their number is not that of the labels, when a label is
    /// no class, or when `white` is 0.
    pub fn new(images: Vec<u8>, labels: Vec<u8>, white: u8) -> Result<Self> {
        let mismatch = |what: &str, expected: String, found: String| {
            Err(Error::Mismatch { what: what.into(), expected, found })
        };
        if labels.is_empty() {
            return mismatch("labels", "at least one".into(), "none".into());
        }
        if images.len() != labels.len() * PIXELS {
            return mismatch(
                "pixels",
                format!("{} for {} labels", labels.len() * PIXELS, labels.len()),
                images.len().to_string(),
            );
        }
        if let Some((index, label)) = not_a_class(&labels) {
            return mismatch("labels", format!("0 to {}", CLASSES - 1), format!("{label} at index {index}"));
        }
        if white == 0 {
            return mismatch("white", "1 to 255".into(), "0".into());
        }
        Ok(Self { images, labels, white })
    }

    /// How many images there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The 28×28 pixels of one image, row by row.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`len`](Self::len), as a slice does.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.images[index * PIXELS..][..PIXELS]
    }

    /// The class of every image.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The pixel that means 1: 255 for IDX files.
    pub fn white(&self) -> u8 {
        self.white
    }

    /// The images of these indices, each pixel divided by [`white`](Self::white), with their labels. The memory is
    /// that of an earlier batch that nobody holds any more, so that a training loop allocates nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Mismatch`] when `B` is another size than the number of indices, or an index is not below
    /// [`len`](Self::len).
    pub fn gather<B: Batch>(&self, indices: &[usize]) -> Result<LabelledBatch<B>> {
        let batch = B::from_size(indices.len()).ok_or_else(|| Error::Mismatch {
            what: "indices of a batch".into(),
            expected: B::SIZE.known().map_or("any number".into(), |size| size.to_string()),
            found: indices.len().to_string(),
        })?;
        if let Some(index) = indices.iter().find(|&&index| index >= self.len()) {
            return Err(Error::Mismatch {
                what: "index of a batch".into(),
                expected: format!("below {}", self.len()),
                found: index.to_string(),
            });
        }
        Ok(self.batch_of(batch, indices.iter().copied()))
    }

    /// All images, in order.
    pub fn all(&self) -> LabelledBatch<Dyn> {
        self.batch_of(Dyn(self.len()), 0..self.len())
    }

    /// The images of these indices, which are as many as the batch and all below [`len`](Self::len).
    fn batch_of<B: Batch>(&self, batch: B, indices: impl Iterator<Item = usize> + Clone) -> LabelledBatch<B> {
        let white = f32::from(self.white);
        let images =
            Tensor::written((batch, Default::default(), Default::default(), Default::default()), |images| {
                for (index, image) in indices.clone().zip(images.chunks_exact_mut(PIXELS)) {
                    for (pixel, &byte) in image.iter_mut().zip(self.image(index)) {
                        *pixel = f32::from(byte) / white;
                    }
                }
            });
        let labels = Tensor::written((batch,), |labels| {
            for (index, label) in indices.zip(labels) {
                *label = self.labels[index].into();
            }
        });
        LabelledBatch { images, labels }
    }
}

/// Images as a model takes them.
pub type Images<B> = Tensor![B, 28, 28, 1];

/// Classes, one an image.
pub type Labels<B> = Tensor![B; i32];

/// Some of the images with their labels.
#[derive(Debug, Clone)]
pub struct LabelledBatch<B: Batch> {
    /// From 0 to 1.
    pub images: Images<B>,
    /// Classes.
    pub labels: Labels<B>,
}

/// The first label that is no class, with its index.
fn not_a_class(labels: &[u8]) -> Option<(usize, u8)> {
    labels.iter().copied().enumerate().find(|&(_, label)| usize::from(label) >= CLASSES)
}

/// Loads `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte` of a folder, each with `.gz` appended or not. White is 255.
///
/// # Errors
///
/// [`Error::Io`] when the folder or a file is missing or cannot be read; [`Error::Format`] when a file is not
/// what [`idx::read`] takes, its images are not of 28×28 pixels, there are none, there are not as many labels, or
/// a label is no class. Each names the file.
pub fn load(folder: impl AsRef<Path>) -> Result<TrainTest> {
    let folder = folder.as_ref();
    let metadata = fs::metadata(folder).map_err(|source| Error::Io { path: folder.to_owned(), source })?;
    if !metadata.is_dir() {
        return Err(Error::Format { path: folder.to_owned(), reason: "not a folder".into() });
    }
    Ok(TrainTest { train: load_set(folder, "train")?, test: load_set(folder, "t10k")? })
}

/// One set of a folder.
fn load_set(folder: &Path, set: &str) -> Result<LabelledImages> {
    let (images, images_path) =
        idx::read_checked(folder.join(format!("{set}-images-idx3-ubyte")), |sizes| match sizes {
            [0, SIDE, SIDE] => Err("there are no images in it".into()),
            [_, SIDE, SIDE] => Ok(()),
            [_, height, width] => {
                Err(format!("expected images of {SIDE}×{SIDE} pixels, found {height}×{width}"))
            }
            _ => Err(format!("expected images in 3 dimensions, found {}: {sizes:?}", sizes.len())),
        })?;
    let (labels, labels_path) =
        idx::read_checked(folder.join(format!("{set}-labels-idx1-ubyte")), |sizes| match sizes {
            [count] if *count == images.sizes[0] => Ok(()),
            [count] => {
                Err(format!("{count} labels, but {} has {} images", images_path.display(), images.sizes[0]))
            }
            _ => Err(format!("expected labels in 1 dimension, found {}: {sizes:?}", sizes.len())),
        })?;
    if let Some((index, label)) = not_a_class(&labels.values) {
        let reason = format!("label {label} at index {index} is not one of 0 to {}", CLASSES - 1);
        return Err(Error::Format { path: labels_path, reason });
    }
    LabelledImages::new(images.values, labels.values, u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::dim::names::U2;

    /// An IDX file.
    fn idx_bytes(sizes: &[u32], values: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
        bytes.extend(values);
        bytes
    }

    /// Three training images and two test images.
    fn write_sound(folder: &Path) {
        for (set, labels) in [("train", &[3, 1, 9][..]), ("t10k", &[0, 7])] {
            let count = labels.len() as u32;
            let pixels: Vec<u8> = (0..labels.len() * PIXELS).map(|pixel| pixel as u8).collect();
            let images = idx_bytes(&[count, 28, 28], &pixels);
            fs::write(folder.join(format!("{set}-images-idx3-ubyte")), images).unwrap();
            fs::write(folder.join(format!("{set}-labels-idx1-ubyte")), idx_bytes(&[count], labels)).unwrap();
        }
    }

    /// What `load` says when `file` has this content.
    #[track_caller]
    fn assert_refused(file: &str, content: &[u8], reason: &str) {
        let folder = tempfile::tempdir().unwrap();
        write_sound(folder.path());
        fs::write(folder.path().join(file), content).unwrap();
        let message = load(folder.path()).unwrap_err().to_string();
        assert!(message.contains(file) && message.contains(reason), "{file}, {reason:?}: {message:?}");
    }

    #[test]
    fn four_files_load() {
        let folder = tempfile::tempdir().unwrap();
        write_sound(folder.path());
        let TrainTest { train, test } = load(folder.path()).unwrap();
        assert_eq!((train.len(), test.len()), (3, 2));
        assert_eq!(train.labels(), [3, 1, 9]);
        assert_eq!(train.image(1)[..2], [16, 17], "784 = 3 · 256 + 16");
        assert_eq!(test.white(), 255);
    }

    #[test]
    fn every_defect_names_its_file() {
        let images = "train-images-idx3-ubyte";
        let labels = "t10k-labels-idx1-ubyte";
        assert_refused(images, &idx_bytes(&[0, 28, 28], &[]), "no images");
        assert_refused(images, &idx_bytes(&[1, 28, 14], &[0; 28 * 14]), "found 28×14");
        assert_refused(images, &idx_bytes(&[3], &[0; 3]), "expected images in 3 dimensions, found 1");
        assert_refused(labels, &idx_bytes(&[2, 1], &[0; 2]), "expected labels in 1 dimension, found 2");
        assert_refused(labels, &idx_bytes(&[3], &[0; 3]), "3 labels, but");
        assert_refused(labels, &idx_bytes(&[2], &[9, 10]), "label 10 at index 1");
        assert_refused(labels, b"no", "ends early");
    }

    #[test]
    fn missing_files_and_folders_are_named() {
        let folder = tempfile::tempdir().unwrap();
        write_sound(folder.path());
        fs::remove_file(folder.path().join("t10k-images-idx3-ubyte")).unwrap();
        let message = load(folder.path()).unwrap_err().to_string();
        assert!(message.contains("t10k-images-idx3-ubyte: no such file"), "{message}");
        let message = load(folder.path().join("absent")).unwrap_err().to_string();
        assert!(message.contains("absent"), "{message}");
        let message = load(folder.path().join("train-images-idx3-ubyte")).unwrap_err().to_string();
        assert!(message.contains("not a folder"), "{message}");
    }

    /// Three images of one grey each: 0, 8 and 16 of 16.
    fn greys() -> LabelledImages {
        let images = (0..3 * PIXELS).map(|pixel| (pixel / PIXELS * 8) as u8).collect();
        LabelledImages::new(images, vec![5, 6, 7], 16).unwrap()
    }

    #[test]
    fn gather_follows_the_indices_and_divides_by_white() {
        let batch = greys().gather::<U2>(&[2, 1]).unwrap();
        assert_eq!(batch.labels.as_slice(), [7, 6]);
        let (first, second) = batch.images.as_slice().split_at(PIXELS);
        assert!(first.iter().all(|&pixel| pixel == 1.0));
        assert!(second.iter().all(|&pixel| pixel == 0.5));
    }

    #[test]
    fn all_is_every_image_in_order() {
        let set = greys();
        let (all, gathered) = (set.all(), set.gather::<Dyn>(&[0, 1, 2]).unwrap());
        assert_eq!(all.images.sizes(), [3, 28, 28, 1]);
        assert_eq!((all.images, all.labels), (gathered.images, gathered.labels));
    }

    #[test]
    fn gather_refuses_what_is_not_there() {
        let message = greys().gather::<U2>(&[0, 3]).unwrap_err().to_string();
        assert!(message.contains("expected below 3, found 3"), "{message}");
        let message = greys().gather::<U2>(&[0]).unwrap_err().to_string();
        assert!(message.contains("expected 2, found 1"), "{message}");
    }

    #[test]
    fn a_set_is_checked_when_made() {
        let refused =
            |images, labels, white| LabelledImages::new(images, labels, white).unwrap_err().to_string();
        assert!(refused(vec![], vec![], 255).contains("at least one"));
        assert!(refused(vec![0; PIXELS + 1], vec![0], 255).contains("expected 784 for 1 labels, found 785"));
        assert!(refused(vec![0; PIXELS], vec![10], 255).contains("found 10 at index 0"));
        assert!(refused(vec![0; PIXELS], vec![0], 0).contains("white"));
    }
}
