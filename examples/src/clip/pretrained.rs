//! Pretrained parameters in the files that Hugging Face has of a model.

use flaxen::prelude::*;
use flaxen::serialization::{
    DType, Dict, StateDict, from_state_dict_as, msgpack_restore, safetensors_restore, to_state_dict,
    unflatten_dict,
};
use flaxen::{Error, Result};
use serde::de::DeserializeOwned;
use std::fs;
use std::path::{Path, PathBuf};

/// The parameters of a model as a file has them, under Flax's names and in Flax's layouts.
///
/// Two files are known: `flax_model.msgpack`, and `model.safetensors`, whose tensors have PyTorch's names and layouts:
///
/// | in `model.safetensors` | here |
/// |---|---|
/// | `….layer_norm1.weight`, and of other normalisations | `…/layer_norm1/scale` |
/// | `….position_embedding.weight` | `…/position_embedding/embedding` |
/// | `….patch_embedding.weight`, `[out, in, height, width]` | `…/patch_embedding/kernel`, `[height, width, in, out]` |
/// | any other `….weight`, `[out, in]` | `…/kernel`, `[in, out]` |
/// | other names | the same |
pub struct Pretrained {
    file: PathBuf,
    params: StateDict,
    /// The name in the file of each tensor that has another one here.
    renamed: Vec<(String, String)>,
}

impl Pretrained {
    /// Reads `flax_model.msgpack`, or else `model.safetensors`, in a folder.
    ///
    /// # Errors
    /// If there is neither, or as [`msgpack`](Self::msgpack) and [`safetensors`](Self::safetensors).
    pub fn open(folder: &Path) -> Result<Self> {
        let (msgpack, safetensors) = (folder.join("flax_model.msgpack"), folder.join("model.safetensors"));
        match (msgpack.exists(), safetensors.exists()) {
            (true, _) => Self::msgpack(&msgpack),
            (false, true) => Self::safetensors(&safetensors),
            (false, false) => Err(Error::Mismatch {
                what: folder.display().to_string(),
                expected: "a folder with `flax_model.msgpack` or `model.safetensors`".into(),
                found: if folder.is_dir() { "neither of them" } else { "no such folder" }.into(),
            }),
        }
    }

    /// Reads what `FlaxCLIPModel.save_pretrained` writes.
    ///
    /// # Errors
    /// If the file cannot be read, or is not Flax's msgpack.
    pub fn msgpack(file: &Path) -> Result<Self> {
        let params = msgpack_restore(&read(file)?).map_err(|error| in_file(file, error))?;
        Ok(Pretrained { file: file.into(), params, renamed: Vec::new() })
    }

    /// Reads the tensors of a PyTorch model.
    ///
    /// # Errors
    /// If the file cannot be read, or does not hold safetensors.
    pub fn safetensors(file: &Path) -> Result<Self> {
        let tensors = safetensors_restore(&read(file)?).map_err(|error| in_file(file, error))?;
        let mut renamed = Vec::with_capacity(tensors.len());
        let mut params = Dict::new();
        for (name, value) in tensors {
            let Some((path, axes)) = flax_name(&name) else { continue };
            let value = permuted(value, axes).map_err(|error| in_file(file, error))?;
            params.insert(path.clone(), value);
            renamed.push((path, name));
        }
        let params = unflatten_dict(params, "/").map_err(|error| in_file(file, error))?;
        Ok(Pretrained { file: file.into(), params: params.into(), renamed })
    }

