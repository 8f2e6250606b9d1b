//! What must hold of a body after every stage.

use super::{Body, Call, Var};
use std::collections::BTreeSet;

/// The first rule that a body breaks, in words.
pub fn verify(body: &Body) -> Result<(), String> {
    let mut bound: BTreeSet<Var> = body.inputs.iter().copied().collect();
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
            Call::Transform(closure) => verify(&closure.body)?,
            _ => {}
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
