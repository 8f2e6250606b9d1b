use flaxen::prelude::*;

#[module]
struct Misspelt;

#[module]
impl Misspelt {
    fn call<B: Batch>(&self, x: Tensor![B, 28]) -> Tensor![B, 28] {
        rellu(x)
    }
}

fn main() {}
