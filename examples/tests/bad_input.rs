//! What `fashion_mnist` says of bad input: one error that names the file and the reason, before anything is trained.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use flate2::{Compression, write::GzEncoder};
use tempfile::TempDir;

const IMAGES: &str = "train-images-idx3-ubyte";
const LABELS: &str = "train-labels-idx1-ubyte";
const TEST_IMAGES: &str = "t10k-images-idx3-ubyte";
const TEST_LABELS: &str = "t10k-labels-idx1-ubyte";

fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A folder of four sound files: 40 training images, 10 test images.
fn sound_data() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (images, labels, count) in [(IMAGES, LABELS, 40_u8), (TEST_IMAGES, TEST_LABELS, 10)] {
        let pixels = vec![100; usize::from(count) * 28 * 28];
        fs::write(folder.path().join(images), idx(&[count.into(), 28, 28], &pixels)).unwrap();
        let classes: Vec<u8> = (0..count).map(|index| index % 10).collect();
        fs::write(folder.path().join(labels), idx(&[count.into()], &classes)).unwrap();
    }
    folder
}

/// Runs the program in a folder of its own.
fn fashion_mnist(arguments: &[&OsStr]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_fashion_mnist"))
        .args(["--epochs", "1", "--steps", "1"])
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .unwrap()
}

