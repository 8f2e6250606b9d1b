//! Linear regression with one dense layer.

use flaxen::nn::DenseParams;
use flaxen::optim::GradientTransformation;
use flaxen::prelude::*;

use crate::{assert_near, close};

/// The parameters of the layer: a kernel `[10, 5]` and a bias `[5]`.
pub type Params = DenseParams<U10, U5>;

/// What is to be learned from.
struct Samples {
    x: Tensor![20, 10],
    y: Tensor![20, 5],
}

/// Trains by gradient descent, then with Adam, and gives the parameters after gradient descent.
pub fn run() -> Params {
    let model = Dense::<U5>::new();
    let (key1, key2) = Key::legacy(0).split();
    let x: Tensor![10] = key1.normal(Default::default());
    let variables = model.init(key2, &x);
    println!("Parameter shapes: {variables:#?}");

    let y = model.apply(&variables, x.clone());
    println!("Output: {y}");
    assert_near(y.as_slice(), &[-1.3721193, 0.61131495, 0.6442836, 2.2192965, -1.1271116], 1e-6);
    let (_, key2) = Key::legacy(0).split();
    let (same, _) = model.init_with_output(key2, x);
    assert_eq!(same, y);

    let (samples, truth) = samples();
    println!("x shape: {:?}; y shape: {:?}", samples.x.sizes(), samples.y.sizes());
    let loss = loss(&truth, &samples);
    println!("Loss for \"true\" W, b: {loss}");
    assert!(close(loss, 0.02363979, 5e-6));

    let descended = gradient_descent(variables.params, &samples);
    adam_descent(descended.clone(), &samples);
    descended
}

/// Noisy images of random points under a random linear function, and that function.
fn samples() -> (Samples, Params) {
    let (k1, k2) = Key::legacy(0).split();
    // The original draws from k1 and then splits it: a key is used twice, which has to be said here.
    let kernel: Tensor![10, 5] = k1.duplicate().normal(Default::default());
    let bias: Tensor![5] = k2.normal(Default::default());
    let (key_sample, key_noise) = k1.split();
    let x: Tensor![20, 10] = key_sample.normal(Default::default());
    let noise: Tensor![20, 5] = key_noise.normal(Default::default());
    let y = matmul(x.clone(), kernel.clone()) + bias.clone() + noise * 0.1;
    (Samples { x, y }, Params { kernel, bias })
}

/// The mean over the samples of half the squared distance, without a gradient.
fn loss(params: &Params, samples: &Samples) -> f32 {
    loss_and_gradient(params, samples).0
}

/// The loss, written for one sample and mapped over all, and its gradient.
fn loss_and_gradient(params: &Params, samples: &Samples) -> (f32, Params) {
    let model = Dense::<U5>::new();
    let (loss, gradient) = value_and_grad!(
        |params| {
            let squared_errors = vmap!(
                |x, y| {
                    let error = y - model.apply(params, x);
                    error.square().sum() / 2.0
                },
                &samples.x,
                &samples.y
            );
            squared_errors.mean()
        },
        params
    );
    (loss.item(), gradient)
}

/// `p - 0.3 g` for every parameter, 101 times.
fn gradient_descent(mut params: Params, samples: &Samples) -> Params {
    let printed = [
        35.343876,
        0.5143469,
        0.11384159,
        0.03932674,
        0.01991621,
        0.014209136,
        0.012425653,
        0.01185039,
        0.011661786,
        0.011599408,
        0.011578696,
    ];
    let tx = sgd(0.3);
    let mut opt_state = tx.init(&params);
    for step in 0..101 {
        let (loss, gradient) = loss_and_gradient(&params, samples);
        tx.apply_gradients(&mut params, gradient, &mut opt_state);
        if step % 10 == 0 {
            println!("Loss step {step}: {loss}");
            assert!(close(loss, printed[step / 10], 5e-6));
        }
    }
    params
}

/// The same with Adam, whose first steps lead away from the minimum.
fn adam_descent(params: Params, samples: &Samples) {
    let printed = [
        0.011577628,
        0.26143155,
        0.07675027,
        0.03644055,
        0.022012806,
        0.016178599,
        0.013002801,
        0.012026143,
        0.011764514,
        0.011646044,
        0.011585529,
    ];
    let mut state = TrainState::create(params, adam(0.3));
    for step in 0..101 {
        let (loss, gradient) = loss_and_gradient(&state.params, samples);
        state.update(gradient);
        if step % 10 == 0 {
            println!("Loss step {step}: {loss}");
            assert!(close(loss, printed[step / 10], 1e-4));
        }
    }
}
