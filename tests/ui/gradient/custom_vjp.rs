use flaxen::prelude::*;

#[custom_vjp]
mod no_backward {
    use flaxen::prelude::*;

    pub fn primal(x: Tensor![4]) -> Tensor![4] {
        x
    }
    pub fn forward(x: Tensor![4]) -> (Tensor![4], ()) {
        (x, ())
    }
}

#[custom_vjp]
mod keeps_nothing {
    use flaxen::prelude::*;

    pub fn primal(x: Tensor![4]) -> Tensor![4] {
        x
    }
    pub fn forward(x: Tensor![4]) -> Tensor![4] {
        x
    }
    pub fn backward(_: (), cotangent: Tensor![4]) -> Tensor![4] {
        cotangent
    }
}

#[custom_vjp]
mod one_cotangent {
    use flaxen::prelude::*;

    pub fn primal<B: Batch>(x: Tensor![B], y: Tensor![B]) -> Tensor![B] {
        add(x, y)
    }
    pub fn forward<N: Batch>(x: Tensor![N], y: Tensor![N]) -> (Tensor![N], ()) {
        (add(x, y), ())
    }
    pub fn backward<B: Batch>(_: (), cotangent: Tensor![B]) -> Tensor![B] {
        cotangent
    }
}

#[custom_vjp]
fn no_module(x: Tensor![4]) -> Tensor![4] {
    x
}

fn main() {}
