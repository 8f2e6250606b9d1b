use flaxen::prelude::*;

/// An op of `f32` alone.
mod triple {
    use flaxen::prelude::*;
    use flaxen::shape::{Rule, Sizes};

    pub struct Op;

    impl Op {
        pub const fn new() -> Self {
            Op
        }
        pub const fn shape(inputs: [Sizes; 1]) -> Rule {
            Rule::Out(inputs[0])
        }
    }

    impl<S: Shape> flaxen::op::Op<Tensor<S>> for Op {
        type Out = Tensor<S>;
        fn infer(&self, x: Tensor<S>) -> Tensor<S> {
            x * 3.0
        }
    }
}

fn main() {
    let x: Tensor![4] = Tensor::zeros(Default::default());
    let (_out, _tangent) = jvp!(|x| triple(x), &x, &x);
}
