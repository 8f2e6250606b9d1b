//! How Flax derives the key of each variable and of each draw from the path of its module.

mod replay;

pub use replay::Replay;

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write as _};

use sha1::{Digest, Sha1};

use super::key::Key;
use super::stream::Stream;
use crate::error::{Error, Result};
use crate::module::{Captured, Collection, Intermediates, Sown};
use crate::op::{Deferred, Perhaps};

/// A module's place in the model: where the keys of its parameters, and those of its rng streams, come from.
///
/// Each stream has one base key for the whole model. The `n`-th draw of a module from a stream is
///
/// ```text
/// fold_in(base, first 4 bytes of SHA-1(path ++ n))
/// ```
///
/// with the names of the path one after the other, without separators, and `n` big-endian in as few bytes as
/// it needs, as in `flax.core.scope`. So a variable's key depends on its module's path and on how many draws
/// that module made before, but on no other module. A module counts its draws for each stream; entering it
/// again by the same name goes on counting.
///
/// ```
/// use flaxen::rng::{Key, Scope};
///
/// let root = Scope::root(Key::new(0));
/// let dense = root.child("Dense_0");
/// let (kernel, bias) = (dense.param(), dense.param());
/// assert_eq!(kernel.words(), [3043437727, 3662875008]);
/// assert_eq!(bias.words(), [2912151818, 3648475384]);
/// ```
#[derive(Debug)]
pub struct Scope<'a>(Place<'a>);

