//! What must hold of a body after every stage.

use super::{Body, Call, Var};
use std::collections::BTreeSet;

/// The first rule that a body breaks, in words.
pub fn verify(body: &Body) -> Result<(), String> {
    let mut bound: BTreeSet<Var> = body.inputs.iter().copied().collect();
    if bound.len() < body.inputs.len() {
        return Err("an input is bound twice".to_string());
    }
    let read = |bound: &BTreeSet<Var>, var: Var, place: &str| match bound.contains(&var) {
        true => Ok(()),
        false => Err(format!("{place} reads variable {} before it is bound", var.0)),
    };
    let mut labels = BTreeSet::new();
    for eqn in &body.eqns {
        for var in eqn.reads() {
            read(&bound, var, &eqn.label)?;
        }
        match &eqn.call {
            Call::Submodule(index) if *index >= body.submodules.len() => {
                return Err(format!("{} calls submodule {index}, which does not exist", eqn.label));
            }
            Call::Param(index) if *index >= body.params.len() || !eqn.args.is_empty() => {
                return Err(format!("{} is not a parameter", eqn.label));
            }
            Call::Variable(index) | Call::Write { variable: index, .. } if *index >= body.variables.len() => {
                return Err(format!("{} is about variable {index}, which does not exist", eqn.label));
            }
            Call::Apply { variables, .. } => {
                variables.var().map_or(Ok(()), |var| read(&bound, var, &eqn.label))?;
            }
            Call::Loop(repeated) if repeated.body.outputs.len() != eqn.outs.len() => {
                return Err(format!("{} carries something that it does not give back", eqn.label));
            }
            Call::Transform(closure) => verify(&closure.body)?,
            _ => {}
        }
        for inner in eqn.call.bodies() {
            verify(inner).map_err(|error| format!("in {}: {error}", eqn.label))?;
            if inner.inputs.len() != eqn.args.len() || inner.outputs.len() != eqn.outs.len() {
                return Err(format!("{} and a body inside of it differ in their numbers", eqn.label));
            }
        }
        for &out in &eqn.outs {
            if out.0 >= body.vars.len() || !bound.insert(out) {
                return Err(format!("{} binds variable {} a second time", eqn.label, out.0));
            }
        }
        if !labels.insert(&eqn.label) {
            return Err(format!("two equations are called {}", eqn.label));
        }
    }
    body.outputs.iter().try_for_each(|&var| read(&bound, var, "the result"))
}
