use flaxen::nn::{Conv, Dense};
use flaxen::prelude::*;

#[module]
pub struct Cnn;

#[module]
impl Cnn {
    fn call<B: Batch>(&self, x: Tensor![B, 28, 28, 1]) -> Tensor![B, 7, 7, 10] {
        let x = compact!(Conv<32, (3, 3)>)(x);
        let x = relu(x);
        let x = avg_pool::<2, 2>(x);
        let x = compact!(Conv<64, (3, 3)>)(x);
        let x = relu(x);
        let x = avg_pool::<2, 2>(x);
        compact!(Dense<10>, name = "head")(x)
    }
}

fn main() {
    let model = Cnn::new();
    let variables = model.init(Key::new(0));
    println!("{variables:#?}");
    let x: Tensor![2, 28, 28, 1] = Tensor::zeros(Default::default());
    println!("{:?}", model.apply(&variables, x.clone()).as_slice().len());
}
