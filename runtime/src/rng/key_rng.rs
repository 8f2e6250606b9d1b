//! A key as a generator of the `rand` crate.

use std::convert::Infallible;

use rand::TryRng;

use super::key::Key;
use super::threefry::{threefry, wide};

/// The words that a key's block function gives for the counters 0, 1, 2, …: the counterpart in flaxen of a
/// seeded generator of the `rand` crate.
///
/// ```
/// use flaxen::rng::Key;
/// use rand::{RngExt, seq::SliceRandom};
///
/// let mut rng = Key::new(0).into_rng();
/// let dice = rng.random_range(1..=6);
/// assert!((1..=6).contains(&dice));
///
/// let mut letters = ['a', 'b', 'c'];
/// letters.shuffle(&mut rng);
/// ```
#[derive(Debug)]
pub struct KeyRng {
    words: [u32; 2],
    counter: u64,
    spare: Option<u32>,
}

impl Key {
    /// A generator for the distributions and shuffles of the `rand` crate. Its numbers are not those of
    /// `jax.random`.
    pub fn into_rng(self) -> KeyRng {
        KeyRng { words: self.words(), counter: 0, spare: None }
    }
}

impl KeyRng {
    fn block(&mut self) -> [u32; 2] {
        let block = threefry(self.words, wide(self.counter));
        self.counter = self.counter.wrapping_add(1);
        block
    }

    fn word(&mut self) -> u32 {
        self.spare.take().unwrap_or_else(|| {
            let [word, spare] = self.block();
            self.spare = Some(spare);
            word
        })
    }
}

impl TryRng for KeyRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = self.word();
        Ok(u64::from(low) | u64::from(self.word()) << 32)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for piece in bytes.chunks_mut(4) {
            piece.copy_from_slice(&self.word().to_le_bytes()[..piece.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::distr::{Distribution, Uniform};
    use rand::seq::SliceRandom;
    use rand::{Rng, RngExt};

    use super::*;

    #[test]
    fn rand_draws_and_shuffles() {
        let mut rng = Key::new(1).into_rng();
        let dice = Uniform::new_inclusive(1, 6).unwrap();
        let mean = dice.sample_iter(&mut rng).take(6000).sum::<i32>() as f64 / 6000.0;
        assert!((mean - 3.5).abs() < 0.1, "{mean}");
        let mean = (0..6000).map(|_| rng.random::<f64>()).sum::<f64>() / 6000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");

        let mut cards: Vec<u32> = (0..52).collect();
        cards.shuffle(&mut rng);
        assert!(!cards.is_sorted());
        cards.sort_unstable();
        assert!(cards.into_iter().eq(0..52));
    }

    #[test]
    fn words_and_bytes_are_one_sequence() {
        let mut words = Key::new(4).into_rng();
        let mut bytes = [0; 12];
        Key::new(4).into_rng().fill_bytes(&mut bytes);
        let pieces = bytes.as_chunks().0.iter().map(|&piece| u32::from_le_bytes(piece));
        assert!(pieces.eq([words.next_u32(), words.next_u32(), words.next_u32()]));
        assert_ne!(Key::new(5).into_rng().next_u64(), Key::new(4).into_rng().next_u64());
    }
}
