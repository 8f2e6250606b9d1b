use flaxen::prelude::*;

fn main() {
    let key = Key::new(0);
    let a: Tensor![3] = key.normal(Default::default());
    let b: Tensor![3] = key.normal(Default::default());
}
