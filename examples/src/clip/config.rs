//! The sizes that a folder of a pretrained model says it has.

use std::fs;
use std::path::Path;

use flaxen::{Error, Result};
use serde::Deserialize;

/// The `vision_config` of Hugging Face's `config.json`; what it leaves out has its default, which is that of
/// openai/clip-vit-base-patch32.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default)]
pub struct VisionConfig {
    /// Rows and columns of an image.
    pub image_size: usize,
    /// Rows and columns of a patch.
    pub patch_size: usize,
    /// Features of a token.
    pub hidden_size: usize,
    /// Heads of the attention.
    pub num_attention_heads: usize,
    /// Features inside of the perceptrons.
    pub intermediate_size: usize,
    /// Encoder layers.
    pub num_hidden_layers: usize,
    /// The activation inside of the perceptrons.
    pub hidden_act: String,
    /// What is added to a variance.
    pub layer_norm_eps: f64,
}

impl Default for VisionConfig {
    fn default() -> Self {
        VisionConfig {
            image_size: 224,
            patch_size: 32,
            hidden_size: 768,
            num_attention_heads: 12,
            intermediate_size: 3072,
            num_hidden_layers: 12,
            hidden_act: "quick_gelu".into(),
            layer_norm_eps: super::EPSILON,
        }
    }
}

/// What of `config.json` is read.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    vision_config: VisionConfig,
}

impl VisionConfig {
    /// The sizes of [`VitBasePatch32`](super::VitBasePatch32).
    pub fn vit_base_patch32() -> Self {
        Self::default()
    }

    /// The sizes of [`VitTiny`](super::VitTiny).
    pub fn vit_tiny() -> Self {
        VisionConfig {
            image_size: 32,
            patch_size: 8,
            hidden_size: 32,
            num_attention_heads: 4,
            intermediate_size: 64,
            num_hidden_layers: 2,
            ..Self::default()
        }
    }

    /// Reads `config.json` in a folder.
    ///
    /// # Errors
    /// If there is no such file, or it is not one of a CLIP.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let bytes = fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        let config: Config = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Format { path, reason: format!("not the config of a CLIP: {error}") })?;
        Ok(config.vision_config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_its_default() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| fs::write(folder.path().join("config.json"), text).unwrap();
        write(r#"{"model_type": "clip", "vision_config": {"hidden_size": 1024, "dropout": 0.0}}"#);
        let expected = VisionConfig { hidden_size: 1024, ..VisionConfig::vit_base_patch32() };
        assert_eq!(VisionConfig::read(folder.path()).unwrap(), expected);
        write("{}");
        assert_eq!(VisionConfig::read(folder.path()).unwrap(), VisionConfig::vit_base_patch32());
        write(r#"{"vision_config": {"hidden_size": "wide"}}"#);
        let error = VisionConfig::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("config.json: not the config of a CLIP: "), "{error}");
    }
}
