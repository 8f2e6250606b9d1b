//! Mistakes in three modules show at once, each once.
use flaxen::prelude::*;

#[module]
struct First;

#[module]
impl First {
    fn call<B: Batch>(&self, x: Tensor![B, 5, 5, 1]) -> Tensor![B, 2, 2, 1] {
        max_pool::<2, 2>(x)
    }
}

#[module]
struct Second;

#[module]
impl Second {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 4] {
        compact!(Dense<5>)(x)
    }
}

#[module]
struct Third;

#[module]
impl Third {
    fn call<B: Batch>(&self, x: Tensor![B, 3], y: Tensor![B, 4]) -> Tensor![B, 3] {
        x * y
    }
}

fn main() {}
