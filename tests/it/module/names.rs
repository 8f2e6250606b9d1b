//! How variables are named, ordered and printed.

use flaxen::prelude::*;
use flaxen_examples::fashion_mnist::Cnn;

fn paths(tree: &impl Tree) -> Vec<String> {
    tree.leaves().into_iter().map(|leaf| leaf.path).collect()
}

/// In a nested call the outer layer is constructed first, so it has the lower number; the inner is called first, so its
/// variables come first.
#[module]
struct Nested;

#[module]
impl Nested {
    fn call<B: Batch>(&self, x: Tensor![B, 2]) -> Tensor![B, 4] {
        compact!(Dense<4>)(compact!(Dense<3>)(x))
    }
}

#[test]
fn the_outer_call_is_numbered_first_and_drawn_last() {
    let params = Nested::new().init(Key::new(0)).params;
    assert_eq!(
        format!("{params:?}"),
        "{Dense_1: {kernel: (2, 3), bias: (3,)}, Dense_0: {kernel: (3, 4), bias: (4,)}}"
    );
    // The key comes from the path and not from the order.
    let alone = Alone::new().init(Key::new(0)).params;
    assert_eq!(params.dense_0, alone.dense_0);
}

#[module]
struct Alone;

#[module]
impl Alone {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 4] {
        compact!(Dense<4>)(x)
    }
}

/// Classes count for themselves; a name that is given takes no number; a name in Flax's style becomes a field in Rust's.
#[module]
struct Counted;

#[module]
impl Counted {
    fn call<B: Batch>(&self, x: Tensor![B, 4, 4, 2]) -> Tensor![B, 2] {
        let unused = compact!(Dense<7>);
        let x = compact!(Conv<2, (2, 2)>)(x);
        let x = compact!(Conv<2, (2, 2)>, name = "MidBlock")(x);
        let x = compact!(Conv<2, (2, 2)>)(x);
        let gain = param!("gain", ones(), []);
        let x = flatten(x * gain);
        let r#type = compact!(flaxen::nn::Dense<2>, name = "type");
        compact!(Dense<2>)(r#type(x))
    }
}

#[test]
fn numbers_and_names() {
    let params = Counted::new().init(Key::new(0)).params;
    let expected = [
        "Conv_0/kernel",
        "Conv_0/bias",
        "MidBlock/kernel",
        "MidBlock/bias",
        "Conv_1/kernel",
        "Conv_1/bias",
        "gain",
        "type/kernel",
        "type/bias",
        "Dense_1/kernel",
        "Dense_1/bias",
    ];
    assert_eq!(paths(&params), expected);
    assert_eq!(params.mid_block.bias.sizes(), [2]);
    assert_eq!(params.gain.item(), 1.0);
    assert_eq!(params.r#type.kernel.sizes(), [32, 2]);
}

#[test]
fn variables_print_as_in_flax() {
    let variables = Cnn::new().init(Key::new(0));
    let expected = "\
{
    params: {
        Conv_0: {
            kernel: (3, 3, 1, 32),
            bias: (32,),
        },
        Conv_1: {
            kernel: (3, 3, 32, 64),
            bias: (64,),
        },
        Dense_0: {
            kernel: (3136, 256),
            bias: (256,),
        },
        Dense_1: {
            kernel: (256, 10),
            bias: (10,),
        },
    },
}";
    assert_eq!(format!("{variables:#?}"), expected);
}

#[test]
fn a_scalar_parameter_prints_as_an_empty_shape() {
    let params = Counted::new().init(Key::new(0)).params;
    assert!(format!("{params:?}").contains("gain: ()"), "{params:?}");
}
