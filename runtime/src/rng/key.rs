//! The key: its two words, its layout, and how one key becomes several.

use serde::{Deserialize, Serialize};

use super::threefry::{threefry, wide};

/// How a key's block function is spread over many numbers: JAX's `jax_threefry_partitionable`.
///
/// The two give different numbers for everything but [`Key::fold_in`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Number `i` is made from the counter `i` alone: JAX's default since 0.5, and flaxen's.
    #[default]
    Partitionable,
    /// The counters are halved and paired: the default before JAX 0.5, and so what older tutorials print.
    Legacy,
}

/// A key of `jax.random` with its default generator, threefry2x32.
///
/// A key stands for random numbers that have not been drawn yet. Whoever draws from it twice gets the same
/// numbers twice, and a model that trains on them is quietly wrong. So a `Key` is neither `Copy` nor `Clone`,
/// and what uses it consumes it: [`split`](Self::split) it for several uses. [`fold_in`](Self::fold_in)
/// borrows, as one key is meant to be folded with many numbers (steps, ranks). Where the same numbers are
/// wanted again, [`duplicate`](Self::duplicate) says so.
///
/// ```compile_fail,E0382
/// use flaxen::rng::{Key, Normal};
/// let key = Key::new(0);
/// let a = key.draw(&Normal);
/// let b = key.draw(&Normal); // error: use of moved value: `key`
/// ```
///
/// The [`Layout`] goes with the key into every key made from it.
#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[must_use = "a key that is not used draws nothing"]
pub struct Key {
    words: [u32; 2],
    layout: Layout,
}

impl Key {
    /// `jax.random.PRNGKey(seed)`, in the layout that JAX has by default since 0.5.
    ///
    /// As in JAX without 64-bit mode only the low 32 bits of the seed count. A negative seed is
    /// `Key::new(-1_i64 as u64)`.
    pub const fn new(seed: u64) -> Self {
        Self::with_layout(seed, Layout::Partitionable)
    }

    /// `jax.random.PRNGKey(seed)` as it was before JAX 0.5: the numbers that older tutorials print.
    pub const fn legacy(seed: u64) -> Self {
        Self::with_layout(seed, Layout::Legacy)
    }

    /// `jax.random.PRNGKey(seed)` in a given layout.
    pub const fn with_layout(seed: u64, layout: Layout) -> Self {
        Self { words: [0, seed as u32], layout }
    }

    /// The key of these words: `jax.random.wrap_key_data`.
    pub const fn from_words(words: [u32; 2], layout: Layout) -> Self {
        Self { words, layout }
    }

    /// The two words: `jax.random.key_data`.
    pub const fn words(&self) -> [u32; 2] {
        self.words
    }

    /// The layout that draws and splits of this key have.
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// The same key again, for those who want the same numbers again.
    pub const fn duplicate(&self) -> Self {
        Self { words: self.words, layout: self.layout }
    }

    /// The key for one number among many, such as a step or a rank: `jax.random.fold_in`. It is the same in
    /// both layouts.
    pub const fn fold_in(&self, data: u32) -> Self {
        Self { words: threefry(self.words, [0, data]), layout: self.layout }
    }

    /// Two keys in the place of one: `jax.random.split(key)`.
    pub fn split(self) -> (Self, Self) {
        let [first, second] = self.split_array();
        (first, second)
    }

    /// `N` keys in the place of one: `jax.random.split(key, N)`.
    ///
    /// ```
    /// # use flaxen::rng::Key;
    /// let [params, dropout, data] = Key::new(0).split_array();
    /// ```
    pub fn split_array<const N: usize>(self) -> [Self; N] {
        std::array::from_fn(|i| self.part(i, N))
    }

    /// `n` keys in the place of one: `jax.random.split(key, n)`.
    ///
    /// For a `num` of several axes take their product: the keys are in row-major order.
    pub fn split_n(self, n: usize) -> Vec<Self> {
        (0..n).map(|i| self.part(i, n)).collect()
    }

    /// Key `i` of `split(key, n)`.
    pub(crate) fn part(&self, i: usize, n: usize) -> Self {
        let words = match self.layout {
            Layout::Partitionable => threefry(self.words, wide(i as u64)),
            Layout::Legacy => [2 * i, 2 * i + 1].map(|word| self.legacy_word(word, n)),
        };
        Self { words, layout: self.layout }
    }

    /// Word `i` of the `2n` that the counters `0..2n` give: counters `c` and `n + c` are one block.
    fn legacy_word(&self, i: usize, n: usize) -> u32 {
        let block = (i % n) as u32;
        threefry(self.words, [block, block.wrapping_add(n as u32)])[i / n]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partitionable_split_does_not_depend_on_how_many() {
        let three = Key::new(7).split_n(3);
        let two: [Key; 2] = Key::new(7).split_array();
        assert_eq!(two[..], three[..2]);
    }

    #[test]
    fn the_layout_goes_along() {
        let (key, _) = Key::legacy(3).split();
        assert_eq!(key.layout(), Layout::Legacy);
        assert_eq!(key.fold_in(1).layout(), Layout::Legacy);
        assert_eq!(Key::legacy(3).fold_in(5).words(), Key::new(3).fold_in(5).words());
    }

    #[test]
    fn no_keys() {
        assert!(Key::legacy(0).split_n(0).is_empty());
    }
}
