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
        let outs = of_call(eqn, &needs);
        for (out, need) in eqn.results().iter().zip(outs) {
            needs[out.0] = need;
        }
    }
    needs
}

/// The needs of what an equation yields.
fn of_call(eqn: &Eqn, needs: &[Need]) -> Vec<Need> {
    let inner = eqn.call.bodies();
    if !inner.is_empty() {
        let inputs = inputs_of_bodies(eqn, needs);
        if let Call::Loop(repeated) = &eqn.call {
            return inputs[..repeated.carried].to_vec();
        }
        let outs = inner.iter().map(|body| of_outputs(body, &inputs));
        let joined =
            outs.reduce(|all, one| all.into_iter().zip(&one).map(|(all, one)| all.or(one)).collect());
        return joined.unwrap_or_default();
    }
    let from_variables = match &eqn.call {
        Call::Submodule(_) | Call::Param(_) => Need::Yes,
        Call::Apply { variables, .. } => variables.var().map_or(Need::No, |var| needs[var.0].clone()),
        _ => Need::No,
    };
    let args = eqn.args.iter().filter_map(|arg| arg.var());
    let need = args.fold(from_variables, |need, var| need.or(&needs[var.0]));
    vec![need; eqn.outs.len()]
}

/// The needs of the results of a body.
fn of_outputs(body: &Body, inputs: &[Need]) -> Vec<Need> {
    let needs = needs(body, inputs);
    body.outputs.iter().map(|output| needs[output.0].clone()).collect()
}

/// The needs of the inputs of the bodies inside of an equation: those of its arguments. What is carried from pass to pass is
/// needed as soon as one pass makes it so.
pub fn inputs_of_bodies(eqn: &Eqn, needs: &[Need]) -> Vec<Need> {
    let need = |var: Option<Var>| var.map_or(Need::No, |var| needs[var.0].clone());
    let mut inputs: Vec<Need> = eqn.args.iter().map(|arg| need(arg.var())).collect();
    let Call::Loop(repeated) = &eqn.call else { return inputs };
    loop {
        let outs = of_outputs(&repeated.body, &inputs);
        let carried: Vec<Need> = inputs.iter().zip(&outs).map(|(input, out)| input.clone().or(out)).collect();
        if carried == inputs[..carried.len()] {
            return inputs;
        }
        inputs[..carried.len()].clone_from_slice(&carried);
    }
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
