//! Unsigned integers of variable length: LEB128, seven bits a byte, the lowest first.

/// Appends a number.
#[inline]
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
/// How many bytes [`put_varint`] appends.
pub(super) fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Takes a number off the front. Only the shortest form of a number is one: with several, two sides could disagree
/// about how many bytes of credit an item has cost.
#[inline]
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    if let [short @ 0..0x80, rest @ ..] = *bytes {
        *bytes = rest;
        return Some(u64::from(*short));
    }
    take_long_varint(bytes)
}

fn take_long_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        // The tenth byte has room for the last one of 64 bits.
        if index == 9 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            if byte == 0 && index > 0 {
                return None;
            }
            *bytes = bytes.get(index + 1..)?;
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_survives(shift in 0..64_u32, bits: u64) {
            let value = bits >> shift;
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            prop_assert_eq!(bytes.len(), varint_len(value));
            let mut rest = &bytes[..];
            prop_assert_eq!(take_varint(&mut rest), Some(value));
            prop_assert!(rest.is_empty());
        }
    }

    #[test]
    fn only_the_shortest_form_is_read() {
        for bad in [
            &[][..],
            &[0x80],
            &[0x80, 0],
            &[0xff, 0x80, 0],
            &[0xff; 11],
            &[255, 255, 255, 255, 255, 255, 255, 255, 255, 2],
        ] {
            assert_eq!(take_varint(&mut &*bad), None, "{bad:x?}");
        }
    }
}
