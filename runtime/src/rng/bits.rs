//! Random bits, and what is made of 32 of them at a time.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

use super::discrete::Integer;
use super::key::{Key, Layout};
use super::threefry::{threefry, wide};

/// What 32 random bits become.
///
/// A draw of many numbers is a loop over this function, compiled for the SIMD instructions of the machine it
/// runs on. So an implementation is marked `#[inline(always)]` and best has no branches but those that choose
/// between two values.
pub trait Distribution {
    /// What is drawn.
    type Value;

    /// The value that these bits stand for.
    fn value(&self, bits: u32) -> Self::Value;
}

impl Key {
    /// Fills a slice with draws from a distribution. An array is its elements in row-major order.
    pub fn fill<D: Distribution>(self, distribution: &D, out: &mut [D::Value]) {
        fill([&self], out, distribution);
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
        self.fill(&Bits::<u32>(PhantomData), out);
    }

    /// Fills a slice with random half words: `jax.random.bits(key, shape, "uint16")`.
    pub fn fill_bits16(self, out: &mut [u16]) {
        match self.layout() {
            Layout::Partitionable => self.fill(&Bits::<u16>(PhantomData), out),
            Layout::Legacy => {
                let mut words = vec![0; out.len().div_ceil(2)];
                self.fill_bits32(&mut words);
                let pieces = words.iter().flat_map(|word| [*word as u16, (word >> 16) as u16]);
                out.iter_mut().zip(pieces).for_each(|(place, piece)| *place = piece);
            }
        }
    }

    /// Fills a slice with random bytes: `jax.random.bits(key, shape, "uint8")`.
    pub fn fill_bits8(self, out: &mut [u8]) {
        match self.layout() {
            Layout::Partitionable => self.fill(&Bits::<u8>(PhantomData), out),
            Layout::Legacy => {
                let mut words = vec![0; out.len().div_ceil(4)];
                self.fill_bits32(&mut words);
                let pieces = words.iter().flat_map(|word| word.to_le_bytes());
                out.iter_mut().zip(pieces).for_each(|(place, piece)| *place = piece);
            }
        }
    }
}

/// The low bits as they are.
struct Bits<T>(PhantomData<T>);

impl<T: Integer> Distribution for Bits<T> {
    type Value = T;

    #[inline(always)]
    fn value(&self, bits: u32) -> T {
        T::from_bits(bits)
    }
}

/// What 32 random bits of each of `N` keys become.
pub(super) trait Draw<T, const N: usize> {
    fn draw(&self, bits: [u32; N]) -> T;
}

impl<D: Distribution> Draw<D::Value, 1> for D {
    #[inline(always)]
    fn draw(&self, [bits]: [u32; 1]) -> D::Value {
        self.value(bits)
    }
}

/// Fills a slice with draws from keys, which have the layout of the first.
pub(super) fn fill<T, const N: usize>(keys: [&Key; N], out: &mut [T], draw: &impl Draw<T, N>) {
    match keys[0].layout() {
        Layout::Partitionable => {
            Arch::new().dispatch(Partitionable { words: keys.map(Key::words), out, draw })
        }
        Layout::Legacy => fill_legacy(keys, out, draw),
    }
}

/// Beyond 2^32 - 1 elements, the number of the counters of one key, each such block has a key of its own.
fn fill_legacy<T, const N: usize>(keys: [&Key; N], out: &mut [T], draw: &impl Draw<T, N>) {
    const BLOCK: usize = u32::MAX as usize;
    if out.len() < BLOCK {
        return Arch::new().dispatch(Legacy { words: keys.map(Key::words), out, draw });
    }
    let blocks = out.len() / BLOCK + 1;
    let subkeys = keys.map(|key| key.duplicate().split_n(blocks));
    for (i, block) in out.chunks_mut(BLOCK).enumerate() {
        let words = std::array::from_fn(|k| subkeys[k][i].words());
        Arch::new().dispatch(Legacy { words, out: block, draw });
    }
}

/// Element `i` is made of the block of counter `i`.
struct Partitionable<'a, T, D, const N: usize> {
    words: [[u32; 2]; N],
    out: &'a mut [T],
    draw: &'a D,
}

impl<T, D: Draw<T, N>, const N: usize> WithSimd for Partitionable<'_, T, D, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // Within such a chunk the high word of the counter is constant, so that the loop has 32-bit lanes
        // only.
        const CHUNK: usize = 1 << 31;
        let Self { words, out, draw } = self;
        for (c, chunk) in out.chunks_mut(CHUNK).enumerate() {
            let [high, low] = wide((c * CHUNK) as u64);
            for (i, place) in chunk.iter_mut().enumerate() {
                let mut bits = [0; N];
                for (bits, key) in bits.iter_mut().zip(words) {
                    *bits = folded(key, [high, low + i as u32]);
                }
                *place = draw.draw(bits);
            }
        }
    }
}

/// Elements `i` and `half + i` are the two words of one block.
struct Legacy<'a, T, D, const N: usize> {
    words: [[u32; 2]; N],
    out: &'a mut [T],
    draw: &'a D,
}

impl<T, D: Draw<T, N>, const N: usize> WithSimd for Legacy<'_, T, D, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { words, out, draw } = self;
        let half = out.len().div_ceil(2);
        let (first, second) = out.split_at_mut(half);
        for (i, (place, partner)) in first.iter_mut().zip(second.iter_mut()).enumerate() {
            let (mut bits, mut partner_bits) = ([0; N], [0; N]);
            for k in 0..N {
                [bits[k], partner_bits[k]] = threefry(words[k], [i as u32, (half + i) as u32]);
            }
            *place = draw.draw(bits);
            *partner = draw.draw(partner_bits);
        }
        // An odd number of counters is filled up with a zero.
        if let Some(place) = first.get_mut(second.len()) {
            let counter = [second.len() as u32, 0];
            *place = draw.draw(words.map(|key| threefry(key, counter)[0]));
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
        for layout in [Layout::Partitionable, Layout::Legacy] {
            let mut words = [0];
            Key::with_layout(5, layout).fill_bits32(&mut words);
            assert_eq!(Key::with_layout(5, layout).draw(&Bits::<u32>(PhantomData)), words[0]);
            Key::with_layout(5, layout).fill_bits32(&mut []);
        }
    }
}