/// A scope is a place only, which costs nothing to enter: the path is hashed where a key is drawn.
#[derive(Debug)]
enum Place<'a> {
    /// The root owns the counts, and knows where values are sown, if anywhere.
    Root(Root, Option<&'a RefCell<Captured>>),
    /// A submodule, and its index among several of one name.
    Child { parent: &'a Scope<'a>, name: &'a str, index: Option<usize> },
    /// A module that draws again what it drew, with what the names of its path hash to, and its node.
    Replayed { root: Root, path: Sha1, node: usize },
}

/// The stream that parameters are drawn from, and the one of a bare key.
const PARAMS: &str = "params";

impl<'a> Scope<'a> {
    /// The root of a model that draws nothing, and whose values are captured.
    pub fn capturing(captured: &'a RefCell<Captured>) -> Self {
        Scope(Place::Root(Root(RefCell::default()), Some(captured)))
    }
}

impl Scope<'_> {
    /// The root of a model that is initialised with this key: `model.init(key, ...)`.
    pub fn root(key: Key) -> Self {
        Self::with_streams([(PARAMS, key)])
    }

    /// The root of a model that draws nothing.
    pub fn without_streams() -> Self {
        Scope(Place::Root(Root(RefCell::default()), None))
    }

    /// The root of a model with several streams: `model.init({"params": ..., "dropout": ...}, ...)`, or the
    /// `rngs` of `apply`.
    ///
    /// After the first time on a thread it does not allocate, as long as no larger model is walked.
    pub fn with_streams<const N: usize>(streams: [(&'static str, Key); N]) -> Self {
        let mut counts = Counts::spare();
        counts.streams.extend(streams);
        Scope(Place::Root(Root(RefCell::new(counts)), None))
    }

    /// The scope of a submodule.
    pub fn child<'b>(&'b self, name: &'b str) -> Scope<'b> {
        Scope(Place::Child { parent: self, name, index: None })
    }

    /// The scope of one of several submodules of a name: `layers_0`.
    pub fn element<'b>(&'b self, name: &'b str, index: usize) -> Scope<'b> {
        Scope(Place::Child { parent: self, name, index: Some(index) })
    }

    /// The scope of a submodule that is called by its number: `0`.
    pub fn number(&self, index: usize) -> Scope<'_> {
        self.element("", index)
    }

    /// The key for the next parameter. Flax draws one for each, also where the initialiser needs none.
    ///
    /// # Panics
    /// If the root was made without a stream `params`. A scope that initialises a model has one.
    pub fn param(&self) -> Key {
        match self.make_rng(PARAMS) {
            Ok(key) => key,
            Err(_) => panic!("a scope without a stream `params` initialises no parameters"),
        }
    }

    /// The next key of a stream that the types of a call promise.
    ///
    /// # Panics
    /// If the root was made without the stream. `apply_mut` does not compile then.
    pub fn stream<S: Stream>(&self) -> Key {
        match self.make_rng(S::NAME) {
            Ok(key) => key,
            Err(_) => panic!("a scope without a stream `{}` makes no key for it", S::NAME),
        }
    }

    /// Stores a value of this module, if somebody captures it.
    pub fn sow<C: Collection, T: Sown + Clone>(&self, name: &str, value: &T) {
        if let Some(captured) = self.captured() {
            let path = format!("{}/{}{name}", C::NAME, Slashed(self));
            captured.borrow_mut().push(path, value.clone());
        }
    }

    /// Stores the output of this module, if somebody captures it.
    pub fn capture<T: Sown>(&self, output: impl FnOnce() -> T) {
        if let Some(captured) = self.captured() {
            let path = format!("{}/{}__call__", Intermediates::NAME, Slashed(self));
            captured.borrow_mut().push(path, output());
        }
    }

    /// The same for an output that is about to be computed, which is done only if somebody captures it.
    pub fn capture_deferred<T, D>(&self, output: D) -> impl Deferred<T> + use<T, D>
    where
        T: Sown + Clone,
        D: Deferred<T>,
    {
        if !self.is_captured() {
            return Perhaps::Later(output);
        }
        let output = output.compute();
        self.capture(|| output.clone());
        Perhaps::Now(output)
    }

    /// Whether somebody captures what is sown.
    pub(crate) fn is_captured(&self) -> bool {
        self.captured().is_some()
    }

    fn captured(&self) -> Option<&RefCell<Captured>> {
        match &self.0 {
            Place::Root(_, captured) => *captured,
            Place::Replayed { .. } => None,
            Place::Child { parent, .. } => parent.captured(),
        }
    }

    /// The next key of a stream: `module.make_rng(stream)`. A stream that was not given is taken from
    /// `params` and counted there, as Flax does since 0.8.
    ///
    /// # Errors
    /// If neither was given.
    pub fn make_rng(&self, stream: &str) -> Result<Key> {
        let counts = &mut *self.counts().borrow_mut();
        let index = counts.position(stream).or_else(|| counts.position(PARAMS));
        let index = index.ok_or_else(|| counts.missing(stream))?;
        let node = self.node(counts);
        let count = counts.next(node, index);

        let bytes = count.to_be_bytes();
        let leading_zeros = count.leading_zeros() as usize / 8;
        let hash = self.path().chain_update(&bytes[leading_zeros..]).finalize();
        let [a, b, c, d, ..] = <[u8; 20]>::from(hash);
        Ok(counts.streams[index].1.fold_in(u32::from_be_bytes([a, b, c, d])))
    }

    fn counts(&self) -> &RefCell<Counts> {
        match &self.0 {
            Place::Root(root, _) | Place::Replayed { root, .. } => &root.0,
            Place::Child { parent, .. } => parent.counts(),
        }
    }

    /// Where this module counts.
    fn node(&self, counts: &mut Counts) -> usize {
        match &self.0 {
            Place::Root(..) => counts.enter(None, "", None),
            // The first node of counts that begin anew.
            Place::Replayed { node: 0, .. } => counts.enter(None, "", None),
            Place::Replayed { node, .. } => *node,
            Place::Child { parent, name, index } => {
                let parent = parent.node(counts);
                counts.enter(Some(parent), name, *index)
            }
        }
    }

    /// The names of the path, hashed.
    fn path(&self) -> Sha1 {
        match &self.0 {
            Place::Root(..) => Sha1::new(),
            Place::Replayed { path, .. } => path.clone(),
            Place::Child { parent, name, index: None } => parent.path().chain_update(name),
            Place::Child { parent, name, index: Some(index) } => {
                let mut digits = Digits(parent.path().chain_update(name));
                let underscore = if name.is_empty() { "" } else { "_" };
                // Hashing cannot fail.
                let _ = write!(digits, "{underscore}{index}");
                digits.0
            }
        }
    }
}

/// A module's path with a slash after each name.
struct Slashed<'a>(&'a Scope<'a>);

impl fmt::Display for Slashed<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.0 {
            Place::Root(..) | Place::Replayed { .. } => Ok(()),
            Place::Child { parent, name, index: None } => write!(formatter, "{}{name}/", Slashed(parent)),
            Place::Child { parent, name: "", index: Some(index) } => {
                write!(formatter, "{}{index}/", Slashed(parent))
            }
            Place::Child { parent, name, index: Some(index) } => {
                write!(formatter, "{}{name}_{index}/", Slashed(parent))
            }
        }
    }
}

