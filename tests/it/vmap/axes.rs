//! Axes: which are mapped over, which results have them, and what their names are for.

use flaxen::prelude::*;

axis!(batch, ensemble);

fn x() -> Tensor![3, 2] {
    Tensor::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 9.0]).unwrap()
}

fn cube() -> Tensor![2, 3, 4] {
    Tensor::from_fn(Default::default(), |index| index as f32)
}

#[test]
fn in_and_out_axes() {
    let w = Tensor::<(U2,)>::of(&[10.0, 100.0]).unwrap();
    let y: Tensor![2, 3] = vmap!(|x, w| x * w, x(), &w, in_axes = (0, None), out_axes = 1);
    assert_eq!(y.as_slice(), [10.0, 30.0, 50.0, 200.0, 400.0, 900.0]);
    let sums: Tensor![4] = vmap!(|x| x.sum(), cube(), in_axes = 2);
    assert_eq!(sums.as_slice(), [60.0, 66.0, 72.0, 78.0]);
    let same: Tensor![2, 3, 4] = vmap!(|x| x + 0.0, cube(), in_axes = 1, out_axes = 1);
    assert_eq!(same, cube());
    let last: Tensor![3, 4, 2] = vmap!(|x| x + 0.0, cube(), out_axes = 2);
    assert_eq!(last, permute::Op::<U1, U2, U0>::new().infer(cube()));
}

#[test]
fn cotangents_go_back_along_the_axes() {
    let weights: Tensor![3, 4, 2] = Tensor::from_fn(Default::default(), |index| index as f32);
    let (_, dx) = value_and_grad!(
        |x| {
            let y: Tensor![3, 4, 2] = vmap!(|x| square(x), x, in_axes = 0, out_axes = 2);
            (y * &weights).sum()
        },
        cube()
    );
    let back = permute::Op::<U2, U0, U1>::new().infer(weights);
    assert_eq!(dx, back * cube() * 2.0);
}

#[test]
fn a_result_that_no_example_changes_has_no_axis() {
    let (centered, mean) = vmap!(
        |x| {
            let mean = pmean::<batch>(x);
            (x - mean, mean)
        },
        x(),
        out_axes = (0, None),
        axis = batch
    );
    assert_eq!(mean.as_slice(), [3.0, 5.0]);
    assert_eq!(centered.as_slice(), [-2.0, -3.0, 0.0, -1.0, 2.0, 4.0]);
}

#[test]
fn collectives() {
    let (sum, largest, smallest, size) = vmap!(
        |x| (psum::<batch>(x), pmax::<batch>(x), pmin::<batch>(x), axis_size::<batch>(x)),
        x(),
        out_axes = None,
        axis = batch
    );
    assert_eq!(sum.as_slice(), [9.0, 15.0]);
    assert_eq!(largest.as_slice(), [5.0, 9.0]);
    assert_eq!(smallest.as_slice(), [1.0, 2.0]);
    assert_eq!(size.item(), 3);
    let index: Tensor![3; i32] = vmap!(|x| axis_index::<batch>(x), x(), axis = batch);
    assert_eq!(index.as_slice(), [0, 1, 2]);
}

#[test]
fn collectives_have_gradients() {
    // The variance, and its gradient 2 (x - mean) / 3.
    let (variance, dx) = value_and_grad!(
        |x| vmap!(|x| pmean::<batch>(square(x - pmean::<batch>(x))).sum(), x, out_axes = None, axis = batch),
        x()
    );
    assert!((variance.item() - (8.0 / 3.0 + 26.0 / 3.0)).abs() < 1e-5);
    let expected = [-4.0, -6.0, 0.0, -2.0, 4.0, 8.0].map(|dx| dx / 3.0);
    assert!(dx.as_slice().iter().zip(expected).all(|(dx, expected)| (dx - expected).abs() < 1e-6), "{dx:?}");
    // psum(x)^2 for each of three examples.
    let (_, dx) =
        value_and_grad!(|x| vmap!(|x| square(psum::<batch>(x)) + 0.0 * x, x, axis = batch).sum(), x());
    assert_eq!(dx.as_slice(), [54.0, 90.0, 54.0, 90.0, 54.0, 90.0]);
    let (_, dx) =
        value_and_grad!(|x| vmap!(|x| pmax::<batch>(x).sum(), x, out_axes = None, axis = batch), x());
    assert_eq!(dx.as_slice(), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn two_axes() {
    let y: Tensor![2, 3] = vmap!(|x| vmap!(|x| x.sum(), x), cube());
    assert_eq!(y.as_slice(), [6.0, 22.0, 38.0, 54.0, 70.0, 86.0]);
    // Along the inner axis, along the outer one, and along both.
    let (inner, outer, both) = vmap!(
        |x| vmap!(
            |x| (pmean::<batch>(x), x - pmean::<ensemble>(x), pmean::<ensemble>(pmean::<batch>(x))),
            x,
            axis = batch,
            out_axes = (None, 0, None)
        ),
        cube(),
        axis = ensemble,
        out_axes = (0, 0, None)
    );
    let inner: Tensor![2, 4] = inner;
    assert_eq!(inner.as_slice(), [4.0, 5.0, 6.0, 7.0, 16.0, 17.0, 18.0, 19.0]);
    let outer: Tensor![2, 3, 4] = outer;
    assert!(
        outer.as_slice()[..12].iter().all(|x| *x == -6.0) && outer.as_slice()[12..].iter().all(|x| *x == 6.0)
    );
    let both: Tensor![4] = both;
    assert_eq!(both.as_slice(), [10.0, 11.0, 12.0, 13.0]);
}

#[test]
fn what_varies_along_one_of_two_axes_meets_what_varies_along_the_other() {
    let (a, b) =
        (Tensor::<(U2,)>::of(&[1.0, 2.0]).unwrap(), Tensor::<(U3,)>::of(&[10.0, 20.0, 30.0]).unwrap());
    let weights: Tensor![2, 3] = Tensor::from_fn(Default::default(), |index| index as f32);
    let (sum, (da, db)) = value_and_grad!(
        |a, b| {
            let outer: Tensor![2, 3] = vmap!(|a| vmap!(|b| a * b, b), a);
            (outer * weights).sum()
        },
        a,
        b
    );
    assert_eq!(sum.item(), 10.0 * 0.0 + 20.0 + 60.0 + 20.0 * 3.0 + 40.0 * 4.0 + 60.0 * 5.0);
    assert_eq!(da.as_slice(), [80.0, 260.0]);
    assert_eq!(db.as_slice(), [6.0, 9.0, 12.0]);
}
