//! Numbers of variable length inside of values: seven bits a byte, the lowest first.

/// Numbers below this have at most four bytes.
pub(crate) const SHORT: u64 = 1 << 28;

/// Such a number of at least two bytes, and how many there are.
#[inline]
pub(crate) fn short_varint(value: u32) -> (u32, usize) {
    let (three, four) = (value >= 1 << 14, value >= 1 << 21);
    let more = 0x80 | u32::from(three) << 15 | u32::from(four) << 23;
    let bits = (value & 0x7f) | (value & 0x3f80) << 1 | (value & 0x1f_c000) << 2 | (value & 0xfe0_0000) << 3;
    (bits | more, 2 + usize::from(three) + usize::from(four))
}

/// The first eight bytes of a number of at least two, the others, and how many there are.
#[inline]
pub(crate) fn long_varint(value: u64) -> (u64, u64, usize) {
    let len = (63 - (value | 1).leading_zeros() as usize) / 7 + 1;
    // All but the last byte say that there is another one.
    if len <= 8 {
        return (spread(value) | (MORE & ((1 << (8 * (len - 1))) - 1)), 0, len);
    }
    let high = value >> 56;
    (spread(value & ((1 << 56) - 1)) | MORE, if high < 0x80 { high } else { high | 1 << 8 }, len)
}

/// Of each byte the bit that says that there is another one.
const MORE: u64 = 0x8080_8080_8080_8080;

/// 56 bits, seven to a byte.
#[inline]
fn spread(bits: u64) -> u64 {
    let bits = (bits & 0x0fff_ffff) | ((bits & 0x00ff_ffff_f000_0000) << 4);
    let bits = (bits & 0x0000_3fff_0000_3fff) | ((bits & 0x0fff_c000_0fff_c000) << 2);
    (bits & 0x007f_007f_007f_007f) | ((bits & 0x3f80_3f80_3f80_3f80) << 1)
}

/// A number of two to four bytes, and how many it has; none if it is longer. That it has more than one is known from its first
/// byte.
#[inline]
pub(crate) fn take_short_varint(bytes: &[u8]) -> Option<(u32, usize)> {
    let Some(word) = bytes.first_chunk() else { return unpack(take_last_varint(bytes)) };
    let word = u32::from_le_bytes(*word);
    let last = !word & MORE as u32;
    if last == 0 {
        return None;
    }
    // The lowest such bit ends the number; those below it belong to the number's bytes.
    let bits = word & (last ^ (last - 1)) & !(MORE as u32);
    Some((gather_short(bits), last.trailing_zeros() as usize / 8 + 1))
}

/// The same where fewer than four bytes are left, as [`unpack`] takes it apart: it is all there is in many calls and replies. Not
/// inlined: it would take its registers from every loop that reads numbers.
#[inline(never)]
fn take_last_varint(bytes: &[u8]) -> u64 {
    match *bytes {
        [one, two @ ..0x80, ..] => u64::from(one & 0x7f) | u64::from(two) << 7 | 2 << 32,
        [one, two, three @ ..0x80] => {
            u64::from(one & 0x7f) | u64::from(two & 0x7f) << 7 | u64::from(three) << 14 | 3 << 32
        }
        _ => 0,
    }
}

/// A number, and how many bytes it has, in one register.
#[inline]
fn unpack(packed: u64) -> Option<(u32, usize)> {
    (packed != 0).then_some((packed as u32, (packed >> 32) as usize))
}

/// A number of at most so many bytes, and not above `max`, and how many it has; none if it is something else. Not inlined:
/// it would keep what calls it, for each number of a value, from being so.
#[inline(never)]
pub(crate) fn take_long_varint(bytes: &[u8], longest: usize, max: u64) -> (u64, usize) {
    let (value, len) = match bytes.first_chunk().map(|first| take_whole(*first)) {
        Some((value, len @ 1..)) => (value, len),
        _ => take_by_bytes(bytes),
    };
    if len <= longest && value <= max { (value, len) } else { (0, 0) }
}

/// A number of at most eight bytes, or none: all at once, for a loop would be as slow as the number is long.
#[inline]
fn take_whole(bytes: [u8; 8]) -> (u64, usize) {
    match word_varint(u64::from_le_bytes(bytes)) {
        (_, 9..) => (0, 0),
        (bits, len) => (gather(bits), len),
    }
}

/// The number at the low end of a word, its bytes not yet [gathered](gather), and how many it has: nine if it does not end
/// there.
#[inline]
pub(crate) fn word_varint(word: u64) -> (u64, usize) {
    let last = !word & MORE;
    // The lowest such bit ends the number; those below it belong to the number's bytes.
    (word & (last ^ last.wrapping_sub(1)) & !MORE, last.trailing_zeros() as usize / 8 + 1)
}

/// A number that is at the end of the bytes, or longer, or none.
fn take_by_bytes(bytes: &[u8]) -> (u64, usize) {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        // The tenth byte has room for the last one of 64 bits.
        if index == 9 && *byte > 1 {
            return (0, 0);
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return (value, index + 1);
        }
    }
    (0, 0)
}

/// Seven bits of each byte, next to each other.
#[inline]
pub(crate) fn gather_short(bytes: u32) -> u32 {
    let bits = (bytes & 0x007f_007f) | ((bytes & 0x7f00_7f00) >> 1);
    (bits & 0x3fff) | ((bits & 0x3fff_0000) >> 2)
}

/// The same of eight bytes.
#[inline]
pub(crate) fn gather(bytes: u64) -> u64 {
    let bits = (bytes & 0x007f_007f_007f_007f) | ((bytes & 0x7f00_7f00_7f00_7f00) >> 1);
    let bits = (bits & 0x0000_3fff_0000_3fff) | ((bits & 0x3fff_0000_3fff_0000) >> 2);
    (bits & 0x0fff_ffff) | ((bits & 0x0fff_ffff_0000_0000) >> 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_at_the_end_of_the_bytes_is_read_as_any_is() {
        let mut edges: Vec<u8> = vec![0, 1, 0x7f, 0x80, 0x81, 0xff];
        edges.extend([0x40, 0xc0]);
        for one in edges.iter().filter(|one| **one >= 0x80) {
            for two in &edges {
                check(&[*one, *two]);
                for three in &edges {
                    check(&[*one, *two, *three]);
                }
            }
            check(&[*one]);
        }
        assert_eq!(take_short_varint(&[]), None);
    }

    /// What the bytes begin with is the same number whether there are more bytes or not.
    fn check(bytes: &[u8]) {
        let (value, len) = take_by_bytes(bytes);
        let expected = (len > 0).then_some((value as u32, len));
        assert_eq!(take_short_varint(bytes), expected, "{bytes:x?}");
        if len > 0 {
            assert_eq!(take_short_varint(&[bytes, &[0xff; 8]].concat()), expected, "{bytes:x?}");
        }
    }
}
