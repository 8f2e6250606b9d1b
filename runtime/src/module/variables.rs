//! What `init` returns: a module's variables, by collection.

use serde::{Deserialize, Serialize};

/// The variables of a module.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Variables<P> {
    /// The parameters, which training changes.
    pub params: P,
}

impl<P: std::fmt::Debug> std::fmt::Debug for Variables<P> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_map().entry(&format_args!("params"), &self.params).finish()
    }
}

/// What `apply` takes: the [`Variables`] of a module whose parameters are `P`, or just those parameters.
#[diagnostic::on_unimplemented(
    message = "these are not the variables of this model: `{Self}`",
    label = "this model's parameters are `{P}`"
)]
pub trait Collections<P> {
    /// The `params` collection.
    fn params(&self) -> &P;
}

impl<P> Collections<P> for Variables<P> {
    fn params(&self) -> &P {
        &self.params
    }
}

impl<P> Collections<P> for P {
    fn params(&self) -> &P {
        self
    }
}
