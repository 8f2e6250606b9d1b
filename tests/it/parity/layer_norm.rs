//! `nn.LayerNorm`, `nn.RMSNorm`, `nn.GroupNorm`, `nn.InstanceNorm`.

use flaxen::keyword::False;
use flaxen::nn::{NoBias, NoScale, WithBias, WithScale};
use flaxen::prelude::*;

use super::layer::check_module;

#[test]
fn layer_norm() {
    check_module::<(U3, U5), (U3, U5), _>("layernorm", <LayerNorm>::new());
}

#[test]
fn over_two_axes() {
    type Layer = LayerNorm<WithScale, WithBias, U2>;
    check_module::<(U2, U3, U4), (U2, U3, U4), _>("layernorm_axes", Layer::new());
}

#[test]
fn plain() {
    type Layer = LayerNorm<NoScale, NoBias, U1, False>;
    check_module::<(U2, U6), (U2, U6), _>("layernorm_plain", Layer::new());
}

#[test]
fn rms_norm() {
    check_module::<(U3, U5), (U3, U5), _>("rmsnorm", <RMSNorm>::new());
}

#[test]
fn group_norm() {
    check_module::<(U2, U3, U4, U6), (U2, U3, U4, U6), _>("groupnorm", GroupNorm::<U2>::new());
    check_module::<(U3, U6), (U3, U6), _>("groupnorm_2d", GroupNorm::<U3, WithScale, NoBias>::new());
}

#[test]
fn instance_norm() {
    check_module::<(U2, U4, U3, U3), (U2, U4, U3, U3), _>("instancenorm", <InstanceNorm>::new());
}
