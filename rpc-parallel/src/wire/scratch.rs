//! Buffers that messages are put together in.

use std::{
    cell::Cell,
    ops::{Deref, DerefMut},
};

use super::Payload;

thread_local! {
    /// Empty, but with memory.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A buffer for one message that is being put together. The buffer of a message so short that it needs no memory of its
/// own serves this thread's next one: otherwise every call and every reply would allocate.
#[derive(Debug)]
pub(crate) struct Scratch(Vec<u8>);

/// How much memory a thread keeps.
const KEPT: usize = 4 << 10;

impl Scratch {
    /// An empty buffer.
    #[inline]
    pub(crate) fn new() -> Self {
        // A thread that ends has no spare any more.
        Self(SPARE.try_with(Cell::take).unwrap_or_default())
    }

    /// What was put together.
    #[inline]
    pub(crate) fn into_payload(mut self) -> Payload {
        let Some(payload) = Payload::inline(&self.0) else { return Payload::Owned(self.0) };
        if self.0.capacity() <= KEPT {
            self.0.clear();
            let _ = SPARE.try_with(|spare| spare.set(self.0));
        }
        payload
    }
}

impl Deref for Scratch {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_message_starts_empty_in_the_same_memory() {
        let mut first = Scratch::new();
        first.extend_from_slice(b"first");
        let memory = first.as_ptr();
        assert_eq!(&*first.into_payload(), b"first");
        let mut second = Scratch::new();
        assert!(second.is_empty());
        second.extend_from_slice(b"second");
        assert_eq!(second.as_ptr(), memory);
        second.resize(KEPT, 0);
        assert_eq!(second.into_payload().len(), KEPT);
        assert_ne!(Scratch::new().as_ptr(), memory);
    }
}
