use flaxen::prelude::*;

#[module]
struct Classifier<Backbone> {
    backbone: Backbone,
    head: Dense<10>,
}

#[module]
impl<Backbone> Classifier<Backbone> {
    fn call<B: Batch>(&self, x: Tensor![B, 32]) -> Tensor![B, 10] {
        let features: Tensor![B, 16] = self.backbone(x);
        self.head(relu(features))
    }
}

fn main() {
    let model = Classifier::<Dense<U8>>::new();
    model.init(Key::new(0));
}
