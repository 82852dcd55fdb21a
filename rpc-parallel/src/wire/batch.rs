//! Items of one stream that wait to be sent.

use super::varint::varint;

/// The items of one stream that wait to be sent: a row of those that are as long as the first one, and then the others, each
/// behind its length.
#[derive(Debug)]
pub(crate) struct Batch {
    items: Vec<u8>,
    /// How many bytes are left in front of the next item for its length. 0 within the row.
    gap: usize,
    /// How long the items of the row are; more than any item is if there is none.
    size: usize,
    /// Where the row ends, if others follow it.
    end: Option<usize>,
    /// How long the last item was that was no part of a row, or the only one of its row; and how many before it were as long.
    last: usize,
    alike: usize,
}

/// There is no row.
const NO_ROW: usize = usize::MAX;

/// An empty batch keeps this much memory.
const KEPT: usize = 4 << 10;

/// After so many items of one size a row is worth a frame of its own.
const ALIKE: usize = 64;

impl Default for Batch {
    fn default() -> Self {
        Self { items: Vec::new(), gap: 0, size: NO_ROW, end: None, last: 0, alike: 0 }
    }
}

impl Batch {
    /// The items of the row, and how long each of them is.
    pub(crate) fn row(&self) -> (&[u8], u32) {
        let row = self.items.get(..self.end.unwrap_or(self.items.len())).unwrap_or_default();
        // Messages are limited to 2 GiB, see `Settings::bounded`.
        (row, u32::try_from(self.size).unwrap_or(u32::MAX))
    }

    /// The items after it, each behind its length.
    pub(crate) fn others(&self) -> &[u8] {
        self.end.and_then(|end| self.items.get(end..)).unwrap_or_default()
    }

