//! Numbers of variable length inside of values: seven bits a byte, the lowest first.

/// The longest form of a number of 64 bits.
pub(super) const VARINT: usize = 10;

/// Writes a number and says how long it is; what follows may be overwritten.
#[inline]
pub(super) fn put_varint(place: &mut [u8; VARINT], mut value: u64) -> usize {
    if value >= LONG {
        return put_long(place, value);
    }
    let mut len = 0;
    while value >= 0x80 && len < VARINT - 1 {
        place[len] = value as u8 | 0x80;
        value >>= 7;
        len += 1;
    }
    place[len] = value as u8;
    len + 1
}

/// From here on a number is written faster as a whole than byte by byte.
const LONG: u64 = 1 << 28;

/// Not inlined: it would keep what calls it, for each number of a value, from being so.
#[inline(never)]
fn put_long(place: &mut [u8; VARINT], value: u64) -> usize {
    let Some(first) = place.first_chunk_mut() else { return 0 };
    if value < 1 << 56 {
        let len = (63 - value.leading_zeros() as usize) / 7 + 1;
        let more = 0x8080_8080_8080_8080 & ((1 << (8 * (len - 1))) - 1);
        *first = (spread(value) | more).to_le_bytes();
        return len;
    }
    *first = (spread(value & ((1 << 56) - 1)) | 0x8080_8080_8080_8080).to_le_bytes();
    let high = value >> 56;
    if high < 0x80 {
        place[8] = high as u8;
        return 9;
    }
    place[8] = high as u8 | 0x80;
    place[9] = (high >> 7) as u8;
    10
}

/// 56 bits, seven to a byte.
#[inline]
fn spread(bits: u64) -> u64 {
    let bits = (bits & 0x0fff_ffff) | ((bits & 0x00ff_ffff_f000_0000) << 4);
    let bits = (bits & 0x0000_3fff_0000_3fff) | ((bits & 0x0fff_c000_0fff_c000) << 2);
    (bits & 0x007f_007f_007f_007f) | ((bits & 0x3f80_3f80_3f80_3f80) << 1)
}

/// A number of at most eight bytes, and how many it has. All at once: a loop would be as slow as the number is long. Not
/// inlined: it would keep what calls it, for each number of a value, from being so.
#[inline(never)]
pub(super) fn take_whole(bytes: [u8; 8]) -> Option<(u64, usize)> {
    let word = u64::from_le_bytes(bytes);
    let last = !word & 0x8080_8080_8080_8080;
    if last == 0 {
        return None;
    }
    // The lowest such bit ends the number; those below it belong to the number's bytes.
    let bits = word & (last ^ (last - 1)) & 0x7f7f_7f7f_7f7f_7f7f;
    Some((gather(bits), last.trailing_zeros() as usize / 8 + 1))
}

/// Seven bits of each byte, next to each other.
#[inline]
fn gather(bytes: u64) -> u64 {
    let bits = (bytes & 0x007f_007f_007f_007f) | ((bytes & 0x7f00_7f00_7f00_7f00) >> 1);
    let bits = (bits & 0x0000_3fff_0000_3fff) | ((bits & 0x3fff_0000_3fff_0000) >> 2);
    (bits & 0x0fff_ffff) | ((bits & 0x0fff_ffff_0000_0000) >> 4)
}
