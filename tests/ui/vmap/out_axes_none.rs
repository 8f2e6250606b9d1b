//! `out_axes = None` for a result that depends on the axis, and none for one that does not.

use flaxen::prelude::*;

axis!(batch);

fn main() {
    let x = Tensor::<(U3,)>::of(&[1.0, 2.0, 3.0]).unwrap();
    let _ = vmap!(|x| square(x), &x, out_axes = None);
    let _ = vmap!(|x| pmean::<batch>(x), &x, axis = batch);
}
