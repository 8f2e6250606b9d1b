//! The forward pass: the live equations in order.

use crate::analyze::Analysis;
use crate::analyze::liveness::last_uses;
use crate::ir::{Body, Var};

/// One step of the forward pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The equation.
    pub eqn: usize,
    /// Whether the backward pass goes through it, so that it keeps residuals.
    pub keeps: bool,
    /// Whether each argument is the last use of its variable, so that it moves.
    pub moves: Vec<bool>,
}

/// The steps, and whether each result moves.
pub fn forward(body: &Body, analysis: &Analysis) -> (Vec<Step>, Vec<bool>) {
    let live: Vec<usize> = (0..body.eqns.len()).filter(|&eqn| analysis.live[eqn]).collect();
    let args = live.iter().flat_map(|&eqn| &body.eqns[eqn].args).map(|arg| arg.var());
    let uses: Vec<Option<Var>> = args.chain(body.outputs.iter().map(|&var| Some(var))).collect();
    let mut last = last_uses(&uses).into_iter();
    let steps = live.into_iter().map(|eqn| Step {
        eqn,
        keeps: analysis.pulled[eqn],
        moves: last.by_ref().take(body.eqns[eqn].args.len()).collect(),
    });
    let steps = steps.collect();
    (steps, last.collect())
}
