use flaxen::prelude::*;

#[module]
struct Body;

#[module]
impl Body {
    fn call<B: Batch>(&self, x: Tensor![B, 28]) -> Tensor![B, 28] {
        let twice = |x| relu(relu(x));
        twice(x)
    }
}

fn main() {
    let model = Body::new();
    let variables = model.init(Key::new(0));
    let x: Tensor![2, 28] = Tensor::zeros(Default::default());
    let _y: Tensor![2, 28] = model.apply(&variables, x);
}
