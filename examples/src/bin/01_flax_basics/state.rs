//! A variable that is no parameter: a running mean, which a call updates.

use flaxen::optim::GradientTransformation;
use flaxen::prelude::*;

use crate::assert_near;

/// Subtracts the mean of what it has seen, and adds a bias.
#[module]
struct BiasAdderWithRunningMean {
    #[default(0.99)]
    decay: f64,
}

#[module]
impl BiasAdderWithRunningMean {
    fn call<B: Batch>(&self, x: Tensor![B, 5]) -> Tensor![B, 5] {
        let mean = variable!(BatchStats, "mean", zeros(), [5]);
        let bias = param!("bias", zeros(), [5]);
        // The original keeps a dimension here, and so its mean silently becomes [1, 5]; that does not compile.
        mean.value = self.decay * mean.value + (1.0 - self.decay) * mean_axis::<0>(x);
        x - mean.value + bias
    }
}

/// Updates the mean by calls, then in a training loop.
pub fn run() {
    let model = BiasAdderWithRunningMean::new();
    let (key1, _) = Key::legacy(0).split();
    let mut variables = model.init(key1);
    println!("initialized variables: {variables:#?}");
    let ones = || -> Tensor![10, 5] { Tensor::full(Default::default(), 1.0) };
    let (_, state) = model.apply_mut(&variables, ones(), rngs! {});
    assert_near(state.mean.as_slice(), &[0.01; 5], 1e-8);

    for (value, expected) in [(1.0, 0.01), (2.0, 0.0299), (3.0, 0.059601)] {
        let (_, state) = model.apply_mut(&variables, ones() * value, rngs! {});
        println!("updated state: {}", state.mean);
        assert_near(state.mean.as_slice(), &[expected; 5], 1e-7);
        variables.state = state;
    }

    let Variables { mut params, mut state } = model.init(Key::legacy(0));
    let tx = sgd(0.02);
    let mut opt_state = tx.init(&params);
    for expected in [0.01, 0.0199, 0.029701] {
        let x = ones();
        let ((_, updated), gradient) = value_and_grad!(
            |params| {
                let (y, updated) = model.apply_mut((params, &state), &x, rngs! {});
                ((x - y).square().sum(), updated)
            },
            &params
        );
        tx.apply_gradients(&mut params, gradient, &mut opt_state);
        state = updated;
        println!("Updated state: {}", state.mean);
        assert_near(state.mean.as_slice(), &[expected; 5], 1e-7);
    }
}
