//! What depends on a parameter or on an input that is differentiated by. Nothing else gets a cotangent: the
//! cotangent of a model's input, the largest of all, is computed only for who asks for it.

use crate::ir::{Body, Call, Eqn, Var};
use std::collections::BTreeSet;

/// Whether a variable needs a cotangent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Never.
    No,
    /// Always.
    Yes,
    /// If the caller needs the cotangent of one of these inputs.
    Inputs(BTreeSet<usize>),
}

impl Need {
    /// The need of one input, which the caller decides.
    pub fn input(index: usize) -> Self {
        Need::Inputs(BTreeSet::from([index]))
    }

    /// Needed if one of the two is.
    fn or(self, other: &Need) -> Need {
        match (self, other) {
            (Need::Yes, _) | (_, Need::Yes) => Need::Yes,
            (Need::No, need) => need.clone(),
            (need, Need::No) => need,
            (Need::Inputs(a), Need::Inputs(b)) => Need::Inputs(&a | b),
        }
    }
}

/// The need of every variable.
pub fn needs(body: &Body, inputs: &[Need]) -> Vec<Need> {
    let mut needs = vec![Need::No; body.vars.len()];
    for (var, need) in body.inputs.iter().zip(inputs) {
        needs[var.0] = need.clone();
    }
    for eqn in &body.eqns {
        let need = of_call(eqn, &needs);
        for out in eqn.results() {
            needs[out.0] = need.clone();
        }
    }
    needs
}

fn of_call(eqn: &Eqn, needs: &[Need]) -> Need {
    let from_variables = match &eqn.call {
        Call::Submodule(_) | Call::Param(_) => Need::Yes,
        Call::Apply { variables, .. } => variables.var().map_or(Need::No, |var| needs[var.0].clone()),
        _ => Need::No,
    };
    let args = eqn.args.iter().filter_map(|arg| arg.var());
    args.fold(from_variables, |need, var| need.or(&needs[var.0]))
}

/// Which equations lie between something that needs a cotangent and a differentiated output.
pub fn pulled(body: &Body, needs: &[Need], differentiated: usize) -> Vec<bool> {
    let mut reached: BTreeSet<Var> = body.outputs.iter().take(differentiated).copied().collect();
    let mut pulled = vec![false; body.eqns.len()];
    for (index, eqn) in body.eqns.iter().enumerate().rev() {
        let active = eqn.outs.iter().any(|out| reached.contains(out) && needs[out.0] != Need::No);
        if active {
            pulled[index] = true;
            reached
                .extend(eqn.args.iter().filter_map(|arg| arg.var()).filter(|var| needs[var.0] != Need::No));
        }
    }
    pulled
}
