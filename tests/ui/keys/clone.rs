use flaxen::prelude::*;

fn main() {
    let key = Key::new(0);
    let same = key.clone();
}
