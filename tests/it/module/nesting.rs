//! Modules in modules: of other crates, of other rooms, written by hand, generic over dimensions and elements.

use flaxen::prelude::*;
use flaxen_examples::fashion_mnist::Cnn;

use crate::finite_differences::{check_module, weights};

mod blocks {
    //! A room of its own, which a path reaches.

    use flaxen::prelude::*;

    /// `x + tanh(dense(x))`
    #[module]
    pub struct Residual;

    #[module]
    impl Residual {
        fn call<B: Batch, I: Static, E: Float>(&self, x: Tensor![B, I; E]) -> Tensor![B, I; E] {
            let y = compact!(Dense<I>)(x.clone());
            x + tanh(y)
        }
    }

    /// Two residual blocks, the second of the surrounding room's path.
    #[module]
    pub struct Pair;

    #[module]
    impl Pair {
        fn call<B: Batch, E: Float>(&self, x: Tensor![B, 3; E]) -> Tensor![B, 3; E] {
            let x = compact!(Residual)(x);
            compact!(super::blocks::Residual)(x)
        }
    }
}

/// A layer without `#[module]`: `x` times one parameter `scale` of shape `[1]`.
mod by_hand {
    use flaxen::module::{Module, Trainable};
    use flaxen::op::{Differentiable, Need, Op as _, Yes};
    use flaxen::prelude::*;
    use flaxen::rng::Scope;
    use flaxen::shape::broadcast::Broadcast;
    use flaxen::shape::{Rule, Sizes};

    /// `x * scale`
    pub struct Scale;

    impl Scale {
        /// The layer.
        pub fn new() -> Self {
            Scale
        }

        /// The rule in numbers: nothing changes.
        pub const fn shape([x]: [Sizes; 1]) -> Rule {
            Rule::Out(x)
        }
    }

    impl<S: Broadcast<(U1,), Out = S>, E: Float> Module<Tensor<S, E>> for Scale {
        type Out = Tensor<S, E>;
        type Params = (Tensor<(U1,), E>,);

        type State = ();
        type Updates = ();
        type Draws = ();

        fn init(&self, scope: &Scope) -> (Self::Params, ()) {
            ((constant(3.0).init(scope.param(), Default::default()),), ())
        }

        fn infer(&self, params: &Self::Params, (): &mut (), _: &Scope, x: Tensor<S, E>) -> Tensor<S, E> {
            mul::Op::new().infer((x, params.0.clone()))
        }
    }

    impl<S: Broadcast<(U1,), Out = S>, E: Float, N: Need> Trainable<Tensor<S, E>, N> for Scale {
        type Residuals = <mul::Op as Differentiable<(Tensor<S, E>, Tensor<(U1,), E>), (N, Yes)>>::Residuals;

        fn forward(
            &self,
            params: &Self::Params,
            (): &mut (),
            _: &Scope,
            x: Tensor<S, E>,
        ) -> (Self::Out, Self::Residuals) {
            Differentiable::<_, (N, Yes)>::forward(&mul::Op::new(), (x, params.0.clone()))
        }

        fn backward(
            &self,
            _: &Self::Params,
            residuals: Self::Residuals,
            cotangent: Self::Out,
        ) -> (Self::Params, N::Of<Tensor<S, E>>) {
            let (x, scale) = Differentiable::<(Tensor<S, E>, Tensor<(U1,), E>), (N, Yes)>::backward(
                &mul::Op::new(),
                residuals,
                cotangent,
            );
            ((scale,), x)
        }
    }
}

/// A hidden layer of `H` and an output of `O` features, of any number of inputs and any elements.
#[module]
struct Mlp<H: Static, O: Static>;

#[module]
impl<H: Static, O: Static> Mlp<H, O> {
    fn call<B: Batch, I: Static, E: Float>(&self, x: Tensor![B, I; E]) -> Tensor![B, O; E] {
        let x = compact!(Dense<H>)(x);
        let x = tanh(x);
        compact!(Dense<O>)(x)
    }
}

/// Of another crate, of another room, by hand, and generic.
#[module]
struct Assembly;

#[module]
impl Assembly {
    fn call<B: Batch>(&self, x: Tensor![B, 28, 28, 1]) -> Tensor![B, 2] {
        let x = compact!(Cnn)(x);
        let x = compact!(by_hand::Scale)(x);
        let x = compact!(blocks::Residual)(x);
        compact!(Mlp<6, 2>, name = "head")(x)
    }
}

