//! The vision tower of a small CLIP with random parameters, against what Hugging Face's `FlaxCLIPModel` gives, from both of its
//! files; and five steps of the tutorial's transfer learning.

use std::path::PathBuf;

use flaxen::module::Module;
use flaxen::optim::{multi_transform, set_to_zero};
use flaxen::prelude::*;
use flaxen::rng::Scope;
use flaxen::serialization::{
    Dict, Serializable, StateDict, flatten_dict, from_state_dict_as, safetensors_restore, to_state_dict,
};
use flaxen::tree::Path;
use flaxen_examples::clip::{Classifier, ClipVision, Pretrained, VisionTransformer};
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
        torch.submodule::<<Wider as Module<Images>>::Params>("vision_model").expect_err("another size");
    let expected = "model.safetensors: vision_model/encoder/layers/0/mlp/fc1/kernel \
                    (`vision_model.encoder.layers.0.mlp.fc1.weight` in the file): \
                    expected float32[32, 128], found float32[32, 64]";
    assert!(error.to_string().ends_with(expected), "{error}");

    type Deeper = VisionTransformer<U32, U8, U16, U32, U4, U8, U64, U3>;
    let error =
        torch.submodule::<<Deeper as Module<Images>>::Params>("vision_model").expect_err("a layer too few");
    let expected =
        "vision_model/encoder/layers: expected a value of this type, found the module `2` of 3 is missing";
    assert!(error.to_string().ends_with(expected), "{error}");

    let error = torch.submodule::<TowerParams>("audio_model").expect_err("no such part");
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

/// The classifier of the tutorial, with three classes.
type Model = Classifier<Vision, U32, U32, U3>;
type ModelParams = <Model as Module<Images>>::Params;

const STEPS: usize = 5;

fn labels() -> Tensor![4; i32] {
    Expected::read().array("labels")
}

/// The classifier's parameters: random ones, and those of the pretrained backbone in their place.
fn transferred() -> ModelParams {
    let pretrained = Pretrained::open(&folder()).expect("a folder of a model");
    let mut params = Model::new().init(Key::new(1)).params;
    params.backbone = pretrained.submodule("vision_model").expect("the vision transformer");
    params
}

/// Whether a parameter is trained.
fn partition(path: &Path) -> &'static str {
    if path.contains("backbone") { "frozen" } else { "trainable" }
}

/// Compares the loss of a step, and the head's kernel after it.
#[track_caller]
fn check_step(step: usize, loss: f32, kernel: &Tensor![32, 3]) {
    let path = folder().join("expected.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let losses: Vec<f32> = serde_json::from_value(json["losses"].clone()).expect("losses");
    assert_eq!(losses.len(), STEPS);
    TOLERANCE.check(&format!("loss of step {step}"), &[loss], &losses[step..=step]);
    let kernels: Tensor![5, 32, 3] = Expected::read().array("head_kernel_by_step");
    let expected = &kernels.as_slice()[step * 32 * 3..][..32 * 3];
    TOLERANCE.check(&format!("kernel after step {step}"), kernel.as_slice(), expected);
}

/// The elements of all arrays of a tree that have dimensions.
fn elements(tree: &impl Serializable) -> usize {
    let StateDict::Dict(dict) = to_state_dict(tree).expect("what can be saved") else { panic!("not a dict") };
    let flat = flatten_dict(dict, false, "/").expect("a nested dict");
    let elements = |(_, value): (_, &StateDict)| match value {
        StateDict::Array(array) if !array.shape().is_empty() => array.shape().iter().product(),
        _ => 0,
    };
    flat.iter().map(elements).sum()
}

/// As in the tutorial: all gradients are computed, and those of the backbone go nowhere.
#[test]
fn transfer_learning_with_two_optimizers() {
    let (model, params) = (Model::new(), transferred());
    let optimizer = multi_transform((("trainable", adam(5e-3)), ("frozen", set_to_zero())), partition);
    let mut state = TrainState::create(params.clone(), optimizer);
    let images = Expected::read().images();
    for step in 0..STEPS {
        let (loss, gradients) = value_and_grad!(
            |params| {
                let logits = model.apply(params, images.clone());
                softmax_cross_entropy_with_integer_labels(logits, labels()).mean()
            },
            &state.params
        );
        state.update(gradients);
        check_step(step, loss.item(), &state.params.head.kernel);
    }
    assert!(state.params.backbone == params.backbone, "what is frozen does not change");
    assert!(state.params.elements() > 10_000);
    // Two moments of the head's kernel and bias, and nothing else.
    assert_eq!(elements(&state.opt_state), 2 * (32 * 3 + 3));
}

/// A module without a backward pass.
struct Frozen(Vision);

impl Module<Images> for Frozen {
    type Out = Tensor![4, 32];
    type Params = <Vision as Module<Images>>::Params;
    type State = <Vision as Module<Images>>::State;
    type Updates = ();
    type Draws = ();

    fn init(&self, scope: &Scope) -> (Self::Params, Self::State) {
        Module::<Images>::init(&self.0, scope)
    }

    fn infer(
        &self,
        params: &Self::Params,
        state: &mut Self::State,
        scope: &Scope,
        images: Images,
    ) -> Self::Out {
        self.0.infer(params, state, scope, images)
    }
}

impl Layer for Frozen {}

/// The gradient by the head alone: nothing is kept of the backbone and nothing goes backward through it, which could not, as
/// it has no backward pass. The optimiser knows of the head only.
#[test]
fn transfer_learning_of_the_head_alone() {
    let (params, backbone, head) = (transferred(), Frozen(Vision::new()), Dense::<U3>::new());
    let (pretrained, images) = (&params.backbone, Expected::read().images());
    let mut state = TrainState::create(params.head.clone(), adam(5e-3));
    for step in 0..STEPS {
        let (loss, gradients) = value_and_grad!(
            |params| {
                let features = backbone.apply(pretrained, images.clone());
                let logits = head.apply(params, features);
                softmax_cross_entropy_with_integer_labels(logits, labels()).mean()
            },
            &state.params
        );
        state.update(gradients);
        check_step(step, loss.item(), &state.params.kernel);
    }
    assert_eq!(elements(&state.opt_state), 2 * (32 * 3 + 3));
}

#[test]
fn frozen_paths_are_those_of_the_tutorial() {
    let path = folder().join("expected.json");
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON");
    let mut frozen: Vec<String> = transferred()
        .leaves()
        .into_iter()
        .map(|leaf| leaf.path)
        .filter(|path| path.split('/').any(|name| name == "backbone"))
        .collect();
    frozen.sort();
    let expected: Vec<String> = serde_json::from_value(json["frozen_paths"].clone()).expect("paths");
    assert_eq!(frozen[..expected.len()], expected);
}
