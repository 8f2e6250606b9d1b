use flaxen::prelude::*;

#[module]
struct Twins;

#[module]
impl Twins {
    fn call<B: Batch>(&self, x: Tensor![B, 28]) -> Tensor![B, 10] {
        let x = compact!(Dense<10>, name = "layer")(x);
        compact!(Dense<10>, name = "layer")(x)
    }
}

fn main() {}
