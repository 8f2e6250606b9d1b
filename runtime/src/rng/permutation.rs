//! Orders, made by sorting by random words.

use super::key::Key;

impl Key {
    /// `0..n` in a random order: `jax.random.permutation(key, n)`.
    pub fn permutation(self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        let mut words = vec![0; n];
        let mut sorted: Vec<(u32, usize, usize)> = Vec::with_capacity(n);
        for key in self.sort_keys(n) {
            key.fill_bits32(&mut words);
            sorted.clear();
            // Places make the order of equal words the one they had, as in a stable sort.
            sorted.extend(words.iter().zip(&order).enumerate().map(|(place, (&word, &i))| (word, place, i)));
            sorted.sort_unstable();
            order.iter_mut().zip(&sorted).for_each(|(slot, &(_, _, i))| *slot = i);
        }
        order
    }

    /// Puts a slice into a random order: `jax.random.permutation(key, x)` for an `x` of one axis.
    pub fn shuffle<T>(self, slice: &mut [T]) {
        let mut order = self.permutation(slice.len());
        // Element `order[i]` comes to `i`: each cycle is walked once, and a place that is done points to
        // itself.
        for start in 0..slice.len() {
            let mut place = start;
            while order[place] != start {
                let from = std::mem::replace(&mut order[place], place);
                slice.swap(place, from);
                place = from;
            }
            order[place] = place;
        }
    }

    /// Puts the slices of an array along an axis into a random order: `jax.random.permutation(key, x, axis)`.
    /// The array is given by its elements in row-major order and its sizes.
    ///
    /// # Panics
    /// If the sizes are not those of the elements, or have no such axis.
    pub fn shuffle_axis<T: Clone>(self, elements: &mut [T], sizes: &[usize], axis: usize) {
        let (length, inner) = lines(elements.len(), sizes, axis);
        let order = self.permutation(length);
        for block in elements.chunks_mut((length * inner).max(1)) {
            let old = block.to_vec();
            for (new, &from) in block.chunks_mut(inner).zip(&order) {
                new.clone_from_slice(&old[from * inner..][..inner]);
            }
        }
    }

    /// Puts each line of an array along an axis into a random order of its own:
    /// `jax.random.permutation(key, x, axis, independent=True)`.
    ///
    /// # Panics
    /// If the sizes are not those of the elements, or have no such axis.
    pub fn shuffle_independent<T: Clone>(self, elements: &mut [T], sizes: &[usize], axis: usize) {
        let (length, inner) = lines(elements.len(), sizes, axis);
        let mut words = vec![0; elements.len()];
        for key in self.sort_keys(elements.len()) {
            key.fill_bits32(&mut words);
            let blocks = elements.chunks_mut((length * inner).max(1));
            for (block, words) in blocks.zip(words.chunks((length * inner).max(1))) {
                for column in 0..inner {
                    let line = (column..block.len()).step_by(inner);
                    let mut order: Vec<usize> = line.clone().collect();
                    order.sort_by_key(|&i| words[i]);
                    let sorted: Vec<T> = order.iter().map(|&i| block[i].clone()).collect();
                    line.zip(sorted).for_each(|(i, element)| block[i] = element);
                }
            }
        }
    }

    /// The keys of the rounds of sorting. One round leaves `n` elements out of order, unless two words are
    /// equal: there are as many rounds as make that unlikely.
    fn sort_keys(self, n: usize) -> impl Iterator<Item = Key> {
        let rounds = (3.0 * (n.max(1) as f64).ln() / f64::from(u32::MAX).ln()).ceil() as usize;
        let mut key = self;
        (0..rounds).map(move |_| {
            let (next, round) = key.duplicate().split();
            key = next;
            round
        })
    }
}

/// How long an axis is, and how many elements lie between two of its neighbours.
fn lines(elements: usize, sizes: &[usize], axis: usize) -> (usize, usize) {
    assert_eq!(elements, sizes.iter().product::<usize>(), "elements of an array of sizes {sizes:?}");
    (sizes[axis], sizes[axis + 1..].iter().product())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_is_the_permutation() {
        for n in [0, 1, 2, 3, 17, 300] {
            let mut letters: Vec<String> = (0..n).map(|i| format!("letter {i}")).collect();
            let expected: Vec<_> = Key::new(3).permutation(n).iter().map(|&i| letters[i].clone()).collect();
            Key::new(3).shuffle(&mut letters);
            assert_eq!(letters, expected);
        }
    }

    #[test]
    fn nothing_to_shuffle() {
        Key::new(0).shuffle_axis::<u8>(&mut [], &[3, 0], 1);
        Key::new(0).shuffle_independent::<u8>(&mut [], &[0, 3], 0);
    }
}
