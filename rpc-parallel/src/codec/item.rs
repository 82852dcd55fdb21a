//! The items of streams to bytes and back. There may be hundreds of millions of them, and most are short.

use serde::{Serialize, de::DeserializeOwned};

use super::{deserializer::Deserializer, refused::Refused, serializer::Serializer};
use crate::{bulk, wire::Batch};

/// Appends an item of at most `limit` bytes. After an error the batch is as it was.
pub(crate) fn encode_item<T: Serialize + 'static>(item: &T, batch: &mut Batch, limit: usize) -> Result<(), Refused> {
    batch.push_with(|out, prefix| {
        let start = out.len() + prefix;
        let mut serializer = Serializer::new(out, start.saturating_add(limit));
        serializer.leave(prefix);
        match bulk::as_bytes(item) {
            Some(bytes) => serializer.bytes(bytes)?,
            None => item.serialize(&mut serializer)?,
        }
        serializer.finish().map_err(|refused| refused.after(start))
    })
}

/// Reads an item from the front of its bytes, which it should fill: [`Deserializer::is_done`] tells.
///
/// What serde returns is returned as it is: one more move of an item of 64 bytes would cost more than reading it.
#[inline]
pub(crate) fn decode_item<T: DeserializeOwned + 'static>(bytes: &mut Deserializer<'_>) -> Result<T, Refused> {
    if bulk::is_bytes::<T>() {
        return decode_bytes(bytes);
    }
    T::deserialize(bytes)
}

/// How items are read.
pub(crate) type DecodeItem<T> = fn(&mut Deserializer<'_>) -> Result<T, Refused>;

/// Reads a byte string, which is all there is.
fn decode_bytes<T: DeserializeOwned + 'static>(bytes: &mut Deserializer<'_>) -> Result<T, Refused> {
    match bulk::copied(bytes.take_rest()) {
        Some(value) => Ok(value),
        // What is a byte string is known in two places, and this one would still be right with more in the other.
        None => T::deserialize(bytes),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{codec::CodecError, wire::item_at};

    fn decode<T: DeserializeOwned + 'static>(bytes: &[u8]) -> Result<T, CodecError> {
        let mut bytes = Deserializer::new(bytes);
        let item = decode_item(&mut bytes).map_err(Refused::into_error)?;
        if bytes.is_done() { Ok(item) } else { Err(bytes.left_over().into_error()) }
    }

    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + 'static>(items: &[T]) {
        let (mut batch, mut at) = (Batch::default(), 0);
        for item in items {
            encode_item(item, &mut batch, 1 << 20).unwrap();
        }
        for item in items {
            assert_eq!(&decode::<T>(item_at(batch.items(), &mut at).unwrap()).unwrap(), item);
        }
        assert_eq!(item_at(batch.items(), &mut at), None);
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

    #[test]
    fn an_item_that_is_too_large_leaves_the_batch_as_it_was() {
        let mut batch = Batch::default();
        encode_item(&1_u64, &mut batch, 100).unwrap();
        let error = encode_item(&vec![0_u8; 200], &mut batch, 100).unwrap_err();
        assert_eq!(error.into_error(), CodecError::TooLarge { size: 200, limit: 100 });
        encode_item(&2_u64, &mut batch, 100).unwrap();
        assert_eq!(batch.items(), [1, 1, 1, 2]);
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
