//! `nn.Embed`, by itself and with its table used a second time.

use flaxen::init::{FanMode, Initializer, Spread, VarianceScaling};
use flaxen::prelude::*;
use flaxen::tree::Path;
use flaxen_tests::{Fixture, Tolerance};
use serde_json::Value;

use super::key;
use super::layer::{Check, Load, of_gradients, tensor};

type Words = Tensor![2, 3; i32];

/// `nn.Embed(7, 4)`
#[module]
struct Rows;

#[module]
impl Rows {
    fn call<B: Batch>(&self, words: Tensor![B, 3; i32]) -> Tensor![B, 3, 4] {
        compact!(Embed<7, 4>)(words)
    }
}

/// `e.attend(jnp.tanh(e(ids)))` of `e = nn.Embed(7, 4)`
#[module]
struct Attend;

#[module]
impl Attend {
    fn call<B: Batch>(&self, words: Tensor![B, 3; i32]) -> Tensor![B, 3, 7] {
        let table = param!("embedding", rows(), [7, 4]);
        matmul(tanh(take(table.clone(), words)), transpose(table))
    }
}

/// The initialiser of an embedding.
fn rows() -> Initializer {
    VarianceScaling::new(1.0, FanMode::FanIn, Spread::Normal).out_axis(0).into()
}

/// [`Attend`] as a submodule of Flax's name.
#[module]
struct Tied;

#[module]
impl Tied {
    fn call<B: Batch>(&self, words: Tensor![B, 3; i32]) -> Tensor![B, 3, 7] {
        compact!(Attend, name = "Embed_0")(words)
    }
}

/// A case: its fixture, its tolerance and its input.
fn case(id: &str) -> (Fixture, Value, Tolerance, Words) {
    let fixture = Fixture::open("layers");
    let case = fixture.case(id).clone();
    let tolerance = Tolerance::parse(case["tol"].as_str().expect("a tolerance"));
    let words = Tensor::of(&fixture.i32s(&format!("{id}/inputs/0"))).expect("six words");
    (fixture, case, tolerance, words)
}

#[test]
fn rows_of_a_table() {
    let (fixture, case, tolerance, words) = case("embed");
    let field = |field: &str| format!("embed/{field}");
    let mut params = Layer::init(&Embed::<U7, U4>::new(), key(&case), &words).params;
    let check = |field: String, tolerance| Check { fixture: &fixture, field, tolerance };
    params.visit(&Path::ROOT, &mut check(field("init/params"), Tolerance::ulp(4)));
    params.zip([], &Path::ROOT, &mut Load { fixture: &fixture, field: field("vars/params") });

    let params = RowsParams { embed_0: params };
    let out = Rows::new().apply(&params, words.clone());
    let expected: Tensor![2, 3, 4] = tensor(&fixture, &field("output"));
    tolerance.check("embed", out.as_slice(), expected.as_slice());
    let cotangent: Tensor![2, 3, 4] = tensor(&fixture, &field("cotangent"));
    let (_, gradient) =
        value_and_grad!(|params| (Rows::new().apply(params, words) * cotangent).sum(), &params);
    gradient.embed_0.visit(&Path::ROOT, &mut check(field("grad_params"), of_gradients(tolerance)));
}

#[test]
fn a_table_that_is_used_twice() {
    let (fixture, case, tolerance, words) = case("embed_tied");
    let field = |field: &str| format!("embed_tied/{field}");
    let check = |field: String, tolerance| Check { fixture: &fixture, field, tolerance };
    let mut params = Tied::new().init(key(&case)).params;
    params.visit(&Path::ROOT, &mut check(field("init/params"), Tolerance::ulp(4)));
    params.zip([], &Path::ROOT, &mut Load { fixture: &fixture, field: field("vars/params") });

    let out = Tied::new().apply(&params, words.clone());
    let expected: Tensor![2, 3, 7] = tensor(&fixture, &field("output"));
    tolerance.check("embed_tied", out.as_slice(), expected.as_slice());
    let cotangent: Tensor![2, 3, 7] = tensor(&fixture, &field("cotangent"));
    let (_, gradient) =
        value_and_grad!(|params| (Tied::new().apply(params, words) * cotangent).sum(), &params);
    gradient.visit(&Path::ROOT, &mut check(field("grad_params"), of_gradients(tolerance)));
}
