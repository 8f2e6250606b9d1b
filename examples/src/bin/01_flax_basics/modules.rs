//! Models of one's own: submodules as fields or in place, and parameters.

use flaxen::prelude::*;

use crate::assert_near;

/// A list of layers, made where the model is made.
#[module]
struct ExplicitMlp {
    layers: (Dense<3>, Dense<4>, Dense<5>),
}

#[module]
impl ExplicitMlp {
    fn call<B: Batch>(&self, inputs: Tensor![B, 4]) -> Tensor![B, 5] {
        let mut x = inputs;
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer(x);
            if i != 2 {
                x = relu(x);
            }
        }
        x
    }
}

/// The same with its layers in place, under names of the user's.
#[module]
struct SimpleMlp;

#[module]
impl SimpleMlp {
    fn call<B: Batch>(&self, inputs: Tensor![B, 4]) -> Tensor![B, 5] {
        let x = relu(compact!(Dense<3>, name = "layers_0")(inputs));
        let x = relu(compact!(Dense<4>, name = "layers_1")(x));
        compact!(Dense<5>, name = "layers_2")(x)
    }
}

/// A dense layer of one's own.
#[module]
struct SimpleDense<F: Static> {
    #[default(lecun_normal())]
    kernel_init: flaxen::init::Initializer,
    #[default(zeros())]
    bias_init: flaxen::init::Initializer,
}

#[module]
impl<F: Static> SimpleDense<F> {
    fn call<B: Batch, I: Static>(&self, inputs: Tensor![B, I]) -> Tensor![B, F] {
        let kernel = param!("kernel", self.kernel_init, [I, F]);
        let bias = param!("bias", self.bias_init, [F]);
        matmul(inputs, kernel) + bias
    }
}

/// Two methods that share the model's variables.
#[module]
struct AutoEncoder {
    encoder: Dense<2>,
    decoder: Dense<4>,
}

#[module]
impl AutoEncoder {
    fn call<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 4] {
        self.decode(self.encode(x))
    }

    fn encode<B: Batch>(&self, x: Tensor![B, 4]) -> Tensor![B, 2] {
        tanh(self.encoder(x))
    }

    fn decode<B: Batch>(&self, z: Tensor![B, 2]) -> Tensor![B, 4] {
        self.decoder(z)
    }
}

/// Initialises and applies them all, with the keys of the original.
pub fn run() {
    let input = || -> (Tensor![4, 4], Key) {
        let (key1, key2) = Key::legacy(0).split();
        (key1.uniform(Default::default(), 0.0, 1.0), key2)
    };

    let (x, key) = input();
    let explicit = ExplicitMlp::new();
    let variables = explicit.init(key);
    println!("initialized parameter shapes: {variables:#?}");
    let y = explicit.apply(&variables, x);
    println!("output: {y}");
    let zero = [0.0; 5];
    let second = [0.0072379, -0.00810348, -0.0255094, 0.02151717, -0.01261241];
    assert_near(y.as_slice(), &[zero, second, zero, zero].concat(), 1e-7);

    let (x, key) = input();
    let simple = SimpleMlp::new();
    assert_eq!(simple.apply(&simple.init(key), x), y, "layers of the same names draw the same parameters");

    let (x, key) = input();
    let dense = SimpleDense::<U3>::new();
    let variables = dense.init(key);
    println!("initialized parameters: {:?}", variables.params.kernel);
    let kernel = [
        [0.61506, -0.22728713, 0.6054702],
        [-0.29617992, 1.1232013, -0.879759],
        [-0.35162622, 0.3806491, 0.6893246],
        [-0.1151355, 0.04567898, -1.091212],
    ];
    assert_near(variables.params.kernel.as_slice(), &kernel.concat(), 1e-6);
    let y = dense.apply(&variables, x);
    println!("output: {y}");
    let expected = [
        [-0.02996203, 1.102088, -0.6660265],
        [-0.31092793, 0.63239413, -0.53678817],
        [0.01424009, 0.9424717, -0.63561463],
        [0.3681896, 0.3586519, -0.00459218],
    ];
    assert_near(y.as_slice(), &expected.concat(), 1e-6);

    let (x, key) = input();
    let model = AutoEncoder::new();
    let variables = model.init(key);
    let code: Tensor![4, 2] = model.encode().apply(&variables, x.clone());
    let decoded = model.decode().apply(&variables, code.clone());
    assert_eq!(decoded, model.apply(&variables, x.clone()));
    let bound = model.bind(&variables);
    assert_eq!(bound.encode(x), code);
}
