//! Random bits, and what is made of 32 of them at a time.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

use super::discrete::Integer;
use super::key::{Key, Layout};
use super::threefry::{threefry, wide};
use crate::backend::{parallel_chunks, parallel_zipped};

/// The numbers that one thread draws at a time.
const PART: usize = 1 << 14;

/// What 32 random bits become.
///
/// A draw of many numbers is a loop over this function, compiled for the SIMD instructions of the machine it
/// runs on. So an implementation is marked `#[inline(always)]` and best has no branches but those that choose
/// between two values; and it is copied, so that its numbers stay in registers while others are written.
pub trait Distribution: Copy + Sync {
    /// What is drawn.
    type Value: Send;

    /// The value that these bits stand for.
    fn value(&self, bits: u32) -> Self::Value;
}

impl Key {
    /// Fills a slice with draws from a distribution. An array is its elements in row-major order.
    pub fn fill<D: Distribution>(self, distribution: &D, out: &mut [D::Value]) {
        fill([&self], out, *distribution);
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
#[derive(Clone, Copy)]
struct Bits<T>(PhantomData<T>);

impl<T: Integer> Distribution for Bits<T> {
    type Value = T;

    #[inline(always)]
    fn value(&self, bits: u32) -> T {
        T::from_bits(bits)
    }
}

/// What 32 random bits of each of `N` keys become.
pub(super) trait Draw<T, const N: usize>: Copy + Sync {
    fn draw(&self, bits: [u32; N]) -> T;
}

impl<D: Distribution> Draw<D::Value, 1> for D {
    #[inline(always)]
    fn draw(&self, [bits]: [u32; 1]) -> D::Value {
        self.value(bits)
    }
}

/// Fills a slice with draws from keys, which have the layout of the first.
pub(super) fn fill<T: Send, const N: usize>(keys: [&Key; N], out: &mut [T], draw: impl Draw<T, N>) {
    match keys[0].layout() {
        Layout::Partitionable => {
            let words = keys.map(Key::words);
            parallel_chunks(out, PART, |part, out| {
                Arch::new().dispatch(Partitionable { words, from: part * PART, out, draw });
            });
        }
        Layout::Legacy => fill_legacy(keys, out, draw),
    }
}

/// Beyond 2^32 - 1 elements, the number of the counters of one key, each such block has a key of its own.
fn fill_legacy<T: Send, const N: usize>(keys: [&Key; N], out: &mut [T], draw: impl Draw<T, N>) {
    const BLOCK: usize = u32::MAX as usize;
    if out.len() < BLOCK {
        return fill_halves(keys.map(Key::words), out, draw);
    }
    let blocks = out.len() / BLOCK + 1;
    let subkeys = keys.map(|key| key.duplicate().split_n(blocks));
    for (i, block) in out.chunks_mut(BLOCK).enumerate() {
        fill_halves(std::array::from_fn(|k| subkeys[k][i].words()), block, draw);
    }
}

/// Elements `i` and `half + i` are the two words of one block.
fn fill_halves<T: Send, const N: usize>(words: [[u32; 2]; N], out: &mut [T], draw: impl Draw<T, N>) {
    let half = out.len().div_ceil(2);
    let (first, second) = out.split_at_mut(half);
    let paired = second.len();
    let (pairs, rest) = first.split_at_mut(paired);
    let (first, second) = ((pairs, PART), (second, PART));
    parallel_zipped(paired.div_ceil(PART), [first], [second], |part, [first], [second]| {
        Arch::new().dispatch(Legacy { words, from: part * PART, half, first, second, draw });
    });
    // An odd number of counters is filled up with a zero.
    if let Some(place) = rest.first_mut() {
        *place = draw.draw(words.map(|key| threefry(key, [paired as u32, 0])[0]));
    }
}

/// Element `i` is made of the block of counter `from + i`. A part does not reach over a multiple of 2^32.
struct Partitionable<'a, T, D, const N: usize> {
    words: [[u32; 2]; N],
    from: usize,
    out: &'a mut [T],
    draw: D,
}

impl<T, D: Draw<T, N>, const N: usize> WithSimd for Partitionable<'_, T, D, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { words, from, out, draw } = self;
        // The high word of the counter is constant, so that the loop has 32-bit lanes only.
        let [high, low] = wide(from as u64);
        for (i, place) in out.iter_mut().enumerate() {
            let mut bits = [0; N];
            for (bits, key) in bits.iter_mut().zip(words) {
                *bits = folded(key, [high, low + i as u32]);
            }
            *place = draw.draw(bits);
        }
    }
}

/// Elements `i` of the two parts are the words of the block of counters `from + i` and `half + from + i`.
struct Legacy<'a, T, D, const N: usize> {
    words: [[u32; 2]; N],
    from: usize,
    half: usize,
    first: &'a mut [T],
    second: &'a mut [T],
    draw: D,
}

impl<T, D: Draw<T, N>, const N: usize> WithSimd for Legacy<'_, T, D, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { words, from, half, first, second, draw } = self;
        let (from, half) = (from as u32, (half + from) as u32);
        for (i, (place, partner)) in first.iter_mut().zip(second).enumerate() {
            let (mut bits, mut partner_bits) = ([0; N], [0; N]);
            for k in 0..N {
                [bits[k], partner_bits[k]] = threefry(words[k], [from + i as u32, half + i as u32]);
            }
            *place = draw.draw(bits);
            *partner = draw.draw(partner_bits);
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

    /// The parts of a draw are those of one that is made at once, whose elements are known one by one.
    #[test]
    fn a_large_draw_is_made_in_parts() {
        let count = 2 * PART + 2 * PART + 17;
        let mut words = vec![0; count];
        Key::new(3).fill_bits32(&mut words);
        for i in [0, 1, PART - 1, PART, 3 * PART + 5, count - 1] {
            assert_eq!(words[i], folded(Key::new(3).words(), wide(i as u64)), "{i}");
        }
        Key::legacy(3).fill_bits32(&mut words);
        let (key, half) = (Key::legacy(3).words(), count.div_ceil(2));
        for i in [0, PART - 1, PART, 2 * PART, half - 2] {
            let expected = threefry(key, [i as u32, (half + i) as u32]);
            assert_eq!([words[i], words[half + i]], expected, "{i}");
        }
        assert_eq!(words[half - 1], threefry(key, [half as u32 - 1, 0])[0]);
    }

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
