//! What can be known of a body before it is lowered.
//!
//! Enters: a body. Leaves: which variables have a cotangent ([`activity`]), how many tangents they carry ([`levels`]), and
//! which equations and which uses of a variable matter ([`liveness`]).

pub mod activity;
pub mod levels;
pub mod liveness;

use crate::ir::Body;
use activity::Need;

/// Everything that lowering asks.
pub struct Analysis {
    /// Whether each variable needs a cotangent.
    pub needs: Vec<Need>,
    /// How many tangents each variable carries.
    pub levels: Vec<usize>,
    /// Which equations are computed.
    pub live: Vec<bool>,
    /// Which equations the backward pass goes through.
    pub pulled: Vec<bool>,
}

/// Analyses a body whose inputs have the given needs and levels, and whose first `differentiated` outputs have cotangents.
pub fn analyze(body: &Body, inputs: &[Need], levels: &[usize], differentiated: usize) -> Analysis {
    let needs = activity::needs(body, inputs);
    let pulled = activity::pulled(body, &needs, differentiated);
    Analysis { live: liveness::live(body), levels: levels::levels(body, levels), needs, pulled }
}
