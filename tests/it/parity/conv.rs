//! `nn.Conv` on images.

use flaxen::nn::Conv;
use flaxen::prelude::*;
use flaxen::shape::window::{Pad, Same, Valid};

use super::layer::check_module;

#[test]
fn same() {
    check_module::<(U2, U5, U6, U3), (U2, U5, U6, U4), _>("conv2d_same", Conv::<U4, (U3, U3)>::new());
}

#[test]
fn valid() {
    let layer = Conv::<U4, (U3, U2), U1, Valid>::new();
    check_module::<(U2, U5, U6, U3), (U2, U3, U5, U4), _>("conv2d_valid", layer);
}

#[test]
fn strides() {
    let layer = Conv::<U4, (U3, U3), (U2, U2)>::new();
    check_module::<(U2, U7, U6, U3), (U2, U4, U3, U4), _>("conv2d_stride", layer);
    let layer = Conv::<U4, (U2, U3), (U2, U1)>::new();
    check_module::<(U1, U8, U7, U3), (U1, U4, U7, U4), _>("conv2d_stride_uneven", layer);
}

#[test]
fn explicit_padding() {
    let layer = Conv::<U4, (U3, U3), U1, (Pad<U1, U2>, Pad<U0, U1>)>::new();
    check_module::<(U1, U5, U4, U3), (U1, U6, U3, U4), _>("conv2d_explicit_pad", layer);
    let as_in_flax = Conv::<U4, (U3, U3), U1, ((U1, U2), (U0, U1))>::new();
    check_module::<(U1, U5, U4, U3), (U1, U6, U3, U4), _>("conv2d_explicit_pad", as_in_flax);
}

#[test]
fn dilation() {
    let layer = Conv::<U4, (U3, U3), U1, Same, (U2, U2)>::new();
    check_module::<(U1, U7, U6, U3), (U1, U7, U6, U4), _>("conv2d_dilated", layer);
}

#[test]
fn groups() {
    let layer = Conv::<U6, (U3, U3), U1, Same, U1, U3>::new();
    check_module::<(U1, U5, U5, U3), (U1, U5, U5, U6), _>("conv2d_groups", layer);
    let depthwise = Conv::<U8, (U3, U3), U1, Same, U1, U4>::new();
    check_module::<(U1, U4, U5, U4), (U1, U4, U5, U8), _>("conv2d_depthwise", depthwise);
}

#[test]
fn any_number_of_batch_dimensions() {
    check_module::<(U4, U5, U3), (U4, U5, U2), _>("conv2d_no_batch", Conv::<U2, (U3, U3)>::new());
    let layer = Conv::<U2, (U3, U3)>::new();
    check_module::<(U2, U2, U4, U3, U2), (U2, U2, U4, U3, U2), _>("conv2d_many_batch", layer);
}
