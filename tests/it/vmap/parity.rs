//! The numbers of `jax.vmap`.

use flaxen::prelude::*;
use flaxen_tests::Fixture;
use serde_json::Value;

use super::modules::{Normalized, batch};

axis!(inner, outer);

fn numbers(case: &Value, field: &str) -> Vec<f32> {
    let list = case[field].as_array().unwrap_or_else(|| panic!("a list `{field}`"));
    list.iter().map(|number| number.as_f64().expect("a number") as f32).collect()
}

fn tensor<S: StaticShape>(case: &Value, field: &str) -> Tensor<S> {
    Tensor::of(&numbers(case, field)).expect("the fixture's sizes")
}

#[track_caller]
fn compare(found: &[f32], case: &Value, field: &str) {
    let expected = numbers(case, field);
    assert_eq!(found.len(), expected.len(), "{field}");
    for (found, expected) in found.iter().zip(expected) {
        let close = (found - expected).abs() <= 2e-5 * (1.0 + expected.abs());
        assert!(close, "{field}: {found} instead of {expected}");
    }
}

#[test]
fn a_training_with_batch_norm_along_the_axis() {
    let fixture = Fixture::open("vmap");
    let case = fixture.case("training");
    let (x, y): (Tensor![16, 5], Tensor![16, 1]) = (tensor(case, "x"), tensor(case, "y"));
    let model = Normalized::new();
    let Variables { params, mut state } = model.init(Key::new(0));
    let mut training = TrainState::create(params, sgd(0.02));
    for expected in numbers(case, "losses") {
        let params = &training.params;
        let ((loss, updated), grads) = value_and_grad!(
            |params| {
                let (losses, updated) = vmap!(
                    |x, y| {
                        let (predicted, updated) = model.apply_mut((params, &state), x, Train, rngs! {});
                        (square(predicted - y), updated)
                    },
                    &x,
                    &y,
                    out_axes = (0, None),
                    axis = batch
                );
                (losses.mean(), updated)
            },
            params
        );
        let loss = loss.item();
        assert!((loss - expected).abs() <= 1e-4 * expected, "a loss of {loss} instead of {expected}");
        training.update(grads);
        state = updated;
    }
    let params = &training.params;
    compare(state.batch_norm_0.mean.as_slice(), case, "mean_0");
    compare(state.batch_norm_1.var.as_slice(), case, "var_1");
    compare(params.dense_2.kernel.as_slice(), case, "kernel_2");
    compare(params.batch_norm_0.scale.as_slice(), case, "scale_0");
    let evaluated: Tensor![16, 1] = vmap!(|x| model.apply((params, &state), x, Eval), &x, axis = batch);
    compare(evaluated.as_slice(), case, "evaluated");
}

#[test]
fn collectives_over_two_axes() {
    let fixture = Fixture::open("vmap");
    let case = fixture.case("collectives");
    let (x, w): (Tensor![2, 3, 4], Tensor![4]) = (tensor(case, "x"), tensor(case, "w"));
    let ((loss, values), (dx, dw)) = value_and_grad!(
        |x, w| {
            let values = vmap!(
                |x| vmap!(
                    |x| {
                        let both = pmean::<outer>(pmean::<inner>(tanh(x)));
                        (tanh(x - pmean::<inner>(x)) * w + psum::<outer>(x) * both).sum()
                    },
                    x,
                    axis = inner
                ),
                x,
                axis = outer
            );
            (square(values).mean(), values)
        },
        x,
        w
    );
    compare(loss.as_slice(), case, "loss");
    compare(values.as_slice(), case, "values");
    compare(dx.as_slice(), case, "dx");
    compare(dw.as_slice(), case, "dw");
}

#[test]
fn axes_and_gradients_of_each_example() {
    let fixture = Fixture::open("vmap");
    let case = fixture.case("axes");
    let (x, w): (Tensor![4, 2, 3], Tensor![2, 3]) = (tensor(case, "x"), tensor(case, "w"));
    let transposed = permute::Op::<U1, U0, U2>::new().infer(x.clone());
    let y: Tensor![2, 3, 4] =
        vmap!(|x, w| tanh(x * w.reshape::<Tensor![2, 1]>()), transposed, &w, in_axes = (2, 1), out_axes = 1);
    compare(y.as_slice(), case, "y");
    let row: Tensor![3, 1] = slice::Op::<U0, U0, U1>::new().infer(w).into_shape(&[3, 1]).unwrap();
    let grads: Tensor![4, 2, 3] = vmap!(|x| grad!(|x| tanh(matmul(x, row)).sum(), x), &x);
    compare(grads.as_slice(), case, "grads");
}
