//! `nn.Dense` and `nn.DenseGeneral`.

use flaxen::nn::{Dense, DenseGeneral, NoBias};
use flaxen::prelude::*;

use super::layer::check_module;

#[test]
fn dense() {
    check_module::<(U5, U3), (U5, U4), _>("dense", Dense::<U4>::new());
}

#[test]
fn without_a_bias() {
    check_module::<(U2, U3, U5), (U2, U3, U4), _>("dense_no_bias", Dense::<U4, NoBias>::new());
}

#[test]
fn of_a_vector() {
    check_module::<(U3,), (U2,), _>("dense_1d", Dense::<U2>::new());
}

#[test]
fn general() {
    check_module::<(U4, U5), (U4, U2, U3), _>("dense_general", DenseGeneral::<(U2, U3)>::new());
}

#[test]
fn general_over_two_axes() {
    check_module::<(U2, U3, U5), (U2, U4), _>("dense_general_axes", DenseGeneral::<U4, U2>::new());
}
