//! The parts of a compound value, one after the other.

use serde::de::{DeserializeSeed, MapAccess, SeqAccess};

use super::{deserializer::Deserializer, refused::Refused};

/// The parts of a compound value, of which there are so many.
pub(super) struct Parts<'a, 'de> {
    deserializer: &'a mut Deserializer<'de>,
    len: usize,
}

impl<'a, 'de> Parts<'a, 'de> {
    #[inline]
    pub(super) fn new(deserializer: &'a mut Deserializer<'de>, len: usize) -> Self {
        Self { deserializer, len }
    }

    /// A number that the peer made up must not get memory.
    fn hint(&self) -> Option<usize> {
        (self.len <= self.deserializer.left()).then_some(self.len)
    }
}

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Refused;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        if self.len == 0 {
            return Ok(None);
        }
        self.len -= 1;
        seed.deserialize(&mut *self.deserializer).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'de> MapAccess<'de> for Parts<'_, 'de> {
    type Error = Refused;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        self.next_element_seed(seed)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        seed.deserialize(&mut *self.deserializer)
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}
