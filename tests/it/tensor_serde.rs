//! Tensors and parameters in a serde format.

use flaxen::nn::{Dense, DenseParams, NoBias};
use flaxen::prelude::*;

#[test]
fn a_tensor_survives() {
    let tensor =
        Tensor::<(Dyn, U2), f64>::from_slice((Dyn(2), U2::default()), &[1.0, -2.5, 1e-300, 4.0]).unwrap();
    let text = serde_json::to_string(&tensor).unwrap();
    assert_eq!(text, r#"{"sizes":[2,2],"elements":[1.0,-2.5,1e-300,4.0]}"#);
    assert_eq!(serde_json::from_str::<Tensor![Dyn, 2; f64]>(&text).unwrap(), tensor);
    let scalar: Tensor![; bool] = serde_json::from_str(r#"{"sizes":[],"elements":[true]}"#).unwrap();
    assert!(scalar.item());
}

#[test]
fn what_is_not_this_tensor_is_an_error() {
    let refused = |text: &str| serde_json::from_str::<Tensor![Dyn, 2; i32]>(text).unwrap_err().to_string();
    let message = refused(r#"{"sizes":[2,3],"elements":[1,2,3,4,5,6]}"#);
    assert!(message.starts_with("a tensor of sizes [2, 3] in place of one of [?, 2]"), "{message}");
    let message = refused(r#"{"sizes":[2,2],"elements":[1,2,3]}"#);
    assert!(message.starts_with("a tensor of sizes [2, 2] with 3 elements"), "{message}");
    refused(r#"{"sizes":[9223372036854775808,2],"elements":[]}"#);
    refused(r#"{"sizes":[4],"elements":[1,2,3,4]}"#);
    refused(r#"{"sizes":[1,2],"elements":[0.5,1]}"#);
}

#[test]
fn parameters_and_layers_survive() {
    let params =
        DenseParams::<U2, U1> { kernel: Tensor::of(&[1.0, 2.0]).unwrap(), bias: Tensor::of(&[3.0]).unwrap() };
    let text = serde_json::to_string(&params).unwrap();
    assert_eq!(serde_json::from_str::<DenseParams<U2, U1>>(&text).unwrap(), params);
    assert!(serde_json::from_str::<DenseParams<U1, U1>>(&text).is_err());
    let bare = DenseParams::<U1, U1, f32, NoBias> { kernel: Tensor::of(&[1.0]).unwrap(), bias: () };
    let text = serde_json::to_string(&bare).unwrap();
    assert_eq!(serde_json::from_str::<DenseParams<U1, U1, f32, NoBias>>(&text).unwrap(), bare);
    let layer = Dense::<U3>::new().kernel_init(flaxen::init::he_normal());
    let text = serde_json::to_string(&layer).unwrap();
    assert_eq!(serde_json::from_str::<Dense<U3>>(&text).unwrap(), layer);
}
