//! The items of streams to bytes and back. There may be hundreds of millions of them, and most are short.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    deserializer::Deserializer,
    refused::Refused,
    run::{RUN, is_plain},
    serializer::Serializer,
};
use crate::{bulk, wire::Batch};

/// Appends items of at most `limit` bytes each, as long as the batch is not `full`: says how many. An error is of the one
/// after those in the batch.
///
/// Those that are not [plain](is_plain) come one by one.
pub(crate) fn encode_items<T: Serialize + 'static>(
    items: &[T],
    batch: &mut Batch,
    limit: usize,
    full: usize,
) -> Result<usize, Refused> {
    let mut rest = items;
    while let Some((first, others)) = rest.split_first()
        && batch.len() < full
    {
        match batch.row_mut() {
            Some((row, size)) if const { is_plain::<T>() } => {
                let before = rest.len();
                if let Some((start, size)) = encode_row(&mut rest, row, size, limit, full)? {
                    batch.place(start, size);
                }
                debug_assert!(rest.len() < before);
            }
            _ => {
                encode_item(first, batch, limit)?;
                rest = others;
            }
        }
    }
    Ok(items.len() - rest.len())
}

/// Appends items to a row, where all have one size. If the last one has another it is there too: says where it starts and
/// how long it is.
///
/// All that is known of the row's memory stays in registers. What is in the row is added to it item by item, so that it is
/// kept if one panics.
#[inline]
fn encode_row<T: Serialize>(
    items: &mut &[T],
    row: &mut Vec<u8>,
    size: usize,
    limit: usize,
    full: usize,
) -> Result<Option<(usize, usize)>, Refused> {
    let mut start = row.len();
    let mut serializer = Serializer::new(row, start.saturating_add(limit));
    while let Some((item, rest)) = items.split_first()
        && start < full
    {
        item.serialize(&mut serializer)?;
        let end = serializer.next(limit).map_err(|refused| refused.after(start))?;
        *items = rest;
        if end != start + size {
            return Ok(Some((start, end - start)));
        }
        start = end;
    }
    Ok(None)
}

/// Appends an item of at most `limit` bytes. After an error the batch is as it was.
#[inline]
fn encode_item<T: Serialize + 'static>(item: &T, batch: &mut Batch, limit: usize) -> Result<(), Refused> {
    batch.push_with(|out, gap| {
        let start = out.len() + gap;
        let mut serializer = Serializer::new(out, start.saturating_add(limit));
        serializer.leave(gap);
        match bulk::as_bytes(item) {
            Some(bytes) => serializer.bytes(bytes)?,
            None => item.serialize(&mut serializer)?,
        }
        serializer.finish().map_err(|refused| refused.after(start))
    })
}

/// Reads an item, of so many bytes at the front of these.
#[inline]
pub(crate) fn decode_item<T: DeserializeOwned + 'static>(bytes: &[u8], size: usize) -> Result<T, Refused> {
    match decode_front(bytes, size) {
        Some(item) => Ok(item),
        None => decode_other(bytes, size),
    }
}

/// Reads an item among others. None if it is to be read [otherwise](decode_other).
///
/// The two are apart, so that an item which is read here is put together where it is wanted: one more move of 64 bytes would
/// cost more than reading them.
#[inline(always)]
pub(crate) fn decode_front<T: DeserializeOwned + 'static>(bytes: &[u8], size: usize) -> Option<T> {
    if bulk::is_bytes::<T>() {
        return None;
    }
    // A number is read faster where more follows it. Whoever looks at what that is is found out here.
    let mut deserializer = Deserializer::new(bytes);
    match T::deserialize(&mut deserializer) {
        Ok(item) if deserializer.left() + size == bytes.len() => Some(item),
        _ => None,
    }
}

/// Reads items of one size, until there are enough. It ends before one that cannot be read by itself; those that are added
/// are there also if the next one panics.
#[inline(never)]
pub(super) fn decode_row<T: DeserializeOwned>(bytes: &[u8], size: usize, run: &mut Vec<T>) {
    let wanted = (bytes.len() / size).min(RUN);
    run.reserve(wanted);
    let mut deserializer = Deserializer::new(bytes);
    let (mut left, end) = (bytes.len(), bytes.len() - wanted * size);
    while left > end {
        left -= size;
        match T::deserialize(&mut deserializer) {
            Ok(item) if deserializer.left() == left => run.push(item),
            _ => return,
        }
    }
}

/// The same with items that stand behind their lengths; `at` moves behind each that is added.
#[inline(never)]
pub(super) fn decode_others<T: DeserializeOwned>(bytes: &[u8], at: &mut usize, run: &mut Vec<T>) {
    let mut deserializer = Deserializer::new(bytes);
    let end = *at + bytes.len();
    while run.len() < RUN
        && let Some(size) = deserializer.item_len()
    {
        let before = deserializer.left();
        match T::deserialize(&mut deserializer) {
            Ok(item) if before - deserializer.left() == size => run.push(item),
            _ => return,
        }
        *at = end - deserializer.left();
    }
}

/// How items are read.
pub(crate) type DecodeItem<T> = fn(&[u8], usize) -> Result<T, Refused>;

/// Reads a byte string, which is all there is.
fn decode_bytes<T: DeserializeOwned + 'static>(bytes: &[u8]) -> Result<T, Refused> {
    match bulk::copied(bytes) {
        Some(value) => Ok(value),
        // What is a byte string is known in two places, and this one would still be right with more in the other.
        None => T::deserialize(&mut Deserializer::new(bytes)),
    }
}

