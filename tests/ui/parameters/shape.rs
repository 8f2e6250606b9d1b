use flaxen::prelude::*;

#[module]
struct Head;

#[module]
impl Head {
    fn call<B: Batch>(&self, x: Tensor![B, 256]) -> Tensor![B, 10] {
        compact!(Dense<10>, name = "head")(x)
    }
}

fn main() {
    let params = Head::new().init(Key::new(0)).params;
    let _kernel: Tensor![10, 256] = params.head.kernel;
}
