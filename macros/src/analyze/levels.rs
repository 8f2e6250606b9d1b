//! How many tangents each variable carries. A variable of level 2 is a tensor of dual numbers of dual numbers; what does not
//! depend on an argument of `jvp!` has level 0. An argument of an equation whose level is lower is lifted: its further
//! tangents are zero.

use crate::ir::{Body, Call, Eqn};

/// The level of every variable; those of the inputs are given.
pub fn levels(body: &Body, inputs: &[usize]) -> Vec<usize> {
    let mut levels = vec![0; body.vars.len()];
    for (var, &level) in body.inputs.iter().zip(inputs) {
        levels[var.0] = level;
    }
    for eqn in &body.eqns {
        let level = of_equation(eqn, &levels);
        eqn.outs.iter().for_each(|out| levels[out.0] = level);
    }
    levels
}

/// The level that an equation is computed on: that of its highest argument.
pub fn of_equation(eqn: &Eqn, levels: &[usize]) -> usize {
    let variables = match &eqn.call {
        Call::Apply { variables, .. } => variables.var(),
        _ => None,
    };
    let vars = eqn.args.iter().filter_map(|arg| arg.var()).chain(variables);
    vars.map(|var| levels[var.0]).max().unwrap_or(0)
}
