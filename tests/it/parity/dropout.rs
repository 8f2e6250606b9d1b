//! `nn.Dropout`.

use flaxen::nn::Dropout;
use flaxen::prelude::*;
use flaxen_tests::Fixture;

use super::key;
use super::phased_layer::check_phased;

#[test]
fn half_is_dropped() {
    check_phased::<(U4, U5), _, _>("dropout", <Dropout>::new().rate(0.5), Train);
}

#[test]
fn a_mask_that_is_the_same_along_an_axis() {
    let layer = Dropout::<(U1,)>::new().rate(0.5);
    check_phased::<(U3, U4, U5), _, _>("dropout_broadcast", layer, Train);
}

#[test]
fn nothing_is_dropped_in_evaluation() {
    check_phased::<(U3, U4), _, _>("dropout_deterministic", <Dropout>::new().rate(0.5), Eval);
}

#[test]
fn everything_is_dropped() {
    check_phased::<(U2, U3), _, _>("dropout_one", <Dropout>::new().rate(1.0), Train);
}

#[test]
fn nothing_is_dropped_at_the_rate_of_zero() {
    let x: Tensor![3, 2] = Key::new(0).normal(Default::default());
    let layer = <Dropout>::new().rate(0.0);
    let (y, ()) = layer.apply_mut(
        &Variables { params: (), state: () },
        (x.clone(), Train),
        rngs! { dropout: Key::new(1) },
    );
    assert_eq!(y, x);
}

/// One layer called twice, and another one.
#[module]
struct Masks;

#[module]
impl Masks {
    fn call<P: Phase>(&self, x: Tensor![11], phase: P) -> (Tensor![11], Tensor![11], Tensor![11]) {
        let dropout = compact!(Dropout, rate = 0.5);
        let first = dropout(x, phase);
        let second = dropout(x, phase);
        let third = compact!(Dropout, rate = 0.5)(x, phase);
        (first, second, third)
    }
}

#[test]
fn masks_in_a_model_are_those_of_flax() {
    let fixture = Fixture::open("flax_rng");
    let cases = fixture.cases().iter().filter(|case| case["name"] == "dropout_masks");
    let mut checked = 0;
    for case in cases {
        let x: Tensor![11] = Tensor::full(Default::default(), 1.0);
        let variables = Masks::new().init(Key::new(0));
        let ((first, second, third), _) =
            Masks::new().apply_mut(&variables, x, Train, rngs! { dropout: key(case) });
        for (index, mask) in [first, second, third].iter().enumerate() {
            let expected: Vec<u8> = serde_json::from_value(case["result"][index].clone()).expect("a mask");
            let found: Vec<u8> = mask.as_slice().iter().map(|&x| u8::from(x != 0.0)).collect();
            assert_eq!(found, expected, "{case}");
            assert!(mask.as_slice().iter().all(|&x| x == 0.0 || x == 2.0));
            checked += 1;
        }
    }
    assert_eq!(checked, 12);
}
