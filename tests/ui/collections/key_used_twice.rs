use flaxen::prelude::*;

stream!(pub noise);

#[module]
struct Noisy;

#[module]
impl Noisy {
    fn call<B: Batch>(&self, x: Tensor![B, 5]) -> Tensor![B, 5] {
        let key = make_rng!(noise);
        let x = x + normal_like(x, key);
        x * uniform_like(x, key)
    }
}

fn main() {
    Noisy::new().init(Key::new(0));
}
