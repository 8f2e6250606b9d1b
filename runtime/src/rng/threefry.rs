//! The block function Threefry-2x32 with 20 rounds: Salmon et al., "Parallel random numbers: as easy as 1, 2,
//! 3" (2011).

const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];
const PARITY: u32 = 0x1BD1_1BDA;

/// Encrypts a counter under a key. There is neither branch nor table, so that a loop over counters becomes
/// SIMD code.
#[inline(always)]
pub(super) const fn threefry(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let schedule = [key[0], key[1], key[0] ^ key[1] ^ PARITY];
    let mut x0 = counter[0].wrapping_add(schedule[0]);
    let mut x1 = counter[1].wrapping_add(schedule[1]);
    let mut group = 0;
    while group < 5 {
        let mut round = 0;
        while round < 4 {
            x0 = x0.wrapping_add(x1);
            x1 = x1.rotate_left(ROTATIONS[group % 2][round]) ^ x0;
            round += 1;
        }
        x0 = x0.wrapping_add(schedule[(group + 1) % 3]);
        x1 = x1.wrapping_add(schedule[(group + 2) % 3]).wrapping_add(group as u32 + 1);
        group += 1;
    }
    [x0, x1]
}

/// The two words of a 64-bit counter, the high one first.
#[inline(always)]
pub(super) const fn wide(counter: u64) -> [u32; 2] {
    [(counter >> 32) as u32, counter as u32]
}

#[cfg(test)]
mod tests {
    use super::threefry;

    /// The known answers that come with Random123.
    #[test]
    fn known_answers() {
        assert_eq!(threefry([0, 0], [0, 0]), [0x6B20_0159, 0x99BA_4EFE]);
        assert_eq!(threefry([u32::MAX; 2], [u32::MAX; 2]), [0x1CB9_96FC, 0xBB00_2BE7]);
        assert_eq!(
            threefry([0x1319_8A2E, 0x0370_7344], [0x243F_6A88, 0x85A3_08D3]),
            [0xC492_3A9C, 0x483D_F7A0]
        );
    }
}
