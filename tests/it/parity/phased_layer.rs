//! One layer that behaves differently in training against its cases of `tests/fixtures/layers`.

use flaxen::Tensor;
use flaxen::module::{Module, Phase, Trainable};
use flaxen::op::{No, Yes};
use flaxen::rng::{Key, Scope};
use flaxen::shape::StaticShape;
use flaxen::tree::{Path, Tree};
use flaxen_tests::{Fixture, Tolerance};

use super::key;
use super::layer::{Check, Load, of_gradients, tensor};

/// A case: `init`, `infer`, `forward` and `backward`, with the variables of the case and the state that the call leaves.
#[track_caller]
pub fn check_phased<X, P, M>(id: &str, module: M, phase: P)
where
    X: StaticShape,
    P: Phase,
    M: Module<(Tensor<X>, P), Out = Tensor<X>> + Trainable<(Tensor<X>, P), (Yes, No)>,
{
    let fixture = Fixture::open("layers");
    let case = fixture.case(id);
    let tolerance = Tolerance::parse(case["tol"].as_str().expect("a tolerance"));
    fn check(fixture: &Fixture, field: String, tolerance: Tolerance, tree: &impl Tree) {
        tree.visit(&Path::ROOT, &mut Check { fixture, field, tolerance });
    }

    let (mut params, mut state) = module.init(&Scope::root(key(case)));
    check(&fixture, format!("{id}/init/params"), Tolerance::EXACT, &params);
    check(&fixture, format!("{id}/init/batch_stats"), Tolerance::EXACT, &state);
    let field = format!("{id}/vars/params");
    params.zip([], &Path::ROOT, &mut Load { fixture: &fixture, field });
    let field = format!("{id}/vars/batch_stats");
    state.zip([], &Path::ROOT, &mut Load { fixture: &fixture, field });

    let seed = case["seed"].as_u64().expect("a seed") + 2;
    let scope = || Scope::with_streams([("dropout", Key::with_layout(seed, key(case).layout()))]);
    let x: Tensor<X> = tensor(&fixture, &format!("{id}/inputs/0"));
    let expected: Tensor<X> = tensor(&fixture, &format!("{id}/output"));
    let inferred = module.infer(&params, &mut state.clone(), &scope(), (x.clone(), phase));
    tolerance.check(id, inferred.as_slice(), expected.as_slice());

    let before = state.clone();
    let (y, residuals) = module.forward(&params, &mut state, &scope(), (x, phase));
    assert_eq!(y, inferred, "{id}: forward gives what infer gives");
    match case["mutable"].as_array().is_some_and(|mutable| !mutable.is_empty()) {
        true => check(&fixture, format!("{id}/updates/batch_stats"), tolerance, &state),
        false => assert_eq!(state, before, "{id}: the state stays"),
    }
    let (gradient, (dx, ())) =
        module.backward(&params, residuals, tensor(&fixture, &format!("{id}/cotangent")));
    check(&fixture, format!("{id}/grad_params"), of_gradients(tolerance), &gradient);
    let expected: Tensor<X> = tensor(&fixture, &format!("{id}/grad_inputs/0"));
    of_gradients(tolerance).check(id, dx.as_slice(), expected.as_slice());
}
