//! Items of one stream that wait to be sent.

use super::varint::varint;

/// The items of one stream that wait to be sent, each behind its length.
#[derive(Debug)]
pub(crate) struct Batch {
    items: Vec<u8>,
    /// How many bytes the length of the last item took. Most likely the next one's takes as many.
    prefix: usize,
}

/// An empty batch keeps this much memory.
const KEPT: usize = 4 << 10;

impl Default for Batch {
    fn default() -> Self {
        Self { items: Vec::new(), prefix: 1 }
    }
}

impl Batch {
    /// The items.
    pub(crate) fn items(&self) -> &[u8] {
        &self.items
    }

    /// How many bytes they are.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Appends an item: `write` appends so many bytes for its length, and then the item, to the given vector. After an
    /// error of it that must be as it was.
    #[inline]
    pub(crate) fn push_with<E>(&mut self, write: impl FnOnce(&mut Vec<u8>, usize) -> Result<(), E>) -> Result<(), E> {
        let before = self.items.len();
        write(&mut self.items, self.prefix)?;
        let size = self.items.len().saturating_sub(before + self.prefix);
        match self.items.get_mut(before) {
            Some(place) if size < 0x80 && self.prefix == 1 => *place = size as u8,
            _ => self.put_length(before, size),
        }
        Ok(())
    }

    /// Puts the length in front of the last item, which moves if another length was expected.
    fn put_length(&mut self, before: usize, size: usize) {
        let (prefix, len) = varint(size as u64);
        self.items.splice(before..self.items.len() - size, prefix.into_iter().take(len));
        self.prefix = len;
    }

    /// Drops what was sent.
    pub(crate) fn advance(&mut self, bytes: usize) {
        self.items.drain(..bytes.min(self.items.len()));
    }

    /// Gives memory back: the producer has nothing for now, and there may be many like it.
    pub(crate) fn rest(&mut self) {
        if self.items.is_empty() && self.items.capacity() > KEPT {
            self.items = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::push_item;

    fn push(batch: &mut Batch, item: &[u8]) {
        let pushed = batch.push_with(|out, prefix| {
            out.extend((0..prefix).map(|_| 0).chain(item.iter().copied()));
            Ok::<_, ()>(())
        });
        pushed.unwrap();
    }

    #[test]
    fn lengths_of_all_sizes_stand_where_they_belong() {
        let (mut batch, mut expected) = (Batch::default(), Vec::new());
        for size in [0, 1, 127, 128, 129, 5, 20_000, 20_000, 300, 300, 0] {
            push(&mut batch, &vec![size as u8; size]);
            push_item(&mut expected, &vec![size as u8; size]);
        }
        assert_eq!(batch.items(), expected);
        assert_eq!(batch.push_with(|_, _| Err(7)), Err(7));
        assert_eq!(batch.items(), expected);
    }

    #[test]
    fn what_was_sent_is_dropped_and_memory_given_back() {
        let mut batch = Batch::default();
        push(&mut batch, &[1; 9000]);
        push(&mut batch, &[2; 9]);
        batch.advance(9002);
        assert_eq!(batch.items(), [9, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
        batch.rest();
        assert_eq!(batch.len(), 10);
        batch.advance(99);
        assert!(batch.is_empty());
        batch.rest();
        assert_eq!(batch.items.capacity(), 0);
        push(&mut batch, &[3]);
        assert_eq!(batch.items(), [1, 3]);
    }
}