    /// The parameters of a submodule, by its path: `vision_model`, `vision_model/encoder`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] with the file, the tensor, and what it should be, if one is missing, unknown, of another shape or
    /// of other elements.
    pub fn submodule<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let part = path.split('/').try_fold(&self.params, |part, key| part.get(key));
        let part = part.ok_or_else(|| self.missing(path))?;
        from_state_dict_as(part).map_err(|error| self.explained(path, error))
    }

    /// The parameters of a model that has these submodules of the one in the file, and nothing else.
    ///
    /// # Errors
    /// As [`submodule`](Self::submodule).
    pub fn only<T: DeserializeOwned>(&self, submodules: &[&str]) -> Result<T> {
        let mut part = Dict::new();
        for key in submodules {
            part.insert(*key, self.params.get(key).ok_or_else(|| self.missing(key))?.clone());
        }
        from_state_dict_as(&part.into()).map_err(|error| self.explained("", error))
    }

    fn missing(&self, path: &str) -> Error {
        let (expected, found) = ("the parameters of a module".into(), "no such key".into());
        in_file(&self.file, Error::Mismatch { what: path.into(), expected, found })
    }

    /// The error of a tensor below `path`, with the file and the name that the tensor has there.
    fn explained(&self, path: &str, error: Error) -> Error {
        let Error::Mismatch { what, expected, found } = error else { return in_file(&self.file, error) };
        let path = if path.is_empty() { what } else { format!("{path}/{what}") };
        let name = self.renamed.iter().find(|(renamed, _)| *renamed == path);
        let name = name.map_or(String::new(), |(_, name)| format!(" (`{name}` in the file)"));
        in_file(&self.file, Error::Mismatch { what: format!("{path}{name}"), expected, found })
    }
}

/// The order of axes that turns PyTorch's layout into Flax's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Axes {
    /// As it is.
    Same,
    /// `[out, in]` to `[in, out]`, `[out, in, height, width]` to `[height, width, in, out]`.
    OutLast,
}

/// Flax's path of a tensor of PyTorch's name, and its axes; `None` for what is no parameter.
fn flax_name(name: &str) -> Option<(String, Axes)> {
    let (module, variable) = name.rsplit_once('.').unwrap_or(("", name));
    let layer = module.rsplit('.').next().unwrap_or_default();
    let (variable, axes) = match variable {
        // The numbers 0, 1, …, which older files have.
        "position_ids" => return None,
        "weight" if layer.contains("norm") => ("scale", Axes::Same),
        "weight" if layer.ends_with("_embedding") && layer != "patch_embedding" => ("embedding", Axes::Same),
        "weight" => ("kernel", Axes::OutLast),
        other => (other, Axes::Same),
    };
    let module = module.replace('.', "/");
    Some((if module.is_empty() { variable.into() } else { format!("{module}/{variable}") }, axes))
}

/// A tensor with its axes in Flax's order. One whose elements are not `f32` stays as it is: it will be refused for that.
fn permuted(value: StateDict, axes: Axes) -> Result<StateDict> {
    let rank = match &value {
        StateDict::Array(array) if axes == Axes::OutLast && array.dtype() == DType::Float32 => {
            array.shape().len()
        }
        _ => return Ok(value),
    };
    match rank {
        2 => to_state_dict(&transpose(from_state_dict_as::<Tensor<(Dyn, Dyn)>>(&value)?)),
        4 => {
            let kernel: Tensor<(Dyn, Dyn, Dyn, Dyn)> = from_state_dict_as(&value)?;
            to_state_dict(&permute::Op::<U2, U3, U1, U0>::new().infer(kernel))
        }
        _ => Ok(value),
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).map_err(|source| Error::Io { path: file.into(), source })
}

/// An error with the file in which it was found.
fn in_file(file: &Path, error: Error) -> Error {
    match error {
        Error::Malformed { what, reason } => {
            Error::Format { path: file.into(), reason: format!("{what}: {reason}") }
        }
        Error::Mismatch { what, expected, found } => {
            Error::Mismatch { what: format!("{}: {what}", file.display()), expected, found }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_flaxs() {
        let name = |name| flax_name(name).map(|(path, axes)| (path, axes == Axes::OutLast));
        let expect = |path: &str, out_last| Some((path.to_string(), out_last));
        assert_eq!(name("visual_projection.weight"), expect("visual_projection/kernel", true));
        assert_eq!(
            name("vision_model.encoder.layers.0.self_attn.q_proj.bias"),
            expect("vision_model/encoder/layers/0/self_attn/q_proj/bias", false)
        );
        assert_eq!(
            name("vision_model.pre_layrnorm.weight"),
            expect("vision_model/pre_layrnorm/scale", false)
        );
        assert_eq!(name("a.position_embedding.weight"), expect("a/position_embedding/embedding", false));
        assert_eq!(name("a.patch_embedding.weight"), expect("a/patch_embedding/kernel", true));
        assert_eq!(name("a.class_embedding"), expect("a/class_embedding", false));
        assert_eq!(name("logit_scale"), expect("logit_scale", false));
        assert_eq!(name("a.embeddings.position_ids"), None);
    }
}
