//! Rng streams as types: the names by which a call asks for keys, and what provides them.

use super::key::Key;
use super::scope::Scope;

/// A stream of keys that a model draws from, as a type: [`dropout`], or the user's own, which [`stream!`](crate::stream)
/// declares.
///
/// A call says in its type which streams it draws from, so a stream that is missing does not compile.
pub trait Stream: 'static {
    /// Flax's name for it.
    const NAME: &'static str;
}

/// The stream that parameters are drawn from.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum params {}

/// The stream that `Dropout` draws from.
#[allow(non_camel_case_types)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum dropout {}

impl Stream for params {
    const NAME: &'static str = "params";
}

impl Stream for dropout {
    const NAME: &'static str = "dropout";
}

/// The keys of a call: what [`rngs!`](crate::rngs) makes, or a bare [`Key`], which is that of `params`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the keys of a call",
    label = "write `rngs! {{ dropout: key }}`, with a key for each stream that the call draws from"
)]
pub trait Rngs {
    /// The names of the streams.
    const STREAMS: &'static [&'static str];

    /// The root of the model that draws from these keys.
    fn scope(self) -> Scope<'static>;
}

/// Keys among which is one for a stream.
#[diagnostic::on_unimplemented(
    message = "this call needs an rng stream `{S}`, which `rngs!` does not provide",
    label = "no key for `{S}` among the keys of this call",
    note = "pass one: `rngs! {{ {S}: key }}`"
)]
pub trait Provides<S: Stream>: Rngs {}

impl Rngs for Key {
    const STREAMS: &'static [&'static str] = &[params::NAME];

    fn scope(self) -> Scope<'static> {
        Scope::root(self)
    }
}

impl Provides<params> for Key {}
