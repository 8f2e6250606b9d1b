//! `let mut` and assignments, as in Python.

use flaxen::prelude::*;

use crate::finite_differences::{check_module, weights};

type Rows = Tensor![2, 3; f64];

fn rows() -> Rows {
    weights(&Tensor::full(Default::default(), 1.0))
}

/// Names are assigned to: of another shape, by operators, in blocks, in pairs.
#[module]
struct Rebinding;

#[module]
impl Rebinding {
    fn call<B: Batch>(&self, mut x: Tensor![B, 3; f64]) -> Tensor![B, 3; f64] {
        let mut y = x.clone();
        x = compact!(Dense<4>)(x);
        x = tanh(x);
        {
            y *= 2.0;
            let y = sigmoid(y.clone());
            x = concat::<1>(x, y);
        }
        x = compact!(Dense<3>)(x);
        (x, y) = (y, x);
        y -= x.clone();
        y += 1.0;
        y * x
    }
}

#[test]
fn an_assignment_binds_again() {
    let params = weights(&Rebinding::new().init(Key::new(0)).params);
    let dense_0 = |x| matmul(x, params.dense_0.kernel.clone()) + params.dense_0.bias.clone();
    let dense_1 = |x| matmul(x, params.dense_1.kernel.clone()) + params.dense_1.bias.clone();
    let twice = rows() * 2.0;
    let x = dense_1(concat::Op::<U1>::new().infer((tanh(dense_0(rows())), sigmoid(twice.clone()))));
    let expected = (x - twice.clone() + 1.0) * twice;
    assert_eq!(Rebinding::new().apply(&params, rows()), expected);
    check_module(&Rebinding::new(), params, rows());
}
