//! A few bytes in a register.

/// At most eight bytes, passed on in registers: all that most calls and most replies carry.
///
/// Its two words are what it is made of, rather than an enum, so that it is returned in two registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Few {
    /// The first byte is the lowest; what is behind the last one is anything.
    bytes: u64,
    /// How many there are; more than fit if there are none such.
    len: usize,
}

impl Few {
    /// How many there may be.
    pub(crate) const MOST: usize = size_of::<u64>();

    /// No byte at all.
    pub(crate) const EMPTY: Self = Self { bytes: 0, len: 0 };

    /// What is not here, for there is more of it, or it has not come.
    pub(crate) const NONE: Self = Self { bytes: 0, len: usize::MAX };

    /// The first `len` bytes, or [`NONE`](Self::NONE) if there cannot be so many.
    #[inline(always)]
    pub(crate) fn new(bytes: u64, len: usize) -> Self {
        Self { bytes, len }
    }

    /// All these bytes, if they are few.
    #[inline(always)]
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let len = bytes.len();
        let few = match (bytes.first_chunk(), bytes.last_chunk(), bytes) {
            // The bytes in the middle come to their own place twice.
            (Some(first), Some(last), _) if len <= Self::MOST => {
                u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4))
            }
            (None, _, [one, two, three]) => u64::from(u32::from_le_bytes([*one, *two, *three, 0])),
            (None, _, [one, two]) => u64::from(u16::from_le_bytes([*one, *two])),
            (None, _, [one]) => u64::from(*one),
            (None, _, []) => 0,
            _ => return Self::NONE,
        };
        Self { bytes: few, len }
    }

    /// The first `len` bytes of `bytes`, if they are few.
    #[inline(always)]
    pub(crate) fn front(bytes: &[u8], len: usize) -> Self {
        match bytes.first_chunk() {
            Some(word) => Self::new(u64::from_le_bytes(*word), len),
            None => bytes.get(..len).map_or(Self::NONE, Self::of),
        }
    }

    /// Whether they are here.
    #[inline(always)]
    pub(crate) fn is_there(self) -> bool {
        self.len <= Self::MOST
    }

    /// The bytes and whatever follows, the first one lowest.
    #[inline(always)]
    pub(crate) fn word(self) -> u64 {
        self.bytes
    }

    /// How many there are.
    #[inline(always)]
    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// The bytes and whatever follows, of which [`len`](Self::len) are meant.
    #[inline(always)]
    pub(crate) fn bytes(self) -> [u8; Self::MOST] {
        self.bytes.to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_few_is_held_as_it_is() {
        let all: Vec<u8> = (1..=9).collect();
        for len in 0..=Few::MOST {
            let few = Few::of(&all[..len]);
            assert!(few.is_there());
            assert_eq!((&few.bytes()[..len], few.len()), (&all[..len], len));
        }
        for len in 0..=all.len() {
            for after in len..=all.len() {
                let few = Few::front(&all[..after], len);
                assert_eq!(few.is_there(), len <= Few::MOST);
                if few.is_there() {
                    assert_eq!((&few.bytes()[..few.len()], few.len()), (&all[..len], len));
                }
            }
        }
        assert!(!Few::front(b"abc", 4).is_there(), "there are not so many");
        assert!(!Few::of(&all).is_there() && !Few::NONE.is_there() && Few::EMPTY.is_there());
    }
}
