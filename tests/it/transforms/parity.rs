//! Derivatives of five functions against JAX's, in f64: `tests/fixtures/transforms`.

use flaxen::prelude::*;
use flaxen_tests::Fixture;
use serde_json::Value;

const TOLERANCE: f64 = 1e-10;

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).expect("a list of numbers")
}

fn tensor<S: StaticShape>(value: &Value) -> Tensor<S, f64> {
    Tensor::of(&numbers(value)).expect("as many numbers as the shape says")
}

#[track_caller]
fn agrees<S: Shape>(case: &Value, field: &str, found: &Tensor<S, f64>) {
    let expected = match &case[field] {
        Value::Number(number) => vec![number.as_f64().expect("a number")],
        list => numbers(list),
    };
    assert_eq!(found.as_slice().len(), expected.len(), "{} of {}", field, case["id"]);
    for (index, (found, expected)) in found.as_slice().iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= TOLERANCE * (1.0 + expected.abs()),
            "element {index} of {field} of {}: {found} instead of {expected}",
            case["id"]
        );
    }
}

/// Checks all transformations of a function of `x` and of the scalar that is made of its output `y`.
macro_rules! check {
    ($case:ident, $x:ident: $shape:ty, $vector:expr, $y:ident => $scalar:expr) => {
        let at: Tensor<$shape, f64> = tensor(&$case["x"]);
        let [tangent, other] = ["tangent", "other"].map(|field| tensor::<$shape>(&$case[field]));
        let (out, pullback) = vjp!(|$x| $vector, at.clone());
        agrees($case, "out", &out);
        agrees($case, "vjp", &pullback(Tensor::of(&numbers(&$case["cotangent"])).expect("a cotangent")));
        let (out, along) = jvp!(|$x| $vector, &at, &tangent);
        agrees($case, "out", &out);
        agrees($case, "jvp", &along);
        agrees($case, "jacfwd", &jacfwd!(|$x| $vector, at.clone()));
        agrees($case, "jacrev", &jacrev!(|$x| $vector, at.clone()));
        let (value, gradient) = value_and_grad!(
            |$x| {
                let $y = $vector;
                $scalar
            },
            at.clone()
        );
        agrees($case, "value", &value);
        agrees($case, "grad", &gradient);
        let gradient = grad!(
            |$x| {
                let $y = $vector;
                $scalar
            },
            at.clone()
        );
        agrees($case, "grad", &gradient);
        let product = hvp!(
            |$x| {
                let $y = $vector;
                $scalar
            },
            &at,
            &tangent
        );
        agrees($case, "hvp", &product);
        let hessian = hessian!(
            |$x| {
                let $y = $vector;
                $scalar
            },
            at.clone()
        );
        agrees($case, "hessian", &hessian);
        let (product, third) = jvp!(
            |outer| hvp!(
                |$x| {
                    let $y = $vector;
                    $scalar
                },
                outer,
                &tangent
            ),
            &at,
            &other
        );
        agrees($case, "hvp", &product);
        agrees($case, "third", &third);
    };
}

#[test]
fn of_an_mlp() {
    let fixture = Fixture::open("transforms");
    let case = fixture.case("mlp");
    let constant = |index: usize| &case["constants"][index];
    let (kernel_0, bias_0): (Tensor![3, 5; f64], Tensor![5; f64]) =
        (tensor(constant(0)), tensor(constant(1)));
    let (kernel_1, bias_1): (Tensor![5, 2; f64], Tensor![2; f64]) =
        (tensor(constant(2)), tensor(constant(3)));
    let targets: Tensor![4, 2; f64] = tensor(constant(4));
    check!(
        case, x: (U4, U3),
        matmul(tanh(matmul(x, &kernel_0) + &bias_0), &kernel_1) + &bias_1,
        y => mse(y, &targets)
    );
}

#[test]
fn of_a_cross_entropy() {
    let fixture = Fixture::open("transforms");
    let case = fixture.case("cross_entropy");
    let labels = numbers(&case["constants"][0]);
    let labels: Tensor![4; i32] = Tensor::from_fn(Default::default(), |i| labels[i] as i32);
    check!(
        case, x: (U4, U5),
        softmax_cross_entropy_with_integer_labels(x, &labels),
        y => square(y).mean()
    );
}

#[test]
fn of_a_convolution() {
    let fixture = Fixture::open("transforms");
    let case = fixture.case("convolution");
    let kernel: Tensor![3, 3, 1, 2; f64] = tensor(&case["constants"][0]);
    check!(
        case, x: (Dim2<3, 6>,),
        {
            let y = gelu(conv(reshape::<Tensor![1, 6, 6, 1]>(x), &kernel));
            let y = max_pool_with::<Window<2, 2>>(y);
            reshape::<Tensor![8]>(avg_pool_with::<Window<2, 2>, Strides<2, 2>>(y))
        },
        y => square(y).sum()
    );
}

#[test]
fn of_a_mixture() {
    let fixture = Fixture::open("transforms");
    let case = fixture.case("mixture");
    let scale: Tensor![2, 3; f64] = tensor(&case["constants"][0]);
    let squares = square(scale.clone());
    check!(
        case, x: (U3,),
        {
            let decay = exp(x.clone() * 0.3) / (&squares + 1.0);
            decay + log(1.0 + square(x.clone())) * pow(x + 3.0, 2.5) / (&scale + 4.0)
        },
        y => y.sum()
    );
}

#[test]
fn of_a_normalisation() {
    let fixture = Fixture::open("transforms");
    let case = fixture.case("normalisation");
    let scale: Tensor![4; f64] = tensor(&case["constants"][0]);
    check!(
        case, x: (U3, U4),
        {
            let centred = x.clone() - reshape::<Tensor![3, 1]>(mean_axis::<1>(x));
            let variance = reshape::<Tensor![3, 1]>(mean_axis::<1>(square(centred.clone())));
            logsumexp(centred / sqrt(variance + 0.001) * &scale)
        },
        y => pow(y, 3.0).sum()
    );
}
