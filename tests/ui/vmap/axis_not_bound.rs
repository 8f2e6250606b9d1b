//! `pmean` along an axis that no `vmap!` binds.

use flaxen::prelude::*;

axis!(batch, other);

fn main() {
    let x = Tensor::<(U3,)>::of(&[1.0, 2.0, 3.0]).unwrap();
    let _ = vmap!(|x| x - pmean::<other>(x), &x, axis = batch);
    let _ = value_and_grad!(|x| pmean::<batch>(x).sum(), x);
}
