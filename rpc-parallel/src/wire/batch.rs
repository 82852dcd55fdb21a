//! Items of one stream that wait to be sent.

use super::varint::varint;

/// The items of one stream that wait to be sent, each behind its length.
#[derive(Debug)]
pub(crate) struct Batch {
    /// What lies behind `len` is room for further items, of any content: to clear it for each would cost more than most
    /// items do.
    room: Vec<u8>,
    len: usize,
    /// How many bytes the length of the last item took. Most likely the next one's takes as many.
    prefix: usize,
}

/// An empty batch keeps this much memory.
const KEPT: usize = 4 << 10;

impl Default for Batch {
    fn default() -> Self {
        Self { room: Vec::new(), len: 0, prefix: 1 }
    }
}

impl Batch {
    /// The items.
    pub(crate) fn items(&self) -> &[u8] {
        self.room.get(..self.len).unwrap_or_default()
    }

    /// How many bytes they are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends an item that `write` writes into the given vector from the given place on, however long that has to
    /// become; it returns where the item ends. After an error the batch is as it was.
    #[inline]
    pub(crate) fn push_with<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>, usize) -> Result<usize, E>,
    ) -> Result<(), E> {
        let start = self.len + self.prefix;
        let end = write(&mut self.room, start)?;
        let size = end - start;
        match self.room.get_mut(self.len) {
            Some(place) if size < 0x80 && self.prefix == 1 => {
                *place = size as u8;
                self.len = end;
            }
            _ => self.put_length(start, size),
        }
        Ok(())
    }

    /// Puts the length in front of an item, which moves if another length was expected.
    fn put_length(&mut self, start: usize, size: usize) {
        let (prefix, prefix_len) = varint(size as u64);
        let body = self.len + prefix_len;
        let end = body + size;
        self.room.resize(self.room.len().max(end).max(start), 0);
        if body != start {
            self.room.copy_within(start..start + size, body);
        }
        if let Some(place) = self.room.get_mut(self.len..body) {
            place.copy_from_slice(&prefix[..prefix_len]);
        }
        (self.len, self.prefix) = (end, prefix_len);
    }

    /// Drops what was sent.
    pub(crate) fn advance(&mut self, bytes: usize) {
        let sent = bytes.min(self.len);
        self.room.copy_within(sent..self.len, 0);
        self.len -= sent;
    }

    /// Gives memory back: the producer has nothing for now, and there may be many like it.
    pub(crate) fn rest(&mut self) {
        if self.len == 0 && self.room.len() > KEPT {
            self.room = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::push_item;

    fn push(batch: &mut Batch, item: &[u8]) {
        let pushed = batch.push_with(|room, start| {
            room.truncate(start);
            room.resize(start, 0);
            room.extend_from_slice(item);
            Ok::<_, ()>(room.len())
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
        assert_eq!(batch.room.capacity(), 0);
        push(&mut batch, &[3]);
        assert_eq!(batch.items(), [1, 3]);
    }
}
