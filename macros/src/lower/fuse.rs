//! Which values go from one equation to the next before they are computed, so that the two may become one loop.
//!
//! What becomes of it is the ops' business, which decide by type. Here it only counts that nobody else reads the value, or
//! contributes to the cotangent, and that nothing is computed in between.

use super::backward::{self, Backward, Contribution};
use super::forward;
use crate::analyze::Analysis;
use crate::analyze::activity::Need;
use crate::ir::{Arg, Body, Call, Eqn, Var};
use std::collections::BTreeSet;

/// What is handed over before it is computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deferred {
    /// Values, in the forward pass and in inference.
    pub values: BTreeSet<Var>,
    /// Variables whose cotangents are.
    pub cotangents: BTreeSet<Var>,
}

impl Deferred {
    /// Whether a step hands the cotangent that it makes to the next.
    pub fn hands_back(&self, step: &backward::Step) -> bool {
        step.contributions.iter().any(|contribution| match contribution {
            Contribution::Assign(var) => self.cotangents.contains(var),
            _ => false,
        })
    }
}

/// The values and cotangents of a body that are handed over.
pub fn fuse(body: &Body, analysis: &Analysis, forward: &[forward::Step], backward: &Backward) -> Deferred {
    let (rule, uses) = (Rule { body, analysis }, uses(body, forward));
    let used_once = |var: Var| uses.iter().filter(|&&used| used == var).count() == 1;
    let value = |pair: &[forward::Step]| match pair {
        [from, to] => rule.value(from.eqn, to.eqn).filter(|&var| used_once(var)),
        _ => None,
    };
    let cotangent = |pair: &[backward::Step]| match pair {
        [from, to] => rule.cotangent(from, to),
        _ => None,
    };
    let has_value = |var: &Var| !backward.zeros.contains(var);
    Deferred {
        values: forward.windows(2).filter_map(value).filter(has_value).collect(),
        cotangents: backward.steps.windows(2).filter_map(cotangent).collect(),
    }
}

/// All that is read of the live equations' variables, with the results.
fn uses(body: &Body, forward: &[forward::Step]) -> Vec<Var> {
    let variables = |eqn: &Eqn| match &eqn.call {
        Call::Apply { variables, .. } => variables.var(),
        _ => None,
    };
    let of_equations = forward.iter().map(|step| &body.eqns[step.eqn]);
    let of_equations = of_equations.flat_map(|eqn| eqn.reads().chain(variables(eqn)).collect::<Vec<_>>());
    let of_regions = body.regions.iter().flat_map(|region| &region.values).flat_map(|&(a, b)| [a, b]);
    of_equations.chain(of_regions).chain(body.outputs.iter().copied()).collect()
}

struct Rule<'a> {
    body: &'a Body,
    analysis: &'a Analysis,
}

impl Rule<'_> {
    /// The value that one equation hands to the next.
    fn value(&self, from: usize, to: usize) -> Option<Var> {
        let inside = |eqn: usize| self.body.regions.iter().any(|region| region.eqns.contains(&eqn));
        let (maker, &[out]) = (&self.body.eqns[from], self.body.eqns[from].outs.as_slice()) else {
            return None;
        };
        let makes = matches!(maker.call, Call::Op { .. } | Call::Submodule(_)) && !self.is_conditional(maker);
        let takes = self.argument_of_unary(to) == Some(out);
        (makes && takes && !inside(from) && !inside(to)).then_some(out)
    }

    /// The variable whose cotangent one step hands to the next.
    fn cotangent(&self, from: &backward::Step, to: &backward::Step) -> Option<Var> {
        let &[Contribution::Assign(var)] = from.contributions.as_slice() else { return None };
        let makes = self.argument_of_unary(from.eqn) == Some(var);
        let takes = self.argument_of_unary(to.eqn).is_some() && self.body.eqns[to.eqn].outs == [var];
        (makes && takes).then_some(var)
    }

    /// The only argument of an op with one result.
    fn argument_of_unary(&self, eqn: usize) -> Option<Var> {
        let eqn = &self.body.eqns[eqn];
        match (&eqn.call, eqn.args.as_slice(), eqn.outs.as_slice()) {
            (Call::Op { .. }, &[Arg::Var(var)], [_]) if !self.is_conditional(eqn) => Some(var),
            _ => None,
        }
    }

    /// Whether the caller decides if an op is differentiated.
    fn is_conditional(&self, eqn: &Eqn) -> bool {
        eqn.outs.iter().any(|out| matches!(self.analysis.needs[out.0], Need::Inputs(_)))
    }
}
