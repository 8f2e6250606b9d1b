use flaxen::prelude::*;

#[module]
struct Projection;

#[module]
impl Projection {
    fn call<B: Batch>(&self, x: Tensor![B, 64]) -> Tensor![B, 10] {
        let kernel = param!("kernel", lecun_normal(), [128, 10]);
        matmul(x, kernel)
    }
}

fn main() {}
