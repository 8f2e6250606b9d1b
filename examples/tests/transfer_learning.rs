//! `transfer_learning`: what it learns on top of a backbone that does not change, and what it says of folders without a model.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn transfer_learning(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_transfer_learning")).args(arguments).output().unwrap()
}

/// The test accuracy of each epoch, in per cent.
fn accuracies(output: &Output) -> Vec<f32> {
    let text = String::from_utf8_lossy(&output.stdout);
    let of_test = |line: &str| line.rsplit_once("accuracy: ")?.1.strip_suffix('%')?.parse().ok();
    text.lines().filter(|line| line.starts_with("Epoch")).filter_map(of_test).collect()
}

#[test]
fn a_head_learns_digits_even_from_random_features() {
    let output = transfer_learning(&["--epochs", "8"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let accuracies = accuracies(&output);
    assert_eq!(accuracies.len(), 8);
    // One in ten by chance.
    assert!(accuracies[7] > 50.0 && accuracies[7] > accuracies[0], "{accuracies:?}");
}

#[test]
fn a_pretrained_model_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/clip");
    let output = transfer_learning(&["--epochs", "1", "--images", "64", "--model", folder.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(accuracies(&output).len(), 1);
}

#[track_caller]
fn assert_fails(folder: &Path, named: &[&str]) {
    let output = transfer_learning(&["--epochs", "1", "--model", folder.to_str().unwrap()]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.lines().count() == 1 && !error.contains("panicked"), "{error}");
    assert!(named.iter().all(|part| error.contains(part)), "{named:?} in {error:?}");
}

#[test]
fn folders_without_a_model_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_fails(folder.path(), &["config.json"]);
    let config = folder.path().join("config.json");
    fs::write(&config, "{").unwrap();
    assert_fails(folder.path(), &["config.json", "not the config of a CLIP"]);
    fs::write(&config, r#"{"vision_config": {"hidden_size": 1024}}"#).unwrap();
    assert_fails(folder.path(), &["config.json", "hidden_size: 768", "hidden_size: 1024"]);
    fs::write(&config, r#"{"vision_config": {"hidden_act": "gelu"}}"#).unwrap();
    assert_fails(folder.path(), &["config.json", "hidden_act: \"gelu\""]);
    fs::write(&config, "{}").unwrap();
    assert_fails(folder.path(), &["`flax_model.msgpack` or `model.safetensors`", "neither of them"]);
    fs::write(folder.path().join("model.safetensors"), b"not tensors").unwrap();
    assert_fails(folder.path(), &["model.safetensors", "safetensors"]);
}
