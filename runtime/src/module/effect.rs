//! What a call does besides computing its output, in types: the collections that it updates, the rng streams that it
//! draws from.
//!
//! A list of effects is `()`, one collection or stream, or a pair of lists. The bounds here stand on the public methods
//! only: a module inside of another need not repeat them.

/// A call that updates no collection, so that `apply` may make it.
///
/// `Call` means nothing: with it a bound is one that rustc checks where the method is called, and not before.
#[diagnostic::on_unimplemented(
    message = "this call updates the collection `{Self}`: use `apply_mut`, which returns it",
    label = "`apply` would drop what this call writes into `{Self}`",
    note = "`let (output, state) = model.apply_mut(&variables, …, rngs! {{}});`"
)]
pub trait NoUpdates<Call> {}

impl<Call> NoUpdates<Call> for () {}
impl<Call, A: NoUpdates<Call>, B: NoUpdates<Call>> NoUpdates<Call> for (A, B) {}

/// A call that draws from no rng stream, so that `apply` may make it.
///
/// `Call` means nothing: with it a bound is one that rustc checks where the method is called, and not before.
#[diagnostic::on_unimplemented(
    message = "this call draws from the rng stream `{Self}`: use `apply_mut`, which takes a key for it",
    label = "`apply` has no key for `{Self}`",
    note = "`let (output, state) = model.apply_mut(&variables, …, rngs! {{ {Self}: key }});`"
)]
pub trait NoDraws<Call> {}

impl<Call> NoDraws<Call> for () {}
impl<Call, A: NoDraws<Call>, B: NoDraws<Call>> NoDraws<Call> for (A, B) {}
