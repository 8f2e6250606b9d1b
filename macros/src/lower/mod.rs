//! A body to the steps of its passes.
//!
//! Enters: a body and its analysis. Leaves: the steps of the forward pass, which keep what backward reads, and those
//! of the backward pass: one walk over the equations in reverse; and what goes from one of them to the next before it is
//! computed.

pub mod backward;
pub mod forward;
pub mod fuse;
pub mod print;

use crate::analyze::Analysis;
use crate::analyze::activity::{Need, inputs_of_bodies};
use crate::ir::{Body, Eqn, Var};

/// A body with its passes.
pub struct Lowered {
    pub body: Body,
    pub analysis: Analysis,
    pub forward: Vec<forward::Step>,
    /// Whether each result is the last use of its variable.
    pub moved_outputs: Vec<bool>,
    pub backward: backward::Backward,
    /// What one equation hands to the next before it is computed.
    pub deferred: fuse::Deferred,
    /// For every equation the bodies inside of it.
    pub inner: Vec<Vec<Lowered>>,
    /// Whether the passes run several times, so that what they read from outside must stay there.
    pub repeated: bool,
}

/// Lowers a body; `inputs` are the needs of the inputs, `differentiated` the number of outputs with a cotangent.
pub fn lower(body: Body, inputs: &[Need], differentiated: usize) -> Lowered {
    lower_at(body, inputs, &[], differentiated)
}

/// Lowers a body whose inputs carry so many tangents.
pub fn lower_at(body: Body, inputs: &[Need], levels: &[usize], differentiated: usize) -> Lowered {
    let analysis = crate::analyze::analyze(&body, inputs, levels, differentiated);
    let inner = body.eqns.iter().map(|eqn| {
        let inputs = inputs_of_bodies(eqn, &analysis.needs);
        let bodies = eqn.call.bodies().into_iter();
        bodies.map(|body| lower(body.clone(), &inputs, body.outputs.len())).collect()
    });
    let inner: Vec<Vec<Lowered>> = inner.collect();
    let (forward, moved_outputs) = forward::forward(&body, &analysis);
    let backward = backward::backward(&body, &analysis, &inner, differentiated);
    let deferred = fuse::fuse(&body, &analysis, &forward, &backward);
    Lowered { body, analysis, forward, moved_outputs, backward, deferred, inner, repeated: false }
}

impl Lowered {
    /// The need of a variable.
    pub fn need(&self, var: Var) -> &Need {
        &self.analysis.needs[var.0]
    }

    /// The needs of the arguments of an equation; what comes from outside has none.
    pub fn argument_needs(&self, eqn: &Eqn) -> Vec<Need> {
        let need = |var: Option<Var>| var.map_or(Need::No, |var| self.need(var).clone());
        eqn.args.iter().map(|arg| need(arg.var())).collect()
    }

    /// How many tangents a variable carries.
    pub fn level(&self, var: Var) -> usize {
        self.analysis.levels[var.0]
    }

    /// The level that an equation is computed on.
    pub fn level_of_equation(&self, eqn: &Eqn) -> usize {
        crate::analyze::levels::of_equation(eqn, &self.analysis.levels)
    }

    /// The need of what an equation yields.
    pub fn result_need(&self, eqn: &Eqn) -> &Need {
        self.need(eqn.outs[0])
    }
}
