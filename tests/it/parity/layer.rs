//! One layer against the cases of `tests/fixtures/layers`: its initial parameters, its output and its gradients.

use flaxen::Tensor;
use flaxen::module::{Module, Trainable};
use flaxen::op::{Differentiable, Op, Yes};
use flaxen::rng::Scope;
use flaxen::shape::{Shape, StaticShape};
use flaxen::tensor::Float;
use flaxen::tree::{Path, Tree, Visit, Zip};
use flaxen_tests::{Fixture, Tolerance};

use super::key;

/// An array of a case as a tensor; its sizes must be those of the type.
pub fn tensor<S: StaticShape>(fixture: &Fixture, name: &str) -> Tensor<S> {
    let shape = S::default();
    assert_eq!(fixture.sizes(name), shape.sizes().as_ref(), "{name}");
    Tensor::from_slice(shape, &fixture.f32s(name)).expect("as many elements as the sizes say")
}

/// Compares every leaf with the array of its path below `field`.
pub struct Check<'a> {
    pub fixture: &'a Fixture,
    pub field: String,
    pub tolerance: Tolerance,
}

impl Visit for Check<'_> {
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
        let name = format!("{}/{path}", self.field);
        let got: Vec<f32> = leaf.as_slice().iter().map(|x| x.to_f64() as f32).collect();
        assert_eq!(self.fixture.sizes(&name), leaf.sizes().as_ref(), "{name}");
        self.tolerance.check(&name, &got, &self.fixture.f32s(&name));
    }
}

/// Reads every leaf from the array of its path below `field`.
pub struct Load<'a> {
    pub fixture: &'a Fixture,
    pub field: String,
}

impl Zip<0> for Load<'_> {
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &mut Tensor<S, E>, []: [&mut Tensor<S, E>; 0]) {
        let values = self.fixture.f32s(&format!("{}/{path}", self.field));
        let leaf = leaf.as_mut_slice().iter_mut();
        leaf.zip(values).for_each(|(leaf, value)| *leaf = E::from_f64(value.into()));
    }
}

/// Ten times the tolerance of the output, as the fixtures' README says.
pub fn of_gradients(tolerance: Tolerance) -> Tolerance {
    Tolerance::close(10.0 * tolerance.rtol, 10.0 * tolerance.atol)
}

/// A module's case: `init`, `infer`, `forward` and `backward`.
#[track_caller]
pub fn check_module<X, Y, M>(id: &str, module: M)
where
    X: StaticShape,
    Y: StaticShape,
    M: Module<Tensor<X>, Out = Tensor<Y>, State = ()> + Trainable<Tensor<X>, Yes>,
{
    let fixture = Fixture::open("layers");
    let case = fixture.case(id);
    let tolerance = Tolerance::parse(case["tol"].as_str().expect("a tolerance"));
    let check = |field: &str, tolerance, params: &M::Params| {
        let field = format!("{id}/{field}");
        params.visit(&Path::ROOT, &mut Check { fixture: &fixture, field, tolerance });
    };

    let (mut params, ()) = module.init(&Scope::root(key(case)));
    let paths: Vec<String> =
        params.leaves().into_iter().map(|leaf| format!("params/{}", leaf.path)).collect();
    let order: Vec<String> = serde_json::from_value(case["init_order"].clone()).expect("a list of paths");
    assert_eq!(paths, order, "{id}");
    check("init/params", Tolerance::ulp(4), &params);

    params.zip([], &Path::ROOT, &mut Load { fixture: &fixture, field: format!("{id}/vars/params") });
    let x: Tensor<X> = tensor(&fixture, &format!("{id}/inputs/0"));
    let expected: Tensor<Y> = tensor(&fixture, &format!("{id}/output"));
    let scope = Scope::without_streams();
    let inferred = module.infer(&params, &mut (), &scope, x.clone());
    tolerance.check(id, inferred.as_slice(), expected.as_slice());

    let (y, residuals) = module.forward(&params, &mut (), &scope, x);
    assert_eq!(y, inferred, "{id}: forward gives what infer gives");
    let (gradient, dx) = module.backward(&params, residuals, tensor(&fixture, &format!("{id}/cotangent")));
    check("grad_params", of_gradients(tolerance), &gradient);
    let expected: Tensor<X> = tensor(&fixture, &format!("{id}/grad_inputs/0"));
    of_gradients(tolerance).check(id, dx.as_slice(), expected.as_slice());
}

/// The case of a function of one input.
#[track_caller]
pub fn check_op<X, Y, O>(id: &str, op: O)
where
    X: StaticShape,
    Y: StaticShape,
    O: Op<Tensor<X>, Out = Tensor<Y>> + Differentiable<Tensor<X>, Yes>,
{
    let fixture = Fixture::open("layers");
    let tolerance = Tolerance::parse(fixture.case(id)["tol"].as_str().expect("a tolerance"));
    let array = |field: &str| format!("{id}/{field}");
    let (y, residuals) = op.forward(tensor(&fixture, &array("inputs/0")));
    tolerance.check(id, y.as_slice(), tensor::<Y>(&fixture, &array("output")).as_slice());
    let dx = op.backward(residuals, tensor(&fixture, &array("cotangent")));
    of_gradients(tolerance).check(
        id,
        dx.as_slice(),
        tensor::<X>(&fixture, &array("grad_inputs/0")).as_slice(),
    );
}
