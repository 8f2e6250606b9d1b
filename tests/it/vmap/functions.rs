//! Functions of tensors.

use flaxen::prelude::*;

fn x() -> Tensor![3, 2] {
    Tensor::of(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap()
}

#[test]
fn in_plain_code() {
    let scale = Tensor::<(U2,)>::of(&[10.0, 100.0]).unwrap();
    let y: Tensor![3] = vmap!(|x| (x * scale).sum(), x());
    assert_eq!(y.as_slice(), [210.0, 430.0, 650.0]);
    let (doubled, first) = vmap!(|x| (x * 2.0, slice::<0, 0, 1>(x)), x());
    assert_eq!(doubled, x() * 2.0);
    assert_eq!(first.as_slice(), [1.0, 3.0, 5.0]);
}

#[test]
fn in_a_closure() {
    let w = Tensor::<(U2,)>::of(&[10.0, 100.0]).unwrap();
    let (loss, (dw, dx)) = value_and_grad!(
        |w, x| {
            let losses = vmap!(
                |x| {
                    let half = 0.5_f32;
                    let scaled = x * w;
                    square(scaled).sum() * half
                },
                x
            );
            losses.mean()
        },
        w.clone(),
        x()
    );
    let (expected, (expected_dw, expected_dx)) =
        value_and_grad!(|w, x| (square(x * w).sum_axis::<1>() * 0.5).mean(), w, x());
    assert_eq!(loss, expected);
    assert_eq!(dw, expected_dw);
    assert_eq!(dx, expected_dx);
}