/// Hashes what is written to it.
struct Digits(Sha1);

impl fmt::Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

/// What every scope of a model shares: the base keys, the modules that were entered, and how often each has
/// drawn.
#[derive(Debug, Default)]
struct Counts {
    streams: Vec<(&'static str, Key)>,
    nodes: Vec<Node>,
    /// The names of all nodes, one after the other.
    names: String,
    /// For each node its draws from each stream.
    draws: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Node {
    parent: Option<usize>,
    name: std::ops::Range<usize>,
    index: Option<usize>,
}

impl Counts {
    /// The node of a module, the same whenever it is entered.
    fn enter(&mut self, parent: Option<usize>, name: &str, index: Option<usize>) -> usize {
        let known = |node: &Node| {
            node.parent == parent && node.index == index && self.names[node.name.clone()] == *name
        };
        if let Some(node) = self.nodes.iter().position(known) {
            return node;
        }
        let start = self.names.len();
        self.names.push_str(name);
        self.nodes.push(Node { parent, name: start..self.names.len(), index });
        self.draws.resize(self.nodes.len() * self.streams.len(), 0);
        self.nodes.len() - 1
    }

    fn position(&self, stream: &str) -> Option<usize> {
        self.streams.iter().position(|(name, _)| *name == stream)
    }

    fn next(&mut self, node: usize, stream: usize) -> u32 {
        let draws = &mut self.draws[node * self.streams.len() + stream];
        *draws += 1;
        *draws
    }

    fn missing(&self, stream: &str) -> Error {
        let given: Vec<&str> = self.streams.iter().map(|(name, _)| *name).collect();
        Error::Mismatch {
            what: "rng streams".into(),
            expected: format!("a key for `{stream}` or `{PARAMS}`"),
            found: format!("keys for {given:?}"),
        }
    }

    /// The memory of the last root of this thread.
    fn spare() -> Self {
        SPARE.try_with(Cell::take).unwrap_or_default()
    }

    fn clear(&mut self) {
        self.streams.clear();
        self.nodes.clear();
        self.names.clear();
        self.draws.clear();
    }
}

thread_local! {
    /// The memory of the last root of this thread. A model draws in every training step, and a step allocates
    /// nothing.
    static SPARE: Cell<Counts> = const {
        Cell::new(Counts { streams: Vec::new(), nodes: Vec::new(), names: String::new(), draws: Vec::new() })
    };
}

/// Leaves its memory to the next root.
#[derive(Debug)]
struct Root(RefCell<Counts>);

impl Drop for Root {
    fn drop(&mut self) {
        let counts = self.0.get_mut();
        if counts.names.capacity() + counts.nodes.capacity() + counts.streams.capacity() == 0 {
            return;
        }
        counts.clear();
        // A thread that is ending has no place for it any more.
        let _ = SPARE.try_with(|spare| spare.set(std::mem::take(counts)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_goes_on_counting() {
        let root = Scope::root(Key::new(0));
        let once = root.child("block");
        let expected = [once.param(), once.param(), once.child("inner").param()];

        let root = Scope::root(Key::new(0));
        let first = root.child("block").param();
        let _ = root.child("other").param();
        let inner = root.child("block").child("inner").param();
        assert_eq!([first, root.child("block").param(), inner], expected);
    }

    #[test]
    fn one_of_several_has_its_index_in_its_name() {
        let root = Scope::root(Key::new(0));
        let named = root.child("layers_12").param();
        assert_eq!(root.element("layers", 12).param(), named);
    }

    #[test]
    fn names_do_not_run_together_in_the_counts() {
        let root = Scope::root(Key::new(0));
        let nested = root.child("a").child("b").param();
        // Flax's hash has no separators, so the key is the same; but it is another module, which counts for
        // itself.
        assert_eq!(root.child("ab").param(), nested);
    }

    #[test]
    fn a_stream_that_is_missing() {
        let scope = Scope::with_streams([("noise", Key::new(0))]);
        let error = scope.make_rng("dropout").unwrap_err().to_string();
        assert!(error.contains("`dropout`") && error.contains("noise"), "{error}");
    }
}
