use flaxen::prelude::*;

#[module]
struct AutoEncoder {
    encoder: Dense<3>,
    decoder: Dense<2>,
}

#[module]
impl AutoEncoder {
    fn call<B: Batch>(&self, x: Tensor![B, 2]) -> Tensor![B, 2] {
        self.decode(self.encode(x))
    }

    fn encode<B: Batch>(&self, x: Tensor![B, 2]) -> Tensor![B, 3] {
        self.encoder(x)
    }
}

fn main() {}
