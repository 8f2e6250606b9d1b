//! Against the numbers of JAX, Flax and Optax: one file a folder of `tests/fixtures/`.

mod activations;
mod attention;
mod batch_norm;
mod clip;
mod cnn;
mod conv;
mod dense;
mod dropout;
mod embed;
mod flax_rng;
mod initializers;
mod layer;
mod layer_norm;
mod losses;
mod naming;
mod optimizers;
mod phased_layer;
mod pool;
mod prng;
mod serialization;

use flaxen::rng::{Key, Layout};
use serde_json::Value;

/// The key of a case: its `seed`, in the layout that its `mode` names.
fn key(case: &Value) -> Key {
    let layout = match case["mode"].as_str() {
        Some("legacy") => Layout::Legacy,
        Some("partitionable") => Layout::Partitionable,
        other => panic!("unknown mode {other:?}"),
    };
    Key::with_layout(case["seed"].as_u64().expect("a case has a seed"), layout)
}

/// The two words of a key, in JSON.
fn words(value: &Value) -> [u32; 2] {
    serde_json::from_value(value.clone()).expect("two words of a key")
}
