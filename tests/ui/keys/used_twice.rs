use flaxen::prelude::*;

fn main() {
    let key = Key::new(0);
    let _a: Tensor![3] = key.normal(Default::default());
    let _b: Tensor![3] = key.normal(Default::default());
}
