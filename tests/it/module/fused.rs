//! What a `#[module]` computes together has the bits of what a closure computes call by call.

use flaxen::nn::NoBias;
use flaxen::prelude::*;

#[module]
struct Chain;

#[module]
impl Chain {
    fn call<B: Batch>(&self, x: Tensor![B, 8, 12, 2]) -> Tensor![B, 7] {
        let x = compact!(Conv<5, (3, 3)>)(x);
        let x = relu(x);
        let x = avg_pool::<2, 2>(x);
        let x = compact!(Conv<3, (3, 3)>, use_bias = false)(x);
        let x = relu(x);
        let x = max_pool::<2, 3>(x);
        let x = flatten(x);
        let x = relu(compact!(Dense<7>)(x));
        exp(neg(square(tanh(x))))
    }
}

fn input() -> Tensor![3, 8, 12, 2] {
    Key::new(1).normal(Default::default())
}

fn bits<S: Shape>(x: &Tensor<S>) -> Vec<u32> {
    x.as_slice().iter().map(|x| x.to_bits()).collect()
}

#[test]
fn both_passes_have_the_bits_of_the_calls_one_by_one() {
    let model = Chain::new();
    let params = model.init(Key::new(0)).params;
    let (first, dense) = (Conv::<U5, (U3, U3)>::new(), Dense::<U7>::new());
    let second = Conv::<U3, (U3, U3), U1, Same, U1, U1, NoBias>::new();
    let x = input();
    let ((_, y), gradient) = value_and_grad!(
        |params| {
            let y = model.apply(params, x.clone());
            (y.sum(), y)
        },
        &params
    );
    let ((_, one_by_one), (d_first, d_second, d_dense)) = value_and_grad!(
        |first_params, second_params, dense_params| {
            let h = first.apply(first_params, x.clone());
            let h = relu(h);
            let h = avg_pool::<2, 2>(h);
            let h = second.apply(second_params, h);
            let h = relu(h);
            let h = max_pool::<2, 3>(h);
            let h = flatten(h);
            let h = dense.apply(dense_params, h);
            let h = relu(h);
            let y = exp(neg(square(tanh(h))));
            (y.sum(), y)
        },
        &params.conv_0,
        &params.conv_1,
        &params.dense_0
    );
    assert_eq!(bits(&y), bits(&one_by_one));
    assert_eq!(bits(&gradient.conv_0.kernel), bits(&d_first.kernel));
    assert_eq!(bits(&gradient.conv_0.bias), bits(&d_first.bias));
    assert_eq!(bits(&gradient.conv_1.kernel), bits(&d_second.kernel));
    assert_eq!(bits(&gradient.dense_0.kernel), bits(&d_dense.kernel));
    assert_eq!(bits(&gradient.dense_0.bias), bits(&d_dense.bias));
}

#[test]
fn outputs_of_submodules_are_captured_before_the_op_that_follows() {
    let model = Chain::new();
    let variables = model.init(Key::new(0));
    let (y, captured) = model.apply_and_capture(&variables, input());
    assert_eq!(bits(&model.apply(&variables, input())), bits(&y), "capturing changes nothing");
    let convolved: Vec<&Tensor![3, 8, 12, 5]> =
        captured.get("intermediates/Conv_0/__call__").expect("outputs are captured");
    let expected = Conv::<U5, (U3, U3)>::new().apply(&variables.params.conv_0, input());
    assert_eq!(bits(convolved[0]), bits(&expected));
    assert!(expected.as_slice().iter().any(|&x| x < 0.0), "not yet what `relu` makes of it");
}
