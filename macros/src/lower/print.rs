//! The lowered passes as text, for the documentation of generated code and for snapshots.

use super::Lowered;
use super::backward::Contribution;
use crate::ir::print::{callee, eqn, var_name};

/// The steps of the forward pass, one a line.
pub fn forward(lowered: &Lowered) -> Vec<String> {
    let body = &lowered.body;
    let steps = lowered.forward.iter().map(|step| {
        let line = eqn(body, &body.eqns[step.eqn]);
        if step.keeps { format!("{line}    keeps {}", body.eqns[step.eqn].label) } else { line }
    });
    steps.collect()
}

/// The steps of the backward pass, one a line.
pub fn backward(lowered: &Lowered) -> Vec<String> {
    let body = &lowered.body;
    let steps = lowered.backward.steps.iter().map(|step| {
        let equation = &body.eqns[step.eqn];
        let read: Vec<String> =
            equation.results().iter().map(|&out| format!("d_{}", var_name(body, out))).collect();
        let mut written: Vec<String> = step.variables.iter().map(|_| "gradients".to_string()).collect();
        written.extend(step.contributions.iter().filter_map(|contribution| match contribution {
            Contribution::Assign(var) => Some(format!("d_{}", var_name(body, *var))),
            Contribution::Add(var) => Some(format!("+d_{}", var_name(body, *var))),
            Contribution::Drop => None,
        }));
        format!("{} = pull {}({})", written.join(", "), callee(body, &equation.call), read.join(", "))
    });
    let zeros = lowered.backward.zeros.iter().map(|&var| format!("d_{} = zeros", var_name(body, var)));
    zeros.chain(steps).collect()
}
