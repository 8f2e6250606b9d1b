use flaxen::prelude::*;

fn main() {
    let kernel = param!("kernel", lecun_normal(), [3, 4]);
}
