//! The activations of `nn`, on ordinary numbers and at the edges: zeros, huge and tiny ones, infinities, NaN.

use flaxen::ops::*;
use flaxen::prelude::*;

use super::layer::check_op;

type Numbers = (U3, U5);
type Edges = (U18,);

macro_rules! activations {
    ($($name:ident: $op:expr;)+) => {$(
        #[test]
        fn $name() {
            check_op::<Numbers, Numbers, _>(concat!("act_", stringify!($name)), $op);
            check_op::<Edges, Edges, _>(concat!("act_edges_", stringify!($name)), $op);
        }
    )+};
}

activations! {
    relu: relu::Op;
    relu6: relu6::Op;
    gelu: gelu::Op;
    silu: silu::Op;
    swish: swish::Op;
    elu: elu::Op::new(1.0);
    celu: celu::Op::new(1.0);
    selu: selu::Op;
    softplus: softplus::Op;
    tanh: tanh::Op;
    sigmoid: sigmoid::Op;
    log_sigmoid: log_sigmoid::Op;
    hard_sigmoid: hard_sigmoid::Op;
    hard_silu: hard_silu::Op;
    hard_swish: hard_swish::Op;
    hard_tanh: hard_tanh::Op;
    leaky_relu: leaky_relu::Op::new(0.01);
    soft_sign: soft_sign::Op;
}

#[test]
fn with_other_parameters() {
    check_op::<Numbers, Numbers, _>("act_gelu_exact", gelu_exact::Op);
    check_op::<Numbers, Numbers, _>("act_elu_alpha", elu::Op::new(0.5));
    check_op::<Numbers, Numbers, _>("act_celu_alpha", celu::Op::new(0.5));
    check_op::<Numbers, Numbers, _>("act_leaky_relu_slope", leaky_relu::Op::new(0.2));
}

#[test]
fn over_the_last_axis() {
    check_op::<Numbers, Numbers, _>("softmax", softmax::Op);
    check_op::<(U2, U3), (U2, U3), _>("softmax_large", softmax::Op);
    check_op::<Numbers, Numbers, _>("log_softmax", log_softmax::Op);
    check_op::<Numbers, (U3,), _>("logsumexp", logsumexp::Op);
}
