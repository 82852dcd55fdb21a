//! The items of a stream inside a frame: all of one size, or each one behind its length.

use bytes::Bytes;

use super::{TooBig, varint::take_varint};

#[cfg(test)]
/// What an item of this length costs in credit: its bytes and those of its length.
pub(crate) fn item_size(len: usize) -> usize {
    super::varint::varint_len(len as u64) + len
}

/// Why the items of a frame are not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BadItems {
    /// There are none; a length is missing, or promises more than there is; or the last of a row is shorter than the others.
    Malformed,
    /// An item was begun without credit.
    Overdrawn,
    /// An item is above the limit.
    TooBig(TooBig),
}

/// The items of one frame.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Items {
    /// How long each of them is, or 0 if each stands behind its length.
    pub(crate) size: u32,
    pub(crate) bytes: Bytes,
}

impl Items {
    /// Checks the items and returns the credit that is left after them: every item may be begun as long as some is.
    pub(crate) fn check(&self, credit: i64, limit: usize) -> Result<i64, BadItems> {
        if self.bytes.is_empty() {
            // It would cost a peer nothing, and us a place in a queue.
            return Err(BadItems::Malformed);
        }
        match self.size as usize {
            0 => check_each(&self.bytes, credit, limit),
            size => check_row(&self.bytes, size, credit, limit),
        }
    }

    /// The bytes from the item at `at` on, and how many of them it has; `at` moves behind it. `None` at the end.
    #[inline]
    pub(crate) fn item_at(&self, at: &mut usize) -> Option<(&[u8], usize)> {
        let rest = self.bytes.get(*at..)?;
        let size = self.size as usize;
        // Nearly all items of a fast stream are as long as the one before.
        if size > 0 {
            *at += size;
            return (size <= rest.len()).then_some((rest, size));
        }
        let (len, start) = match *rest.first()? {
            short if short < 0x80 => (usize::from(short), 1),
            _ => {
                let mut after = rest;
                let len = usize::try_from(take_varint(&mut after)?).ok()?;
                (len, rest.len() - after.len())
            }
        };
        *at += start.checked_add(len)?;
        let item = rest.get(start..)?;
        (len <= item.len()).then_some((item, len))
    }
}

fn check_row(items: &[u8], size: usize, credit: i64, limit: usize) -> Result<i64, BadItems> {
    TooBig::check(size, limit).map_err(BadItems::TooBig)?;
    if !items.len().is_multiple_of(size) {
        return Err(BadItems::Malformed);
    }
    if (items.len() - size) as i64 >= credit {
        return Err(BadItems::Overdrawn);
    }
    Ok(credit - items.len() as i64)
}

fn check_each(items: &[u8], credit: i64, limit: usize) -> Result<i64, BadItems> {
    // Of each item there is only its length to look at, and one byte has nearly all of them: this loop is as long as a
    // stream of small items has items.
    let short = if limit < 0x80 { 0 } else { 0x80 };
    let mut at = 0;
    while let Some(first) = items.get(at) {
        if at as i64 >= credit {
            return Err(BadItems::Overdrawn);
        }
        if *first < short {
            at += 1 + usize::from(*first);
            continue;
        }
        let mut rest = items.get(at..).unwrap_or_default();
        let len = take_varint(&mut rest).ok_or(BadItems::Malformed)?;
        let len = usize::try_from(len).map_err(|_| BadItems::Malformed)?;
        TooBig::check(len, limit).map_err(BadItems::TooBig)?;
        at = (items.len() - rest.len()).checked_add(len).ok_or(BadItems::Malformed)?;
    }
    if at == items.len() { Ok(credit - at as i64) } else { Err(BadItems::Malformed) }
}

/// Appends an item whose bytes are there already.
#[cfg(test)]
pub(crate) fn push_item(batch: &mut Vec<u8>, item: &[u8]) {
    super::varint::put_varint(batch, item.len() as u64);
    batch.extend_from_slice(item);
}

/// Takes an item off the front.
#[cfg(test)]
pub(crate) fn take_item(items: &mut Items) -> Option<Bytes> {
    let mut at = 0;
    let (_, size) = items.item_at(&mut at)?;
    let mut taken = items.bytes.split_to(at);
    Some(taken.split_off(at - size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(size: u32, bytes: &[u8]) -> Items {
        Items { size, bytes: Bytes::copy_from_slice(bytes) }
    }

    #[test]
    fn items_survive_a_batch() {
        let mut batch = Vec::new();
        let lengths: [&[u8]; 4] = [b"", b"a", &[7; 200], b"end"];
        for item in lengths {
            push_item(&mut batch, item);
        }
        assert_eq!(batch.len(), lengths.iter().map(|item| item_size(item.len())).sum::<usize>());
        let mut batch = items(0, &batch);
        assert_eq!(batch.check(1000, 200), Ok(1000 - batch.bytes.len() as i64));
        for item in lengths {
            assert_eq!(take_item(&mut batch).as_deref(), Some(item));
        }
        assert_eq!(take_item(&mut batch), None);
    }

    #[test]
    fn an_item_may_be_begun_with_the_last_byte_of_credit() {
        let mut batch = Vec::new();
        push_item(&mut batch, &[0; 9]);
        push_item(&mut batch, &[0; 9]);
        let whole = items(0, &batch);
        assert_eq!(whole.check(11, 9), Ok(-9));
        assert_eq!(whole.check(10, 9), Err(BadItems::Overdrawn));
        assert_eq!(whole.check(99, 8), Err(BadItems::TooBig(TooBig { size: 9, limit: 8 })));
        assert_eq!(items(0, &batch[..15]).check(99, 9), Err(BadItems::Malformed));
        assert_eq!(items(0, b"").check(99, 9), Err(BadItems::Malformed));
    }

    #[test]
    fn a_row_has_items_of_one_size() {
        let mut row = items(3, b"onetwosix");
        assert_eq!(row.check(100, 3), Ok(91));
        assert_eq!(row.check(7, 3), Ok(-2));
        assert_eq!(row.check(6, 3), Err(BadItems::Overdrawn));
        assert_eq!(row.check(100, 2), Err(BadItems::TooBig(TooBig { size: 3, limit: 2 })));
        for bad in [&b""[..], b"on", b"onetw"] {
            assert_eq!(items(3, bad).check(100, 3), Err(BadItems::Malformed));
        }
        for item in [&b"one"[..], b"two", b"six"] {
            assert_eq!(take_item(&mut row).as_deref(), Some(item));
        }
        assert_eq!(take_item(&mut row), None);
    }
}
