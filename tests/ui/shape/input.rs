use flaxen::prelude::*;

#[module]
struct Grey;

#[module]
impl Grey {
    fn call<B: Batch>(&self, image: Tensor![B, 28, 28, 1]) -> Tensor![B, 28, 28, 8] {
        compact!(Conv<8, (3, 3)>)(image)
    }
}

fn main() {
    let model = Grey::new();
    let variables = model.init(Key::new(0));
    let coloured: Tensor![32, 28, 28, 3] = Tensor::zeros(Default::default());
    model.apply(&variables, coloured);
}
