//! What a message carries.

use std::{
    fmt,
    ops::{Deref, Range},
};

use bytes::Bytes;

/// The bytes that a call or a reply carries.
///
/// Most are shorter than the pointers to them would be, and cost no memory of their own.
#[derive(Clone)]
pub(crate) enum Payload {
    /// All there is, and how much of it.
    Inline(u8, [u8; INLINE]),
    /// Bytes that nobody else has.
    Owned(Vec<u8>),
    /// A part of what was read, or bytes that others hold too.
    Shared(Bytes),
}

/// The longest payload that takes no memory of its own: it fills the enum up to the size that the other forms need.
const INLINE: usize = 38;

impl Payload {
    /// A copy, if it needs no memory of its own.
    #[inline]
    pub(crate) fn inline(bytes: &[u8]) -> Option<Self> {
        let mut place = [0; INLINE];
        place.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self::Inline(bytes.len() as u8, place))
    }

    /// A copy of this part of `bytes`, if it needs no memory of its own.
    #[inline]
    pub(crate) fn inline_of(bytes: &[u8], part: Range<usize>) -> Option<Self> {
        let len = part.end.checked_sub(part.start).filter(|len| *len <= INLINE)?;
        // A copy of constant length costs next to nothing; what is behind the part is never looked at.
        match bytes.get(part.start..)?.first_chunk::<INLINE>() {
            Some(place) => Some(Self::Inline(len as u8, *place)),
            None => Self::inline(bytes.get(part)?),
        }
    }

    /// The bytes, to be shared.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Inline(..) => Bytes::copy_from_slice(&self),
            Self::Owned(bytes) => bytes.into(),
            Self::Shared(bytes) => bytes,
        }
    }
}

impl Deref for Payload {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            // Never longer than the array.
            Self::Inline(len, bytes) => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Owned(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::Inline(0, [0; INLINE])
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Owned(bytes)
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::Shared(bytes)
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Payload").field(&Bytes::copy_from_slice(self)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_payload_needs_no_memory_and_no_more_room_than_a_long_one() {
        assert!(size_of::<Payload>() <= size_of::<Bytes>() + size_of::<usize>());
        let longest = [7; INLINE];
        assert_eq!(&*Payload::inline(&longest).unwrap(), &longest);
        assert_eq!(Payload::inline(&[7; INLINE + 1]), None);
        assert_eq!(Payload::inline(b"ab").unwrap(), Payload::from(b"ab".to_vec()));
        assert_eq!(Payload::inline(b"ab").unwrap().into_bytes(), b"ab"[..]);
        assert!(Payload::default().is_empty());
    }
}
