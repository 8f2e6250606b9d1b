use flaxen::prelude::*;

fn main() {
    let dense = compact!(Dense<10>);
}
