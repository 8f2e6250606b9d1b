use flaxen::prelude::*;
use flaxen::init::{ones, zeros};

#[module]
pub struct Small<F: Dim> { #[default(2.0)] rate: f32 }

#[module]
impl<F: Dim> Small<F> {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let w = param!("w", ones(), [3]);
        let y = relu(x);
        let z = relu(y);
        let _unused = w;
        z
    }
}

#[module]
pub struct Outer;

#[module]
impl Outer {
    fn call<B: Batch>(&self, x: Tensor![B, 3]) -> Tensor![B, 3] {
        let small = compact!(Small<7>, rate = 3.0);
        let a = small(x);
        let b = small(relu(a));
        compact!(Small<8>, name = "head")(b)
    }
}

fn main() {
    let model = Outer::new();
    let variables = model.init(Key::new(0));
    println!("{variables:#?}");
    let x: Tensor![2, 3] = Tensor::of(&[1.0, -2.0, 3.0, 4.0, 5.0, -6.0]).unwrap();
    println!("{:?}", model.apply(&variables, x));
}
