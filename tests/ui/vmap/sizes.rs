//! Arguments with different sizes along the axes that are mapped over.

use flaxen::prelude::*;

fn main() {
    let x = Tensor::<(U3, U2)>::zeros(Default::default());
    let y = Tensor::<(U4, U2)>::zeros(Default::default());
    let _ = vmap!(|x, y| x + y, x, y);
}
