use flaxen::prelude::*;

#[custom_vjp]
mod head {
    use flaxen::prelude::*;

    pub fn primal<B: Batch>(x: Tensor![B, 4]) -> Tensor![B, 2] {
        x.slice::<U1, U0, U2>()
    }
    pub fn forward<B: Batch>(x: Tensor![B, 4]) -> (Tensor![B, 2], ()) {
        (primal(x), ())
    }
    pub fn backward<B: Batch>(_: (), cotangent: Tensor![B, 2]) -> Tensor![B, 2] {
        cotangent
    }
}

#[module]
struct Model;

#[module]
impl Model {
    fn call<B: Batch>(&self, x: Tensor![B, 5]) -> Tensor![B, 2] {
        head(x)
    }
}

fn main() {}
