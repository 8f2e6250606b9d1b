//! The backward pass: one reverse walk. Each equation reads the cotangents of what it yields and contributes to the
//! cotangents of its arguments; a first contribution assigns, a later one adds.

use super::Lowered;
use crate::analyze::Analysis;
use crate::analyze::activity::Need;
use crate::ir::{Arg, Body, Call, Var};
use std::collections::BTreeSet;

/// What becomes of a contribution to a cotangent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Contribution {
    /// It is the first one.
    Assign(Var),
    /// There is one already.
    Add(Var),
    /// Nobody needs it.
    Drop,
}

/// One step of the backward pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The equation.
    pub eqn: usize,
    /// For every argument.
    pub contributions: Vec<Contribution>,
    /// For the variables that the call reads: whether this gradient is the first one. `None` if it is dropped.
    pub variables: Option<Gradient>,
    /// The submodules and parameters that the bodies inside of the equation go through.
    pub inner: Vec<(Tree, Gradient)>,
}

/// What becomes of the gradient of a submodule, a parameter, or a model's variables.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gradient {
    /// It is the first one.
    Assign,
    /// There is one already.
    Add,
}

/// The backward pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Backward {
    /// The steps, the last equation first.
    pub steps: Vec<Step>,
    /// Variables with a cotangent that nothing contributes to: it is zero, in the shape that forward keeps.
    pub zeros: Vec<Var>,
    /// How the cotangents of the outputs begin: an output returned twice adds.
    pub outputs: Vec<Contribution>,
}

/// Lowers the backward pass.
pub fn backward(body: &Body, analysis: &Analysis, inner: &[Vec<Lowered>], differentiated: usize) -> Backward {
    let mut walk = Walk { analysis, assigned: BTreeSet::new(), trees: BTreeSet::new() };
    let outputs = body.outputs.iter().take(differentiated).map(|&var| walk.contribute(Some(var))).collect();
    let mut backward = Backward { outputs, ..Backward::default() };
    for (index, eqn) in body.eqns.iter().enumerate().rev().filter(|(index, _)| analysis.pulled[*index]) {
        let unused = eqn
            .results()
            .iter()
            .filter(|out| !walk.assigned.contains(out) && analysis.needs[out.0] != Need::No);
        backward.zeros.extend(unused);
        walk.assigned.extend(eqn.results());
        let variables = match &eqn.call {
            Call::Submodule(of) => Some(walk.gradient(Tree::Submodule(*of))),
            Call::Param(of) => Some(walk.gradient(Tree::Param(*of))),
            Call::Apply { variables: Arg::Var(var), .. } if analysis.needs[var.0] != Need::No => {
                Some(walk.gradient(Tree::Var(*var)))
            }
            _ => None,
        };
        let touched = touched(&inner[index]).into_iter().map(|tree| (tree, walk.gradient(tree))).collect();
        let contributions = eqn.args.iter().map(|arg| walk.contribute(arg.var())).collect();
        backward.steps.push(Step { eqn: index, contributions, variables, inner: touched });
    }
    let untouched = body.inputs.iter().filter(|&&var| {
        !body.info(var).is_tree && analysis.needs[var.0] != Need::No && !walk.assigned.contains(&var)
    });
    backward.zeros.extend(untouched);
    backward
}

/// The submodules and parameters that a backward pass goes through.
pub fn touched(bodies: &[Lowered]) -> BTreeSet<Tree> {
    let steps = bodies.iter().flat_map(|body| body.backward.steps.iter().map(move |step| (body, step)));
    let trees = steps.flat_map(|(body, step)| {
        let own = match &body.body.eqns[step.eqn].call {
            Call::Submodule(of) => Some(Tree::Submodule(*of)),
            Call::Param(of) => Some(Tree::Param(*of)),
            _ => None,
        };
        own.into_iter().chain(step.inner.iter().map(|(tree, _)| *tree))
    });
    trees.collect()
}

/// What has a gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tree {
    /// The parameters of a submodule.
    Submodule(usize),
    /// A parameter.
    Param(usize),
    /// A model's variables.
    Var(Var),
}

struct Walk<'a> {
    analysis: &'a Analysis,
    assigned: BTreeSet<Var>,
    trees: BTreeSet<Tree>,
}

impl Walk<'_> {
    fn contribute(&mut self, var: Option<Var>) -> Contribution {
        match var {
            Some(var) if self.analysis.needs[var.0] == Need::No => Contribution::Drop,
            Some(var) if self.assigned.insert(var) => Contribution::Assign(var),
            Some(var) => Contribution::Add(var),
            None => Contribution::Drop,
        }
    }

    fn gradient(&mut self, tree: Tree) -> Gradient {
        if self.trees.insert(tree) { Gradient::Assign } else { Gradient::Add }
    }
}
