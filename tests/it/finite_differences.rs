//! Gradients against central differences, in f64.

use flaxen::module::{Module, Stateless, Trainable};
use flaxen::op::{Needs, Yes};
use flaxen::rng::Scope;
use flaxen::shape::Shape;
use flaxen::tensor::{Float, Tensor};
use flaxen::tree::{Path, Tree, Visit, Zip};

/// The step of a difference. Its error is about the square of this, and rounding adds 1e-16 divided by this.
const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-7;

/// Checks the gradient of a module of one input with respect to every parameter and every element of the input.
#[track_caller]
pub fn check_module<In, Out, M>(module: &M, params: M::Params, input: In)
where
    In: Tree,
    Out: Tree,
    M: Module<In, Out = Out, State: Stateless> + Trainable<In, Yes>,
{
    check_inputs::<In, Out, M, Yes>(module, params, input);
}

/// The same for a module of several inputs, all of which `N` says to be needed.
#[track_caller]
pub fn check_inputs<In, Out, M, N>(module: &M, params: M::Params, input: In)
where
    In: Tree,
    Out: Tree,
    N: Needs<In, Cotangents = In>,
    M: Module<In, Out = Out, State: Stateless> + Trainable<In, N>,
{
    let scope = Scope::without_streams();
    check(
        (params, input),
        |(params, input)| module.infer(&params, &mut stateless(), &scope, input),
        |(params, input), cotangent| {
            let state = &mut stateless();
            let (out, residuals) = module.forward(&params, state, &scope, input.clone());
            assert_eq!(out, module.infer(&params, state, &scope, input), "forward gives what infer gives");
            module.backward(&params, residuals, cotangent(&out))
        },
    );
}

/// The state of a module that has none.
pub fn stateless<S: Stateless>() -> S {
    S::stateless()
}

/// Checks the gradient of the sum of all outputs, each multiplied by a weight of its own. `gradient` gets the function that
/// makes the cotangent of the outputs, which are these weights.
#[track_caller]
pub fn check<At: Tree, Out: Tree>(
    at: At,
    function: impl Fn(At) -> Out,
    gradient: impl Fn(At, fn(&Out) -> Out) -> At,
) {
    let gradient = Elements::of(&gradient(at.clone(), weights));
    assert_eq!(gradient.0.len(), at.elements(), "a number for each element");
    assert!(!gradient.0.is_empty(), "nothing to check");
    for (index, (place, got)) in gradient.0.iter().enumerate() {
        let loss = |by| {
            let out = function(moved(&at, index, by));
            let weights = Elements::of(&weights(&out)).0;
            let terms = Elements::of(&out).0.into_iter().zip(weights);
            terms.map(|((_, out), (_, weight))| out * weight).sum::<f64>()
        };
        let expected = (loss(STEP) - loss(-STEP)) / (2.0 * STEP);
        assert!(
            (got - expected).abs() <= TOLERANCE * (1.0 + expected.abs()),
            "the gradient of {place} is {got}, and by finite differences {expected}"
        );
    }
}

/// A tree with the shapes of this one, and a different number at every place.
pub fn weights<T: Tree>(like: &T) -> T {
    struct Fill(u32);
    impl Zip<0> for Fill {
        fn leaf<S: Shape, E: Float>(
            &mut self,
            _: &Path,
            leaf: &mut Tensor<S, E>,
            []: [&mut Tensor<S, E>; 0],
        ) {
            for x in leaf.as_mut_slice() {
                self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *x = E::from_f64(f64::from(self.0) / f64::from(u32::MAX) - 0.5);
            }
        }
    }
    let mut weights = like.clone();
    weights.zip([], &Path::ROOT, &mut Fill(weights.elements() as u32));
    weights
}

/// The tree with one element changed.
fn moved<T: Tree>(tree: &T, index: usize, by: f64) -> T {
    struct Move {
        elements_before: usize,
        by: f64,
    }
    impl Zip<0> for Move {
        fn leaf<S: Shape, E: Float>(
            &mut self,
            _: &Path,
            leaf: &mut Tensor<S, E>,
            []: [&mut Tensor<S, E>; 0],
        ) {
            let len = leaf.as_slice().len();
            if self.elements_before < len {
                leaf.as_mut_slice()[self.elements_before] += E::from_f64(self.by);
            }
            // Beyond the end of every later leaf.
            self.elements_before = self.elements_before.checked_sub(len).unwrap_or(usize::MAX);
        }
    }
    let mut tree = tree.clone();
    tree.zip([], &Path::ROOT, &mut Move { elements_before: index, by });
    tree
}

/// All elements of a tree, each with its place.
struct Elements(Vec<(String, f64)>);

impl Elements {
    fn of(tree: &impl Tree) -> Self {
        let mut elements = Elements(Vec::new());
        tree.visit(&Path::ROOT, &mut elements);
        elements
    }
}

impl Visit for Elements {
    fn leaf<S: Shape, E: Float>(&mut self, path: &Path, leaf: &Tensor<S, E>) {
        assert_eq!(E::NAME, "f64", "differences of f32 say little");
        let elements = leaf.as_slice().iter().enumerate();
        self.0.extend(elements.map(|(index, x)| (format!("{path}[{index}]"), x.to_f64())));
    }
}

#[test]
#[should_panic = "the gradient of 0[1] is 4"]
fn a_wrong_gradient_is_found() {
    let x = Tensor::<(flaxen::names::U2,), f64>::of(&[1.0, 2.0]).expect("two elements");
    check(
        (x,),
        |(x,)| (&x * &x,),
        |(x,), cotangent| {
            let y = cotangent(&(x.clone(),)).0;
            let mut gradient = &x * &y * 2.0;
            gradient.as_mut_slice()[1] = 4.0;
            (gradient,)
        },
    );
}
