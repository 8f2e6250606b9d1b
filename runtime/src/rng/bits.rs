//! Random bits, and what is made of 32 of them at a time.

use pulp::{Arch, Simd, WithSimd};

use super::key::{Key, Layout};
use super::threefry::{threefry, wide};

/// What 32 random bits become.
///
/// A draw of many numbers is a loop over this function, compiled for the SIMD instructions of the machine it runs on.
/// So an implementation is marked `#[inline(always)]` and best has no branches but those that choose between two values.
pub trait Distribution {
    /// What is drawn.
    type Value;

    /// The value that these bits stand for.
    fn value(&self, bits: u32) -> Self::Value;
}

impl Key {
    /// Fills a slice with draws from a distribution. An array is its elements in row-major order.
    pub fn fill<D: Distribution>(self, distribution: &D, out: &mut [D::Value]) {
        visit([&self], out, |place, [bits]| *place = distribution.value(bits));
    }

    /// One draw: that of a JAX array with the shape `()`.
    pub fn draw<D: Distribution>(self, distribution: &D) -> D::Value {
        let bits = match self.layout() {
            Layout::Partitionable => folded(self.words(), [0, 0]),
            Layout::Legacy => threefry(self.words(), [0, 0])[0],
        };
        distribution.value(bits)
    }

    /// Fills a slice with random words: `jax.random.bits(key, shape, "uint32")`.
    pub fn fill_bits32(self, out: &mut [u32]) {
        visit([&self], out, |place, [bits]| *place = bits);
    }

    /// Fills a slice with random half words: `jax.random.bits(key, shape, "uint16")`.
    pub fn fill_bits16(self, out: &mut [u16]) {
        match self.layout() {
            Layout::Partitionable => visit([&self], out, |place, [bits]| *place = bits as u16),
            Layout::Legacy => {
                let mut words = vec![0; out.len().div_ceil(2)];
                self.fill_bits32(&mut words);
                let pieces = words.iter().flat_map(|word| [*word as u16, (word >> 16) as u16]);
                out.iter_mut()
                    .zip(pieces)
                    .for_each(|(place, piece)| *place = piece);
            }
        }
    }

    /// Fills a slice with random bytes: `jax.random.bits(key, shape, "uint8")`.
    pub fn fill_bits8(self, out: &mut [u8]) {
        match self.layout() {
            Layout::Partitionable => visit([&self], out, |place, [bits]| *place = bits as u8),
            Layout::Legacy => {
                let mut words = vec![0; out.len().div_ceil(4)];
                self.fill_bits32(&mut words);
                let pieces = words.iter().flat_map(|word| word.to_le_bytes());
                out.iter_mut()
                    .zip(pieces)
                    .for_each(|(place, piece)| *place = piece);
            }
        }
    }
}

/// Shows `f` each element with its 32 bits of each key. All keys are of the layout of the first.
#[inline]
pub(super) fn visit<T, const N: usize>(keys: [&Key; N], out: &mut [T], f: impl FnMut(&mut T, [u32; N])) {
    let words = keys.map(Key::words);
    match keys[0].layout() {
        Layout::Partitionable => Arch::new().dispatch(Partitionable { words, out, f }),
        Layout::Legacy => visit_legacy(keys, out, f),
    }
}

/// Beyond 2^32 - 1 elements, the number of the counters of one key, each such block has a key of its own.
fn visit_legacy<T, const N: usize>(keys: [&Key; N], out: &mut [T], mut f: impl FnMut(&mut T, [u32; N])) {
    const BLOCK: usize = u32::MAX as usize;
    if out.len() < BLOCK {
        return Arch::new().dispatch(Legacy {
            words: keys.map(Key::words),
            out,
            f,
        });
    }
    let blocks = out.len() / BLOCK + 1;
    let subkeys = keys.map(|key| key.duplicate().split_n(blocks));
    for (i, block) in out.chunks_mut(BLOCK).enumerate() {
        let words = std::array::from_fn(|k| subkeys[k][i].words());
        Arch::new().dispatch(Legacy {
            words,
            out: block,
            f: &mut f,
        });
    }
}

/// Element `i` is made of the block of counter `i`.
struct Partitionable<'a, T, F, const N: usize> {
    words: [[u32; 2]; N],
    out: &'a mut [T],
    f: F,
}

impl<T, F: FnMut(&mut T, [u32; N]), const N: usize> WithSimd for Partitionable<'_, T, F, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        // Within such a chunk the high word of the counter is constant, so that the loop has 32-bit lanes only.
        const CHUNK: usize = 1 << 31;
        for (c, chunk) in self.out.chunks_mut(CHUNK).enumerate() {
            let [high, low] = wide((c * CHUNK) as u64);
            for (i, place) in chunk.iter_mut().enumerate() {
                let counter = [high, low + i as u32];
                (self.f)(place, self.words.map(|key| folded(key, counter)));
            }
        }
    }
}

/// Elements `i` and `half + i` are the two words of one block.
struct Legacy<'a, T, F, const N: usize> {
    words: [[u32; 2]; N],
    out: &'a mut [T],
    f: F,
}

impl<T, F: FnMut(&mut T, [u32; N]), const N: usize> WithSimd for Legacy<'_, T, F, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let half = self.out.len().div_ceil(2);
        let (first, second) = self.out.split_at_mut(half);
        for (i, (place, partner)) in first.iter_mut().zip(second.iter_mut()).enumerate() {
            let blocks = self.words.map(|key| threefry(key, [i as u32, (half + i) as u32]));
            (self.f)(place, blocks.map(|[word, _]| word));
            (self.f)(partner, blocks.map(|[_, word]| word));
        }
        // An odd number of counters is filled up with a zero.
        if let Some(place) = first.get_mut(second.len()) {
            let counter = [second.len() as u32, 0];
            (self.f)(place, self.words.map(|key| threefry(key, counter)[0]));
        }
    }
}

/// The word that the partitionable layout makes of a block.
#[inline(always)]
fn folded(key: [u32; 2], counter: [u32; 2]) -> u32 {
    let [high, low] = threefry(key, counter);
    high ^ low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_draw_is_the_first_of_one() {
        struct Word;
        impl Distribution for Word {
            type Value = u32;
            fn value(&self, bits: u32) -> u32 {
                bits
            }
        }
        for layout in [Layout::Partitionable, Layout::Legacy] {
            let mut words = [0];
            Key::with_layout(5, layout).fill_bits32(&mut words);
            assert_eq!(Key::with_layout(5, layout).draw(&Word), words[0]);
            Key::with_layout(5, layout).fill_bits32(&mut []);
        }
    }
}
