use flaxen::prelude::*;

#[module]
struct BiasAdderWithRunningMean;

#[module]
impl BiasAdderWithRunningMean {
    fn call<B: Batch, P: Phase>(&self, x: Tensor![B, 5], phase: P) -> Tensor![B, 5] {
        let mean = variable!(BatchStats, "mean", zeros(), [5]);
        if P::TRAIN {
            mean.value = reshape::<Tensor![1, 5]>(mean_axis::<0>(x));
        }
        x - mean.value
    }
}

fn main() {
    BiasAdderWithRunningMean::new().init(Key::new(0));
}
