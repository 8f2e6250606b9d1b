//! `nn.BatchNorm`.

use flaxen::keyword::{False, True, With, use_bias, use_scale};
use flaxen::module::{Phase, Trainable};
use flaxen::nn::{BatchNorm, NoBias, NoScale, WithBias, WithScale};
use flaxen::op::{No, Yes};
use flaxen::prelude::*;
use flaxen::rng::Scope;

use super::phased_layer::check_phased;
use crate::finite_differences::check;

#[test]
fn in_training() {
    check_phased::<(U6, U4), _, _>("batchnorm_train", <BatchNorm>::new(), Train);
    check_phased::<(U2, U3, U3, U4), _, _>("batchnorm_4d_train", <BatchNorm>::new().momentum(0.8), Train);
}

#[test]
fn in_evaluation() {
    check_phased::<(U6, U4), _, _>("batchnorm_eval", <BatchNorm>::new(), Eval);
}

#[test]
fn the_variance_in_two_passes() {
    let layer = BatchNorm::<WithScale, WithBias, False>::new();
    check_phased::<(U6, U4), _, _>("batchnorm_slow_variance", layer, Train);
}

/// The gradient of a layer with respect to its parameters and its input.
fn check_gradient<M, P: Phase>(layer: M, phase: P)
where
    M: Trainable<(Tensor![7, 3; f64], P), (Yes, No), Out = Tensor![7, 3; f64]>,
{
    let (params, state) = flaxen::module::Module::init(&layer, &Scope::root(Key::new(0)));
    let x: Tensor![7, 3; f64] = Key::new(1).normal(Default::default());
    let scope = Scope::without_streams();
    check(
        (params, x),
        |(params, x)| flaxen::module::Module::infer(&layer, &params, &mut state.clone(), &scope, (x, phase)),
        |(params, x), cotangent| {
            let (y, residuals) = layer.forward(&params, &mut state.clone(), &scope, (x, phase));
            let (gradient, (dx, ())) = layer.backward(&params, residuals, cotangent(&y));
            (gradient, dx)
        },
    );
}

#[test]
fn gradients() {
    check_gradient(<BatchNorm>::new(), Train);
    check_gradient(<BatchNorm>::new(), Eval);
    check_gradient(BatchNorm::<WithScale, WithBias, False>::new(), Train);
    check_gradient(BatchNorm::<NoScale, WithBias, True>::new(), Train);
    check_gradient(BatchNorm::<WithScale, NoBias, True>::new(), Train);
}

#[test]
fn keywords_set_the_type() {
    type A = <BatchNorm as With<use_scale, False>>::Out;
    type B = <A as With<use_bias, False>>::Out;
    let layer: BatchNorm<NoScale, NoBias> = B::new();
    let x: Tensor![2, 3] = Tensor::zeros(Default::default());
    let variables = layer.init(Key::new(0), &(x, Eval));
    assert_eq!(format!("{variables:?}"), "{params: {}, batch_stats: {mean: (3,), var: (3,)}}");
}

#[test]
fn many_rows_by_any_number_of_threads() {
    let layer = <BatchNorm>::new();
    let x: Tensor![Dyn, 40] = Tensor::from_fn((Dyn(9001), Default::default()), |i| (i % 977) as f32 * 0.01);
    let (params, state) =
        flaxen::module::Module::<(Tensor![Dyn, 40], Train)>::init(&layer, &Scope::root(Key::new(0)));
    let step = || {
        let state = &mut state.clone();
        let scope = Scope::without_streams();
        let (y, residuals) =
            Trainable::<_, (Yes, No)>::forward(&layer, &params, state, &scope, (x.clone(), Train));
        let cotangent = x.clone();
        let pulled = Trainable::<(Tensor![Dyn, 40], Train), (Yes, No)>::backward(
            &layer, &params, residuals, cotangent,
        );
        (y, state.clone(), pulled)
    };
    flaxen::backend::set_threads(1);
    let (y, moved, pulled) = step();
    for column in 0..40 {
        let of_column = || x.as_slice()[column..].iter().step_by(40).map(|&x| f64::from(x));
        let mean = of_column().sum::<f64>() / 9001.0;
        let var = of_column().map(|x| (x - mean).powi(2)).sum::<f64>() / 9001.0;
        assert!((f64::from(moved.mean.as_slice()[column]) - 0.01 * mean).abs() < 1e-6);
        assert!((f64::from(moved.var.as_slice()[column]) - (0.99 + 0.01 * var)).abs() < 1e-5);
        let expected = (f64::from(x.as_slice()[column]) - mean) / (var + 1e-5).sqrt();
        assert!((f64::from(y.as_slice()[column]) - expected).abs() < 1e-4);
    }
    for threads in 2..4 {
        flaxen::backend::set_threads(threads);
        assert_eq!(step(), (y.clone(), moved.clone(), pulled.clone()));
    }
}
