//! Functions of trees and arrays.

use super::{Cases, check_numbers};
use flaxen::optim;
use flaxen::prelude::*;

fn check(cases: &mut Cases, id: &str, output: impl Fn(Vec<Tensor<(Dyn,)>>) -> Vec<f32>) {
    let names = cases.fixture.case(id)["arrays"]["inputs"].as_array().expect("names of inputs").iter();
    let inputs = names.map(|name| {
        let name = name.as_str().expect("a name");
        let values = cases.fixture.f32s(&format!("{id}/inputs/{name}"));
        Tensor::from_slice((Dyn(values.len()),), &values).expect("its own size")
    });
    let expected = cases.fixture.f32s(&format!("{id}/output"));
    check_numbers(id, 1e-6, None, &output(inputs.collect()), &expected);
    cases.done.push(id.to_string());
}

#[test]
fn every_function() {
    let mut cases = Cases::of("function");
    check(&mut cases, "fn_global_norm", |x| vec![optim::global_norm(&(x[0].clone(), x[1].clone())) as f32]);
    check(&mut cases, "fn_incremental_update", |x| {
        let mut old = x[1].clone();
        optim::incremental_update(&x[0], &mut old, 0.1);
        old.as_slice().to_vec()
    });
    check(&mut cases, "fn_safe_norm", |x| vec![optim::safe_norm(x[0].as_slice(), 1e-3) as f32]);
    check(&mut cases, "fn_bias_correction", |x| optim::bias_correction(&x[0], 0.9, 3).as_slice().to_vec());
    cases.finish();
}