    /// How many bytes they are.
    #[inline]
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
        write(&mut self.items, self.gap)?;
        let size = self.items.len().wrapping_sub(before + self.gap);
        if size != self.size || self.gap > 0 {
            self.place(before, size);
        }
        Ok(())
    }

    /// The row, to which items may be appended that are as long as the others of it, and how long those are. If one is not,
    /// it must be [placed](Self::place) at once.
    #[inline]
    pub(crate) fn row_mut(&mut self) -> Option<(&mut Vec<u8>, usize)> {
        (self.gap == 0 && !self.items.is_empty()).then_some((&mut self.items, self.size))
    }

    /// Finds the place of the last item, which does not simply follow a row, and before which there are so many bytes.
    #[inline(never)]
    pub(crate) fn place(&mut self, before: usize, size: usize) {
        if before == 0 && self.gap == 0 && size > 0 {
            self.size = size;
            return;
        }
        self.end.get_or_insert(before);
        match self.items.get_mut(before) {
            Some(place) if size < 0x80 && self.gap == 1 => *place = size as u8,
            _ => {
                let (prefix, len) = varint(size as u64);
                self.items.splice(before..before + self.gap, prefix.into_iter().take(len));
                // Most likely the next one's length takes as many bytes.
                self.gap = len;
            }
        }
        self.alike = if size == self.last { self.alike + 1 } else { 0 };
        self.last = size;
    }

    /// All was sent. Whether there is a row to begin with is decided by the items so far.
    pub(crate) fn clear(&mut self) {
        // One by itself says nothing of the next one.
        let other = self.items.len() == self.size && self.size != self.last;
        if other {
            (self.last, self.gap, self.alike) = (self.size, varint(self.size as u64).1, 0);
        }
        if !other && (self.end.is_none() || (self.alike >= ALIKE && self.last > 0)) {
            (self.gap, self.end, self.alike) = (0, None, 0);
        } else {
            self.end = Some(0);
        }
        self.items.clear();
        self.size = NO_ROW;
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
        let pushed = batch.push_with(|out, gap| {
            out.extend((0..gap).map(|_| 0).chain(item.iter().copied()));
            Ok::<_, ()>(())
        });
        pushed.unwrap();
    }

    fn others(items: &[&[u8]]) -> Vec<u8> {
        let mut expected = Vec::new();
        items.iter().for_each(|item| push_item(&mut expected, item));
        expected
    }

    #[test]
    fn items_of_one_size_are_a_row() {
        let mut batch = Batch::default();
        for size in [300, 3, 1] {
            for item in 0..5 {
                push(&mut batch, &vec![item; size]);
            }
            let expected: Vec<_> = (0..5).flat_map(|item| vec![item; size]).collect();
            assert_eq!((batch.row(), batch.others()), ((&*expected, size as u32), &[][..]));
            assert_eq!(batch.len(), expected.len());
            batch.clear();
            assert!(batch.is_empty());
        }
    }

    #[test]
    fn lengths_of_all_sizes_stand_where_they_belong() {
        let items: Vec<_> =
            [5, 5, 0, 1, 127, 128, 129, 5, 20_000, 20_000, 300, 300, 0].map(|size| vec![7; size]).into();
        let items: Vec<_> = items.iter().map(|item| &**item).collect();
        for first in 0..items.len() {
            let mut batch = Batch::default();
            let row =
                items[first..].iter().take_while(|item| !item.is_empty() && item.len() == items[first].len()).count();
            items[first..].iter().for_each(|item| push(&mut batch, item));
            assert_eq!(batch.row().0, items[first..first + row].concat());
            assert_eq!(batch.others(), others(&items[first + row..]));
            let before = batch.others().to_vec();
            assert_eq!(batch.push_with(|_, _| Err(7)), Err(7));
            assert_eq!(batch.others(), before);
        }
    }

    #[test]
    fn a_batch_begins_with_a_row_where_that_is_worth_it() {
        let mut batch = Batch::default();
        push(&mut batch, b"a");
        push(&mut batch, b"bc");
        batch.clear();
        for _ in 0..=ALIKE + 1 {
            // These may be the first ones of a row, which would be known too late for this batch.
            push(&mut batch, b"abc");
        }
        assert_eq!((batch.row().0, batch.others()), (&[][..], &*others(&[&b"abc"[..]; ALIKE + 2])));
        batch.clear();
        push(&mut batch, b"abc");
        push(&mut batch, b"def");
        assert_eq!((batch.row(), batch.others()), ((&b"abcdef"[..], 3), &[][..]));
        batch.clear();
        for _ in 0..=ALIKE + 1 {
            push(&mut batch, b"");
        }
        batch.clear();
        push(&mut batch, b"abc");
        assert_eq!((batch.row().0, batch.others()), (&[][..], &*others(&[b"abc"])));
    }

    #[test]
    fn single_items_are_rows_as_long_as_they_are_alike() {
        let mut batch = Batch::default();
        push(&mut batch, &[1; 300]);
        assert_eq!(batch.row(), (&[1; 300][..], 300));
        // That there will be others like it is not known yet.
        for _ in 0..ALIKE {
            batch.clear();
            push(&mut batch, &[2; 300]);
            assert_eq!((batch.row().0, batch.others()), (&[][..], &*others(&[&[2; 300]])));
        }
        for _ in 0..3 {
            batch.clear();
            push(&mut batch, &[3; 300]);
            assert_eq!((batch.row(), batch.others()), ((&[3; 300][..], 300), &[][..]));
        }
        batch.clear();
        push(&mut batch, &[4; 7]);
        assert_eq!(batch.row(), (&[4; 7][..], 7));
        batch.clear();
        push(&mut batch, &[5; 8]);
        assert_eq!((batch.row().0, batch.others()), (&[][..], &*others(&[&[5; 8]])));
    }

    #[test]
    fn memory_is_given_back() {
        let mut batch = Batch::default();
        push(&mut batch, &[1; 9000]);
        batch.rest();
        assert_eq!(batch.len(), 9000);
        batch.clear();
        batch.rest();
        assert_eq!(batch.items.capacity(), 0);
        push(&mut batch, &[3]);
        assert_eq!(batch.others(), [1, 3]);
    }
}
