use flaxen::prelude::*;

#[module]
struct Pooled;

#[module]
impl Pooled {
    fn call<B: Batch>(&self, image: Tensor![B, 27, 27, 1]) -> Tensor![B, 13, 13, 32] {
        let x = compact!(Conv<32, (3, 3)>)(image);
        avg_pool::<2, 2>(x)
    }
}

fn main() {}
