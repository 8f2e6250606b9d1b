use flaxen::prelude::*;

#[module]
struct Block<F: Static>;

#[module]
impl<F: Static> Block<F> {
    fn call<B: Batch>(&self, x: Tensor![B, 64]) -> Tensor![B, F] {
        relu(compact!(Dense<F>)(x))
    }
}

#[module]
struct Stack;

#[module]
impl Stack {
    fn call<B: Batch>(&self, x: Tensor![B, 64]) -> Tensor![B, 10] {
        let x = compact!(Block<32>)(x);
        compact!(Block<10>)(x)
    }
}

fn main() {}
