//! What a message carries.

use std::{fmt, ops::Deref};

use bytes::Bytes;

use super::Few;

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

/// What was read and is shorter may lie in a buffer with others.
const LARGE: usize = 64 << 10;

impl Payload {
    /// The longest payload that takes no memory of its own.
    pub(super) const INLINE: usize = INLINE;

    /// A copy, if it needs no memory of its own.
    #[inline]
    pub(crate) fn inline(bytes: &[u8]) -> Option<Self> {
        let mut place = [0; INLINE];
        place.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Self::Inline(bytes.len() as u8, place))
    }

    /// Becomes a copy of this part of `bytes`, from start to end.
    #[inline]
    pub(crate) fn fill(&mut self, bytes: &[u8], (start, end): (usize, usize)) {
        let len = end.wrapping_sub(start);
        // A copy of constant length costs next to nothing; what is behind the part is never looked at. It goes straight to
        // its place: what is put together elsewhere, in parts, and then copied as a whole makes the CPU wait.
        match (&mut *self, bytes.get(start..).and_then(|bytes| bytes.first_chunk::<INLINE>())) {
            (Self::Inline(place_len, place), Some(chunk)) if len <= INLINE => {
                *place_len = len as u8;
                *place = *chunk;
            }
            _ => self.fill_any(bytes.get(start..end).unwrap_or_default()),
        }
    }

    /// Out of the way of what is taken nearly always.
    #[inline(never)]
    fn fill_any(&mut self, part: &[u8]) {
        *self = Self::inline(part).unwrap_or_else(|| Self::Owned(part.to_vec()));
    }

    /// Copies this to `place`, if neither needs memory of its own.
    #[inline]
    pub(crate) fn copy_to(&self, place: &mut Self) -> bool {
        let (Self::Inline(len, bytes), Self::Inline(place_len, place)) = (self, place) else { return false };
        *place_len = *len;
        *place = *bytes;
        true
    }

    /// Becomes `place`, leaving what may be any other payload.
    pub(crate) fn move_to(&mut self, place: &mut Self) {
        if !self.copy_to(place) {
            *place = self.take();
        }
    }

    /// The payload, leaving what may be any other.
    #[inline]
    pub(crate) fn take(&mut self) -> Self {
        match self {
            Self::Inline(len, bytes) => Self::Inline(*len, *bytes),
            other => std::mem::take(other),
        }
    }

    /// The bytes, in the same memory if they have a buffer of their own.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self {
            Self::Owned(bytes) => bytes,
            // What is short may be the last that looks at a buffer which is much larger.
            Self::Shared(bytes) if bytes.len() >= LARGE => bytes.into(),
            short => short.to_vec(),
        }
    }

    /// The bytes, if they can be shared as they are.
    pub(crate) fn shared(&self) -> Option<&Bytes> {
        match self {
            Self::Shared(bytes) => Some(bytes),
            _ => None,
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

impl From<Few> for Payload {
    #[inline]
    fn from(few: Few) -> Self {
        let mut place = [0; INLINE];
        if let Some(front) = place.first_chunk_mut() {
            *front = few.bytes();
        }
        // They are there.
        Self::Inline(few.len() as u8, place)
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