#[test]
fn modules_of_other_crates_and_rooms() {
    let variables = Assembly::new().init(Key::new(0));
    let paths: Vec<String> = variables.params.leaves().into_iter().map(|leaf| leaf.path).collect();
    let expected = [
        "Cnn_0/Conv_0/kernel",
        "Cnn_0/Conv_0/bias",
        "Cnn_0/Conv_1/kernel",
        "Cnn_0/Conv_1/bias",
        "Cnn_0/Dense_0/kernel",
        "Cnn_0/Dense_0/bias",
        "Cnn_0/Dense_1/kernel",
        "Cnn_0/Dense_1/bias",
        "Scale_0/0",
        "Residual_0/Dense_0/kernel",
        "Residual_0/Dense_0/bias",
        "head/Dense_0/kernel",
        "head/Dense_0/bias",
        "head/Dense_1/kernel",
        "head/Dense_1/bias",
    ];
    assert_eq!(paths, expected);

    let images = weights(&Tensor::<(U2, U28, U28, U1)>::zeros(Default::default()));
    let params = &variables.params;
    let out = Assembly::new().apply(&variables, images.clone());
    let logits = Cnn::new().apply(&params.cnn_0, images);
    let scaled = logits * 3.0;
    let mixed = blocks::Residual::new().apply(&params.residual_0, scaled);
    assert_eq!(out, Mlp::<U6, U2>::new().apply(&params.head, mixed));
}

/// A batch of another size, known or not, takes the same parameters.
#[test]
fn parameters_do_not_depend_on_the_batch() {
    let model = Mlp::<U5, U2>::new();
    let variables = model.init::<U3, f32>(Key::new(0));
    let x = weights(&Tensor::<(U4, U3)>::zeros(Default::default()));
    let known: Tensor![4, 2] = model.apply(&variables, x.clone());
    let counted: Tensor![Dyn, 2] = model.apply(&variables, x.with_batch().expect("any number of rows"));
    assert_eq!(counted.with_batch::<U4>().expect("four rows"), known);
}

#[test]
fn gradients_of_generic_modules() {
    let model = Mlp::<U4, U2>::new();
    let params = model.init::<U3, f64>(Key::new(0)).params;
    check_module(&model, weights(&params), weights(&Tensor::<(U2, U3), f64>::zeros(Default::default())));
}

#[test]
fn gradients_of_nested_modules() {
    let x = Tensor::<(U2, U3), f64>::zeros(Default::default());
    let model = blocks::Pair::new();
    let params = model.init::<f64>(Key::new(1)).params;
    check_module(&model, weights(&params), weights(&x));
}

/// `tanh(scale(dense(x)))`
#[module]
struct WithHandwritten;

#[module]
impl WithHandwritten {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        tanh(compact!(by_hand::Scale)(compact!(Dense<2>)(x)))
    }
}

#[test]
fn gradients_through_a_layer_written_by_hand() {
    let model = WithHandwritten::new();
    let params = model.init(Key::new(2)).params;
    assert_eq!(params.scale_0.0.as_slice(), [3.0]);
    check_module(&model, params, weights(&Tensor::<(U2, U3), f64>::zeros(Default::default())));
}

/// A public module of private ones, which its parameters and residuals do not give away.
#[module]
pub struct Public;

#[module]
impl Public {
    fn call<B: Batch>(&self, x: Tensor![B, 3; f64]) -> Tensor![B, 2; f64] {
        let hidden = compact!(Mlp<3, 4>);
        compact!(Mlp<2, 2>)(hidden(x))
    }
}

#[test]
fn a_public_module_has_private_parts() {
    let params = weights(&Public::new().init(Key::new(4)).params);
    check_module(&Public::new(), params, weights(&Tensor::<(U2, U3), f64>::zeros(Default::default())));
}

/// Convolutions, pooling and dense layers together, as in the CNN.
#[module]
struct SmallCnn;

#[module]
impl SmallCnn {
    fn call<B: Batch>(&self, x: Tensor![B, 6, 4, 2; f64]) -> Tensor![B, 3; f64] {
        let x = compact!(Conv<3, (3, 3)>)(x);
        let x = silu(x);
        let x = avg_pool::<2, 2>(x);
        let x = compact!(Conv<2, (2, 2)>, padding = Valid)(x);
        let x = gelu(x);
        let x = flatten(x);
        compact!(Dense<3>)(x)
    }
}

#[test]
fn gradients_of_a_small_cnn() {
    let model = SmallCnn::new();
    let params = model.init(Key::new(3)).params;
    check_module(&model, params, weights(&Tensor::<(U2, U6, U4, U2), f64>::zeros(Default::default())));
}
