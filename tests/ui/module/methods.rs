use flaxen::prelude::*;

#[module]
struct Model {
    dense: Dense<2>,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 2]) -> Tensor![B, 2] {
        let x = self.forever(x);
        let x = self.plain(x, 1);
        let x = self.dense.call(x);
        self.twice(x)
    }

    fn forever<B: Batch>(&self, x: Tensor![B, 2]) -> Tensor![B, 2] {
        self.forever(x)
    }

    fn plain<B: Batch>(&self, x: Tensor![B, 2], _count: usize) -> Tensor![B, 2] {
        x
    }

    fn twice<B: Batch>(&self, a: Tensor![B, 2], b: Tensor![B, 2]) -> Tensor![B, 2] {
        a + b
    }

    fn apart<B: Batch>(&self, x: Tensor![B, 2]) -> Tensor![B, 2] {
        compact!(Dense<2>)(x)
    }
}

fn main() {}
