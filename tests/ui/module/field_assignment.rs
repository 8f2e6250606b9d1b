use flaxen::prelude::*;

#[module]
struct Inner {
    rate: f64,
}

#[module]
impl Inner {
    fn call<B: Batch>(&self, x: Tensor![B, 2]) -> Tensor![B, 2] {
        x * self.rate
    }
}

#[module]
struct Model {
    inner: Inner,
}

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 2]) -> Tensor![B, 2] {
        self.inner.rate = 0.5;
        self.inner(x)
    }
}

fn main() {}