/// Runs the program, which must fail with this code, name all of this in one line of error, and train nothing.
#[track_caller]
fn assert_fails(arguments: &[&OsStr], code: i32, named: &[&str]) {
    let output = fashion_mnist(arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(!error.contains("panicked"), "{error}");
    assert!(named.iter().all(|part| error.contains(part)), "{named:?} in {error:?}");
    assert!(output.stdout.is_empty(), "{:?}", String::from_utf8_lossy(&output.stdout));
    if code == 1 {
        assert!(error.starts_with("error: ") && error.lines().count() == 1, "{error:?}");
    }
}

/// The program on sound data of which one file has another content.
#[track_caller]
fn assert_file_refused(file: &str, content: &[u8], reason: &str) {
    let folder = sound_data();
    let path = folder.path().join(file);
    let _ = fs::remove_file(path.with_extension(""));
    fs::write(&path, content).unwrap();
    assert_data_refused(folder.path(), &[&path.display().to_string(), reason]);
}

#[track_caller]
fn assert_data_refused(folder: &Path, named: &[&str]) {
    assert_fails(&["--data".as_ref(), folder.as_ref()], 1, named);
}

#[test]
fn missing_folder_or_file() {
    let folder = sound_data();
    let absent = folder.path().join("absent");
    assert_data_refused(&absent, &[&absent.display().to_string(), "No such file"]);
    let file = folder.path().join(IMAGES);
    assert_data_refused(&file, &[&file.display().to_string(), "not a folder"]);
    for file in [IMAGES, LABELS, TEST_IMAGES, TEST_LABELS] {
        let folder = sound_data();
        fs::remove_file(folder.path().join(file)).unwrap();
        assert_data_refused(folder.path(), &[file, "no such file"]);
        fs::create_dir(folder.path().join(file)).unwrap();
        assert_data_refused(folder.path(), &[file, "not a file"]);
    }
}

#[test]
fn truncated_files() {
    assert_file_refused(IMAGES, b"", "truncated");
    assert_file_refused(IMAGES, &idx(&[40, 28, 28], &[])[..10], "truncated");
    assert_file_refused(IMAGES, &idx(&[40, 28, 28], &[0; 1000]), "truncated");
    assert_file_refused(TEST_LABELS, &idx(&[10], &[0; 9]), "truncated");
}

#[test]
fn truncated_or_corrupt_gzip() {
    let pixels: Vec<u8> = (0..40 * 28 * 28_u32).map(|pixel| ((pixel * pixel) >> 5) as u8).collect();
    let sound = gzip(&idx(&[40, 28, 28], &pixels));
    for cut in [5, 30, sound.len() / 2] {
        assert_file_refused("train-images-idx3-ubyte.gz", &sound[..cut], "truncated");
    }
    assert_file_refused("train-images-idx3-ubyte.gz", &sound[..sound.len() - 1], "cut off");
    let mut corrupt = sound.clone();
    corrupt[sound.len() - 6] ^= 0x10;
    assert_file_refused("train-images-idx3-ubyte.gz", &corrupt, "corrupt gzip");
    assert_file_refused("train-images-idx3-ubyte.gz", &[&sound[..], &[7; 30]].concat(), "corrupt gzip");
}

#[test]
fn wrong_magic_or_dimensions() {
    assert_file_refused(IMAGES, &[0x89, b'P', b'N', b'G', 0, 0, 0, 0], "found 0x89504e47");
    assert_file_refused(IMAGES, &[0, 0, 0x0d, 3, 0, 0, 0, 0], "found 0x00000d03");
    assert_file_refused(IMAGES, &idx(&[40], &[0; 40]), "expected images in 3 dimensions, found 1");
    assert_file_refused(LABELS, &idx(&[40, 1, 1], &[0; 40]), "expected labels in 1 dimension, found 3");
    assert_file_refused(IMAGES, &idx(&[40, 32, 32], &[0; 40 * 1024]), "found 32×32");
    assert_file_refused(TEST_IMAGES, &idx(&[0, 28, 28], &[]), "no images");
}

#[test]
fn wrong_labels() {
    assert_file_refused(LABELS, &idx(&[39], &[0; 39]), "39 labels, but");
    let mut labels = [3; 40];
    labels[17] = 10;
    assert_file_refused(LABELS, &idx(&[40], &labels), "label 10 at index 17");
}

#[test]
fn data_after_the_end() {
    assert_file_refused(LABELS, &idx(&[40], &[0; 41]), "data after the 40 values");
    assert_file_refused(
        "train-labels-idx1-ubyte.gz",
        &gzip(&idx(&[40], &[0; 41])),
        "data after the 40 values",
    );
}

#[test]
fn claims_of_gigabytes() {
    let header = idx(&[u32::MAX, 28, 28], &[]);
    assert_file_refused(IMAGES, &header, "too short");
    assert_file_refused("train-images-idx3-ubyte.gz", &gzip(&header), "too short");
}

#[test]
fn batch_sizes() {
    let folder = sound_data();
    let data = folder.path().as_os_str();
    for size in ["41", "18446744073709551615"] {
        let arguments = ["--data".as_ref(), data, "--batch-size".as_ref(), size.as_ref()];
        assert_fails(&arguments, 1, &["batch size", "40", size]);
    }
    assert_fails(&["--batch-size".as_ref(), "1501".as_ref()], 1, &["batch size", "1500", "1501"]);
    assert_fails(&["--batch-size".as_ref(), "0".as_ref()], 2, &["--batch-size", "at least 1"]);
}

#[test]
fn unwritable_outputs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let named = file.display().to_string();
    assert_fails(&["--out".as_ref(), file.as_ref()], 1, &[&named]);
    assert_fails(&["--out".as_ref(), file.join("inside").as_ref()], 1, &[&named]);
    assert_fails(&["--metrics".as_ref(), folder.path().as_ref()], 1, &[&folder.path().display().to_string()]);
    assert_fails(&["--metrics".as_ref(), folder.path().join("absent/file").as_ref()], 1, &["absent/file"]);
    fs::create_dir(folder.path().join("test_predictions.png")).unwrap();
    assert_fails(&["--out".as_ref(), folder.path().as_ref()], 1, &["test_predictions.png"]);
}

#[test]
fn usage() {
    assert_fails(&["--epoch-count".as_ref()], 2, &["--epoch-count"]);
    assert_fails(&["--learning-rate".as_ref(), "fast".as_ref()], 2, &["--learning-rate", "fast"]);
    assert_fails(&["--epochs".as_ref(), "2".as_ref()], 2, &["--epochs"]);
}
