//! What stands in `vmap!`.

use flaxen::prelude::*;

fn main() {
    let x = Tensor::<(U3,)>::of(&[1.0, 2.0, 3.0]).unwrap();
    let _ = vmap!(square, &x);
    let _ = vmap!(|x, y| x + y, &x);
    let _ = vmap!(|x| square(x), &x, in_axis = 0);
    let _ = vmap!(|x| square(x), &x, in_axes = (0, 0));
    let _ = vmap!(|x| square(x), &x, out_axes = -1);
    let _ = vmap!(|x| square(x), &x, in_axes = None);
}
