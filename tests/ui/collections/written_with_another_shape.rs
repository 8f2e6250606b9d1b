use flaxen::prelude::*;

#[module]
struct BiasAdderWithRunningMean;

#[module]
impl BiasAdderWithRunningMean {
    fn call<B: Batch>(&self, x: Tensor![B, 5]) -> Tensor![B, 5] {
        let mean = variable!(BatchStats, "mean", zeros(), [5]);
        // As `jnp.mean(x, axis=0, keepdims=True)` in the tutorial, where the variable becomes `[1, 5]`.
        let batch_mean = reshape::<Tensor![1, 5]>(mean_axis::<0>(x));
        mean.value = 0.99 * mean.value + 0.01 * batch_mean;
        x - mean.value
    }
}

fn main() {
    BiasAdderWithRunningMean::new().init(Key::new(0));
}
