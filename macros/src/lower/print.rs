//! The lowered passes as text, for the documentation of generated code and for snapshots.

use super::Lowered;
use super::backward::Contribution;
use crate::ir::print::{callee, eqn, heads, var_name};

/// The steps of the forward pass, one a line.
pub fn forward(lowered: &Lowered) -> Vec<String> {
    let body = &lowered.body;
    let steps = lowered.forward.iter().flat_map(|step| {
        let line = eqn(body, &body.eqns[step.eqn]);
        let line = if step.keeps { format!("{line}    keeps {}", body.eqns[step.eqn].label) } else { line };
        let deferred = body.eqns[step.eqn].outs.iter().any(|out| lowered.deferred.values.contains(out));
        let line = if deferred { format!("{line}    deferred") } else { line };
        std::iter::once(line).chain(inner(lowered, step.eqn, forward))
    });
    steps.collect()
}

/// The steps of the bodies inside of an equation, each body after its head.
fn inner(lowered: &Lowered, index: usize, steps: fn(&Lowered) -> Vec<String>) -> Vec<String> {
    let heads = heads(&lowered.body.eqns[index].call);
    let bodies = heads.iter().zip(&lowered.inner[index]).flat_map(|((head, _), body)| {
        let steps = steps(body).into_iter().map(|step| format!("    {step}"));
        std::iter::once(format!("  {head}")).chain(steps)
    });
    bodies.collect()
}

/// The steps of the backward pass, one a line.
pub fn backward(lowered: &Lowered) -> Vec<String> {
    let body = &lowered.body;
    let steps = lowered.backward.steps.iter().flat_map(|step| {
        let equation = &body.eqns[step.eqn];
        let read: Vec<String> =
            equation.results().iter().map(|&out| format!("d_{}", var_name(body, out))).collect();
        let mut written: Vec<String> = step.variables.iter().map(|_| "gradients".to_string()).collect();
        written.extend(step.inner.first().map(|_| "gradients".to_string()));
        written.extend(step.contributions.iter().filter_map(|contribution| match contribution {
            Contribution::Assign(var) => Some(format!("d_{}", var_name(body, *var))),
            Contribution::Add(var) => Some(format!("+d_{}", var_name(body, *var))),
            Contribution::Drop => None,
        }));
        let line =
            format!("{} = pull {}({})", written.join(", "), callee(body, &equation.call), read.join(", "));
        let line = if lowered.deferred.hands_back(step) { format!("{line}    deferred") } else { line };
        std::iter::once(line).chain(inner(lowered, step.eqn, backward))
    });
    let zeros = lowered.backward.zeros.iter().map(|&var| format!("d_{} = zeros", var_name(body, var)));
    zeros.chain(steps).collect()
}
