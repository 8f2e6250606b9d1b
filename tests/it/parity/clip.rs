//! The vision tower of a small CLIP with random parameters, against what Hugging Face's `FlaxCLIPModel` gives, from both of its
//! files; and five steps of the tutorial's transfer learning.

use std::path::PathBuf;

use flaxen::module::Module;
use flaxen::prelude::*;
use flaxen::serialization::{Dict, StateDict, from_state_dict_as, safetensors_restore};
use flaxen_examples::clip::{ClipVision, Pretrained, VisionTransformer};
use flaxen_tests::Tolerance;
use serde::de::DeserializeOwned;

/// As the fixture's README says.
const TOLERANCE: Tolerance = Tolerance::close(0.0, 1e-5);

type Images = Tensor![4, 32, 32, 3];

/// `config.json`: images of 32 by 32 and 16 patches of 8 by 8, tokens of 32 features, 4 heads of 8, 64 features inside, 2
/// layers, and a projection into 24 features.
type Tower = ClipVision<U32, U8, U16, U32, U4, U8, U64, U2, U24>;
type Vision = VisionTransformer<U32, U8, U16, U32, U4, U8, U64, U2>;

type TowerParams = <Tower as Module<Images>>::Params;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/clip")
}

/// What the model gave.
struct Expected(Dict);

impl Expected {
    fn read() -> Self {
        let path = folder().join("expected.safetensors");
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Expected(safetensors_restore(&bytes).expect("safetensors"))
    }

    fn array<T: DeserializeOwned>(&self, name: &str) -> T {
        let array: &StateDict = self.0.get(name).unwrap_or_else(|| panic!("no `{name}`"));
        from_state_dict_as(array).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The images, which PyTorch has with channels first.
    fn images(&self) -> Images {
        permute::Op::<U0, U2, U3, U1>::new().infer(self.array::<Tensor![4, 3, 32, 32]>("pixel_values_nchw"))
    }

    #[track_caller]
    fn check<S: Shape>(&self, name: &str, found: &Tensor<S>)
    where
        Tensor<S>: DeserializeOwned,
    {
        TOLERANCE.check(name, found.as_slice(), self.array::<Tensor<S>>(name).as_slice());
    }
}

/// The parameters of the vision half.
fn params(pretrained: &Pretrained) -> TowerParams {
    pretrained.only(&["vision_model", "visual_projection"]).expect("the parameters of this model")
}

#[track_caller]
fn check_outputs(pretrained: &Pretrained) {
    let (expected, params) = (Expected::read(), params(pretrained));
    let vision = &params.vision_model;
    expected.check("last_hidden_state", &Vision::new().tokens().apply(vision, expected.images()));
    expected.check("pooler_output", &Vision::new().apply(vision, expected.images()));
    expected.check("image_features", &Tower::new().apply(&params, expected.images()));
}

#[test]
fn from_flax_msgpack() {
    check_outputs(&Pretrained::open(&folder()).expect("a folder of a model"));
    check_outputs(&Pretrained::msgpack(&folder().join("flax_model.msgpack")).expect("Flax's file"));
}

#[test]
fn from_pytorch_safetensors() {
    check_outputs(&Pretrained::safetensors(&folder().join("model.safetensors")).expect("PyTorch's file"));
}

#[test]
fn both_files_hold_the_same_numbers() {
    let flax = params(&Pretrained::msgpack(&folder().join("flax_model.msgpack")).expect("Flax's file"));
    let torch =
        params(&Pretrained::safetensors(&folder().join("model.safetensors")).expect("PyTorch's file"));
    assert!(flax == torch);
    let paths: Vec<String> = flax.leaves().into_iter().map(|leaf| leaf.path).collect();
    assert_eq!(paths.len(), 2 * 16 + 8);
    assert!(
        paths.contains(&"vision_model/encoder/layers/1/self_attn/out_proj/bias".to_string()),
        "{paths:?}"
    );
}

/// Another model is refused with the file, the tensor under both of its names, and what was expected and found.
#[test]
fn a_model_of_other_sizes_is_refused() {
    let torch = Pretrained::safetensors(&folder().join("model.safetensors")).expect("PyTorch's file");
    type Wider = VisionTransformer<U32, U8, U16, U32, U4, U8, U128, U2>;
    let error =
        torch.submodule::<<Wider as Module<Images>>::Params>("vision_model").err().expect("another size");
    let expected = "model.safetensors: vision_model/encoder/layers/0/mlp/fc1/kernel \
                    (`vision_model.encoder.layers.0.mlp.fc1.weight` in the file): \
                    expected float32[32, 128], found float32[32, 64]";
    assert!(error.to_string().ends_with(expected), "{error}");

    type Deeper = VisionTransformer<U32, U8, U16, U32, U4, U8, U64, U3>;
    let error =
        torch.submodule::<<Deeper as Module<Images>>::Params>("vision_model").err().expect("a layer too few");
    let expected =
        "vision_model/encoder/layers: expected a value of this type, found the module `2` of 3 is missing";
    assert!(error.to_string().ends_with(expected), "{error}");

    let error = torch.submodule::<TowerParams>("audio_model").err().expect("no such part");
    assert!(
        error.to_string().ends_with("audio_model: expected the parameters of a module, found no such key"),
        "{error}"
    );
}

#[test]
fn a_folder_without_a_model_is_refused() {
    let error = Pretrained::open(&folder().join("nothing")).err().expect("no folder").to_string();
    assert!(error.ends_with("`model.safetensors`, found no such folder"), "{error}");
    let error = Pretrained::msgpack(&folder().join("README.md")).err().expect("no msgpack").to_string();
    assert!(error.contains("README.md: msgpack: "), "{error}");
    let error = Pretrained::safetensors(&folder().join("config.json")).err().expect("no tensors").to_string();
    assert!(error.contains("config.json: safetensors: "), "{error}");
}
