//! What a call does besides computing its output, in types: the collections that it updates, the rng streams that it
//! draws from.
//!
//! A list of effects is `()`, one collection or stream, or a pair of lists. The bounds here stand on the public methods
//! only: a module inside of another need not repeat them.

use crate::rng::{Provides, Rngs, Stream, params};
use crate::shape::Message;

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

/// A call that draws from no other streams than those that `R` has keys for, so that `apply_mut` may make it.
pub trait DrawsFrom<R> {
    /// The streams that it draws from.
    const STREAMS: Streams;
}

impl<R> DrawsFrom<R> for () {
    const STREAMS: Streams = Streams::All { of: &[] };
}

impl<R, A: DrawsFrom<R>, B: DrawsFrom<R>> DrawsFrom<R> for (A, B) {
    const STREAMS: Streams = Streams::All { of: &[A::STREAMS, B::STREAMS] };
}

impl<S: Stream, R: Provides<S>> DrawsFrom<R> for S {
    const STREAMS: Streams = Streams::One { name: S::NAME };
}

/// The names of the streams that a call draws from. They are looked at while the program is compiled.
#[derive(Clone, Copy, Debug)]
pub enum Streams {
    /// One stream.
    One {
        /// Its name.
        name: &'static str,
    },
    /// Those of several lists.
    All {
        /// The lists.
        of: &'static [Streams],
    },
}

impl Streams {
    /// Refuses to compile if a key is given for a stream that is never drawn from: a mistyped name, or a dropout that was
    /// taken out of the model.
    pub const fn use_all_of<R: Rngs>(self) {
        let mut given = 0;
        while given < R::STREAMS.len() {
            self.use_stream(R::STREAMS[given]);
            given += 1;
        }
    }

    /// The same for a call that draws variables from `params` first.
    pub const fn use_all_besides_params_of<R: Rngs>(self) {
        let mut given = 0;
        while given < R::STREAMS.len() {
            if !same(R::STREAMS[given].as_bytes(), params::NAME.as_bytes()) {
                self.use_stream(R::STREAMS[given]);
            }
            given += 1;
        }
    }

    const fn use_stream(&self, stream: &str) {
        if !self.contain(stream) {
            let message = Message::new("`rngs!` provides the stream `").text(stream);
            let message = message.text("`, but this call never draws from it: leave it out");
            panic!("{}", message.as_str());
        }
    }

    const fn contain(&self, stream: &str) -> bool {
        match self {
            Streams::One { name } => same(name.as_bytes(), stream.as_bytes()),
            Streams::All { of } => {
                let mut list = 0;
                while list < of.len() {
                    if of[list].contain(stream) {
                        return true;
                    }
                    list += 1;
                }
                false
            }
        }
    }
}

/// Whether two texts are equal, in a constant.
const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Key, dropout, params};

    #[test]
    fn a_list_knows_its_streams() {
        let none = <() as DrawsFrom<Key>>::STREAMS;
        assert!(!none.contain("params"));
        let nested = <((), (params, ())) as DrawsFrom<Key>>::STREAMS;
        assert!(nested.contain("params") && !nested.contain("param") && !nested.contain(dropout::NAME));
        nested.use_all_of::<Key>();
    }

    #[test]
    #[should_panic = "`rngs!` provides the stream `params`, but this call never draws from it: leave it out"]
    fn a_stream_that_is_never_drawn_from() {
        <() as DrawsFrom<Key>>::STREAMS.use_all_of::<Key>();
    }
}
