//! What is used, and where for the last time: the last use of a value moves it, so that an op may overwrite it.

use crate::ir::{Body, Var};
use std::collections::BTreeSet;

/// Which equations lead to an output or have an effect. The others are not computed.
pub fn live(body: &Body) -> Vec<bool> {
    let mut used: BTreeSet<Var> = body.outputs.iter().copied().collect();
    let mut live = vec![false; body.eqns.len()];
    for (index, eqn) in body.eqns.iter().enumerate().rev() {
        if eqn.call.has_effect() || eqn.outs.iter().any(|out| used.contains(out)) {
            live[index] = true;
            used.extend(eqn.reads());
        }
    }
    live
}

/// For every use in a sequence, whether it is the last one of its variable.
pub fn last_uses(uses: &[Option<Var>]) -> Vec<bool> {
    let mut seen = BTreeSet::new();
    let mut last: Vec<bool> = uses.iter().rev().map(|var| var.is_none_or(|var| seen.insert(var))).collect();
    last.reverse();
    last
}
