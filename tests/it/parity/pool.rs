//! `nn.avg_pool` and `nn.max_pool` on images.

use flaxen::ops::avg_pool_with::ExcludePad;
use flaxen::ops::{avg_pool_with, max_pool, max_pool_with};
use flaxen::prelude::*;
use flaxen::shape::window::{Same, Strides, Valid, Window};

use super::layer::check_op;

type Images = (U2, U5, U6, U3);

#[test]
fn average() {
    let op = avg_pool_with::Op::<Window<U2, U2>, Strides<U2, U2>>::new();
    check_op::<Images, (U2, U2, U3, U3), _>("avg_pool", op);
    let op = avg_pool_with::Op::<Window<U2, U2>, Strides<U2, U2>, Same>::new();
    check_op::<Images, (U2, U3, U3, U3), _>("avg_pool_same", op);
    let op = avg_pool_with::Op::<Window<U3, U3>, Strides<U2, U2>, Same, ExcludePad>::new();
    check_op::<Images, (U2, U3, U3, U3), _>("avg_pool_same_exclude_pad", op);
    let op = avg_pool_with::Op::<Window<U2, U3>>::new();
    check_op::<Images, (U2, U4, U4, U3), _>("avg_pool_default_stride", op);
}

#[test]
fn maximum() {
    let op = max_pool_with::Op::<Window<U2, U2>, Strides<U2, U2>, Valid>::new();
    check_op::<Images, (U2, U2, U3, U3), _>("max_pool", op);
    let op = max_pool_with::Op::<Window<U3, U3>, Strides<U2, U2>, Same>::new();
    check_op::<Images, (U2, U3, U3, U3), _>("max_pool_same", op);
    let op = max_pool_with::Op::<Window<U3, U3>, Strides<U2, U2>, ((U1, U1), (U0, U2))>::new();
    check_op::<Images, (U2, U3, U3, U3), _>("max_pool_explicit", op);
}

#[test]
fn side_by_side_without_a_batch() {
    let op = max_pool_with::Op::<U2, U2>::new();
    check_op::<(U5, U4, U2), (U2, U2, U2), _>("max_pool_no_batch", op);
}

/// With the first four rows only, both forms are the same.
#[test]
fn side_by_side_is_a_window_with_strides() {
    let x = Tensor::from_fn(<(U2, U4, U6, U3)>::default(), |i| ((i * 37) % 101) as f32);
    let general = max_pool_with::Op::<Window<U2, U3>, Strides<U2, U3>>::new().infer(x.clone());
    assert_eq!(max_pool::Op::<U2, U3>::new().infer(x), general);
}