/// Reads an item that [`decode_front`] does not read.
#[inline(never)]
pub(crate) fn decode_other<T: DeserializeOwned + 'static>(bytes: &[u8], size: usize) -> Result<T, Refused> {
    let bytes = bytes.get(..size).unwrap_or_default();
    if bulk::is_bytes::<T>() { decode_bytes(bytes) } else { decode_alone(bytes) }
}

/// Reads the item with nothing behind it: some types end where the bytes do. It also tells what is wrong.
fn decode_alone<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    let mut deserializer = Deserializer::new(bytes);
    let item = T::deserialize(&mut deserializer)?;
    if deserializer.is_done() { Ok(item) } else { Err(deserializer.left_over()) }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{codec::CodecError, wire::Items};

    /// As an item by itself, and as one behind which others follow.
    fn decode<T: DeserializeOwned + PartialEq + std::fmt::Debug + 'static>(item: &[u8]) -> Result<T, CodecError> {
        let alone = decode_item(item, item.len()).map_err(Refused::into_error);
        let more = [item, &[0; 20]].concat();
        assert_eq!(decode_item::<T>(&more, item.len()).map_err(Refused::into_error), alone);
        alone
    }

    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + 'static>(items: &[T]) {
        let mut batch = Batch::default();
        for item in items {
            encode_item(item, &mut batch, 1 << 20).unwrap();
        }
        let ((row, size), others) = (batch.row(), batch.others());
        let mut decoded = Vec::new();
        for (size, bytes) in [(size, row), (0, others)] {
            let (items, mut at) = (Items { size, bytes: bytes.to_vec().into() }, 0);
            while let Some((bytes, size)) = items.item_at(&mut at) {
                decoded.push(decode_item::<T>(bytes, size).unwrap());
            }
        }
        assert_eq!(decoded, items);
    }

    #[test]
    fn items_make_the_round_trip() {
        round_trip(&[0_u64, 1, 127, 128, 1 << 20, u64::MAX]);
        round_trip(&[(); 300]);
        round_trip(&[vec![1_u8; 5], vec![], vec![2; 200], vec![3; 20_000], vec![4; 126], vec![5; 127]]);
        round_trip(&[Bytes::new(), Bytes::from_static(&[1; 64]), vec![2; 9000].into()]);
        round_trip(&[String::new(), "text".repeat(5000), "x".into()]);
        round_trip(&[[[7_u8; 32]; 2]; 2000]);
    }

    /// The batches that so many at a time give, where one takes `full` bytes.
    fn batches<T: Serialize + 'static>(items: &[T], at_once: usize, full: usize) -> Vec<(Vec<u8>, u32, Vec<u8>)> {
        let (mut batch, mut rest, mut batches) = (Batch::default(), items, Vec::new());
        while !rest.is_empty() {
            let some = &rest[..at_once.min(rest.len())];
            rest = &rest[encode_items(some, &mut batch, 100, full).unwrap()..];
            if batch.len() >= full || rest.is_empty() {
                batches.push((batch.row().0.to_vec(), batch.row().1, batch.others().to_vec()));
                batch.clear();
            }
        }
        batches
    }

    #[test]
    fn many_at_a_time_are_as_they_are_one_by_one() {
        let mixed = (0..2000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (n * 7 % 64));
        let numbers: Vec<u64> = mixed.chain((0..20_000).step_by(7)).chain([u64::MAX; 200]).collect();
        for full in [1, 2, 100, 3000] {
            let one_by_one = batches(&numbers, 1, full);
            for at_once in [2, 63, 64, 1000] {
                assert_eq!(batches(&numbers, at_once, full), one_by_one);
            }
        }
        assert_eq!(batches(&[(); 300], 64, 100), batches(&[(); 300], 1, 100));
    }

    #[test]
    fn an_item_that_is_too_large_leaves_the_batch_as_it_was() {
        let mut batch = Batch::default();
        encode_item(&1_u64, &mut batch, 100).unwrap();
        let error = encode_item(&vec![0_u8; 200], &mut batch, 100).unwrap_err();
        assert_eq!(error.into_error(), CodecError::TooLarge { size: 200, limit: 100 });
        encode_item(&2_u64, &mut batch, 100).unwrap();
        assert_eq!(batch.row(), (&[1, 2][..], 1));
    }

    /// With a part that older versions do not send.
    #[derive(Debug, Eq, PartialEq)]
    struct Grown(u8, Option<u8>);

    impl<'de> serde::Deserialize<'de> for Grown {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Parts;

            impl<'de> serde::de::Visitor<'de> for Parts {
                type Value = Grown;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("one or two numbers")
                }

                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut parts: A) -> Result<Grown, A::Error> {
                    let first = parts.next_element()?.unwrap_or_default();
                    Ok(Grown(first, parts.next_element().unwrap_or(None)))
                }
            }

            deserializer.deserialize_tuple(2, Parts)
        }
    }

    #[test]
    fn an_item_may_end_where_its_bytes_do() {
        assert_eq!(decode::<Grown>(&[1, 2]), Ok(Grown(1, Some(2))));
        assert_eq!(decode::<Grown>(&[1]), Ok(Grown(1, None)));
    }

    #[test]
    fn an_item_fills_its_bytes() {
        assert_eq!(decode::<u64>(&[5, 6]).unwrap_err(), CodecError::TrailingBytes(1));
        for bad in [&[][..], &[0x80], &[0xff; 10], &[0xff; 11]] {
            assert!(matches!(decode::<u64>(bad).unwrap_err(), CodecError::Decode(_)), "{bad:x?}");
        }
        assert!(matches!(decode::<String>(&[5, b'a']).unwrap_err(), CodecError::Decode(_)));
    }
}
