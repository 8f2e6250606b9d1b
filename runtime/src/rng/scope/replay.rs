//! A module's draws once more, for a forward pass that is computed again.

use super::{Counts, Place, Root, Scope};
use crate::rng::Key;
use sha1::Sha1;
use std::cell::RefCell;

/// How many streams a scope may have without allocating where it is recorded.
const STREAMS: usize = 8;

/// A scope as it was: the draws from [`Replay::scope`] are those that followed.
#[derive(Debug)]
pub struct Replay {
    streams: [Option<(&'static str, Key)>; STREAMS],
    path: Sha1,
    /// The counts of a model with more streams, or of a module that had drawn already, and its node among them.
    counts: Option<(Counts, usize)>,
}

impl Scope<'_> {
    /// Records where this module stands in its streams.
    pub fn replay(&self) -> Replay {
        let counts = &mut *self.counts().borrow_mut();
        let node = if counts.streams.is_empty() { 0 } else { self.node(counts) };
        let mut streams = [const { None }; STREAMS];
        let kept = match counts.streams.len() > STREAMS || counts.has_drawn(node) {
            true => Some((counts.duplicate(), node)),
            false => {
                for (place, (name, key)) in streams.iter_mut().zip(&counts.streams) {
                    *place = Some((*name, key.duplicate()));
                }
                None
            }
        };
        let path = if counts.streams.is_empty() { Sha1::default() } else { self.path() };
        Replay { streams, path, counts: kept }
    }
}

impl Replay {
    /// The scope as it was. Nothing is captured in it.
    pub fn scope(self) -> Scope<'static> {
        let (counts, node) = self.counts.unwrap_or_else(|| {
            let mut counts = Counts::spare();
            counts.streams.extend(self.streams.into_iter().flatten());
            (counts, 0)
        });
        Scope(Place::Replayed { root: Root(RefCell::new(counts)), path: self.path, node })
    }
}

impl Counts {
    /// Whether a module has drawn, or one inside of it.
    fn has_drawn(&self, node: usize) -> bool {
        let inside = |mut of: usize| loop {
            if of == node {
                return true;
            }
            match self.nodes[of].parent {
                Some(parent) => of = parent,
                None => return false,
            }
        };
        let streams = self.streams.len();
        (0..self.nodes.len())
            .filter(|&of| self.draws[of * streams..][..streams].iter().any(|&draws| draws > 0))
            .any(inside)
    }

    fn duplicate(&self) -> Counts {
        Counts {
            streams: self.streams.iter().map(|(name, key)| (*name, key.duplicate())).collect(),
            nodes: self.nodes.clone(),
            names: self.names.clone(),
            draws: self.draws.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a module draws, itself and in a submodule.
    fn draws(scope: &Scope) -> [[u32; 2]; 3] {
        let key = |scope: &Scope| scope.make_rng("noise").map(|key| key.words());
        [key(scope), key(&scope.child("inner")), key(scope)].map(|words| words.expect("a stream"))
    }

    #[test]
    fn the_same_draws_again() {
        let root = Scope::with_streams([("noise", Key::new(3))]);
        let block = root.child("block");
        for _ in 0..2 {
            let replay = block.replay();
            let expected = draws(&block);
            assert_eq!(draws(&replay.scope()), expected);
        }
        let element = root.element("layers", 2);
        let replay = element.replay();
        assert_eq!(draws(&replay.scope()), draws(&element));
    }

    #[test]
    fn without_streams_there_is_nothing_to_draw() {
        let root = Scope::without_streams();
        assert!(root.child("block").replay().scope().make_rng("noise").is_err());
    }
}
