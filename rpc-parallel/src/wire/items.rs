//! The items of a stream inside a frame: each one behind its length.

use super::{ITEMS_FRAME, TooBig, varint::take_varint};

#[cfg(test)]
/// What an item of this length costs in credit: its bytes and those of its length.
pub(crate) fn item_size(len: usize) -> usize {
    super::varint::varint_len(len as u64) + len
}

/// Why the items of a frame are not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BadItems {
    /// A length is missing, or promises more than there is.
    Malformed,
    /// An item was begun without credit.
    Overdrawn,
    /// An item is above the limit.
    TooBig(TooBig),
}

/// Checks a frame's items and returns the credit that is left after them: every item may be begun as long as some is.
pub(crate) fn check_items(items: &[u8], credit: i64, limit: usize) -> Result<i64, BadItems> {
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

/// Splits a batch where a frame is full, at [`ITEMS_FRAME`]: what goes into the next frame, and what is left.
pub(crate) fn split_items(batch: &[u8]) -> (&[u8], &[u8]) {
    if batch.len() <= ITEMS_FRAME {
        return (batch, &[]);
    }
    let mut rest = batch;
    while batch.len() - rest.len() < ITEMS_FRAME {
        let next = take_varint(&mut rest).and_then(|len| rest.get(usize::try_from(len).ok()?..));
        match next {
            Some(next) => rest = next,
            // No batch of ours is malformed; the peer would say so.
            None => return (batch, &[]),
        }
        if rest.is_empty() {
            break;
        }
    }
    batch.split_at(batch.len() - rest.len())
}

/// The item at `at`, which moves behind it. `None` at the end of the batch.
#[inline]
pub(crate) fn item_at<'a>(batch: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let rest = batch.get(*at..)?;
    // Nearly all items of a fast stream are short.
    let (len, start) = match *rest.first()? {
        short if short < 0x80 => (usize::from(short), 1),
        _ => {
            let mut after = rest;
            let len = usize::try_from(take_varint(&mut after)?).ok()?;
            (len, rest.len() - after.len())
        }
    };
    let end = start.checked_add(len)?;
    let item = rest.get(start..end)?;
    *at += end;
    Some(item)
}

/// How many bytes of a batch may be sent with so much credit: whole items, the last of which may overdraw it.
pub(crate) fn items_within(batch: &[u8], credit: i64) -> usize {
    let Ok(credit) = usize::try_from(credit) else { return 0 };
    if batch.len() <= credit {
        return batch.len();
    }
    let mut rest = batch;
    while batch.len() - rest.len() < credit {
        let next = take_varint(&mut rest).and_then(|len| rest.get(usize::try_from(len).ok()?..));
        match next {
            Some(next) => rest = next,
            None => return batch.len(),
        }
    }
    batch.len() - rest.len()
}

/// Appends an item whose bytes are there already.
#[cfg(test)]
pub(crate) fn push_item(batch: &mut Vec<u8>, item: &[u8]) {
    super::varint::put_varint(batch, item.len() as u64);
    batch.extend_from_slice(item);
}

/// Takes an item off the front.
#[cfg(test)]
pub(crate) fn take_item(batch: &mut bytes::Bytes) -> Option<bytes::Bytes> {
    let mut at = 0;
    let item = item_at(batch, &mut at)?.len();
    let mut taken = batch.split_to(at);
    Some(taken.split_off(at - item))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn items_survive_a_batch() {
        let mut batch = Vec::new();
        let items: [&[u8]; 4] = [b"", b"a", &[7; 200], b"end"];
        for item in items {
            push_item(&mut batch, item);
        }
        assert_eq!(batch.len(), items.iter().map(|item| item_size(item.len())).sum::<usize>());
        assert_eq!(check_items(&batch, 1000, 200), Ok(1000 - batch.len() as i64));
        let mut batch = Bytes::from(batch);
        for item in items {
            assert_eq!(take_item(&mut batch).as_deref(), Some(item));
        }
        assert_eq!(take_item(&mut batch), None);
    }

    #[test]
    fn an_item_may_be_begun_with_the_last_byte_of_credit() {
        let mut batch = Vec::new();
        push_item(&mut batch, &[0; 9]);
        push_item(&mut batch, &[0; 9]);
        assert_eq!(check_items(&batch, 11, 9), Ok(-9));
        assert_eq!(check_items(&batch, 10, 9), Err(BadItems::Overdrawn));
        assert_eq!(check_items(&batch, 99, 8), Err(BadItems::TooBig(TooBig { size: 9, limit: 8 })));
        assert_eq!(check_items(&batch[..15], 99, 9), Err(BadItems::Malformed));
    }

    #[test]
    fn a_long_batch_is_split_between_items() {
        let mut batch = Vec::new();
        for _ in 0..100 {
            push_item(&mut batch, &[1; 5000]);
        }
        let (mut rest, mut total) = (&batch[..], 0);
        while !rest.is_empty() {
            let (frame, left) = split_items(rest);
            assert!(frame.len() < ITEMS_FRAME + item_size(5000));
            assert!(check_items(frame, i64::MAX, 5000).is_ok());
            total += frame.len();
            rest = left;
        }
        assert_eq!(total, batch.len());
    }
}
