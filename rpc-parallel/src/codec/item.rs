//! The items of streams to bytes and back. There may be hundreds of millions of them, and most are short.

use std::any::Any;

use postcard::de_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};

use super::{Bytes, CodecError, decode, serializer::Serializer};
use crate::wire::Batch;

/// Appends an item of at most `limit` bytes. After an error the batch is as it was.
pub(crate) fn encode_item<T: Serialize + 'static>(
    item: &T,
    batch: &mut Batch,
    limit: usize,
) -> Result<(), Box<CodecError>> {
    // In one copy; serde would see a list of numbers.
    if let Some(bytes) = (item as &dyn Any).downcast_ref::<Vec<u8>>() {
        return push(&Bytes(bytes), batch, limit);
    }
    push(item, batch, limit)
}

#[inline]
fn push<T: Serialize>(item: &T, batch: &mut Batch, limit: usize) -> Result<(), Box<CodecError>> {
    let written = batch.push_with(|room, start| {
        let mut serializer = Serializer::new(room, start, limit);
        item.serialize(&mut serializer)?;
        serializer.finish()
    });
    written.map_err(|refused| refused.0)
}

/// Reads the item that fills `bytes`.
pub(crate) fn decode_item<T: DeserializeOwned + 'static>(bytes: &[u8]) -> Result<T, Box<CodecError>> {
    let mut value: Option<T> = None;
    if let Some(slot) = (&mut value as &mut dyn Any).downcast_mut::<Option<Vec<u8>>>() {
        // In one copy; serde would see a list of numbers.
        *slot = Some(decode::<&[u8]>(bytes)?.to_vec());
    }
    if let Some(value) = value {
        return Ok(value);
    }
    let mut deserializer = postcard::Deserializer::from_flavor(Source(bytes));
    let value = T::deserialize(&mut deserializer).map_err(undecodable)?;
    match deserializer.finalize() {
        Ok([]) => Ok(value),
        Ok(rest) => Err(left_over(rest)),
        Err(error) => Err(undecodable(error)),
    }
}

#[cold]
fn undecodable(error: postcard::Error) -> Box<CodecError> {
    Box::new(CodecError::Decode(error.to_string()))
}

#[cold]
fn left_over(rest: &[u8]) -> Box<CodecError> {
    Box::new(CodecError::TrailingBytes(rest.len()))
}

/// What is left of an item. postcard's own source is made by functions that are not inlined into other crates.
struct Source<'de>(&'de [u8]);

impl<'de> Flavor<'de> for Source<'de> {
    type Remainder = &'de [u8];
    type Source = &'de [u8];

    #[inline]
    fn pop(&mut self) -> postcard::Result<u8> {
        let (first, rest) = self.0.split_first().ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        self.0 = rest;
        Ok(*first)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }

    #[inline]
    fn try_take_n(&mut self, len: usize) -> postcard::Result<&'de [u8]> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        self.0 = rest;
        Ok(taken)
    }

    #[inline]
    fn finalize(self) -> postcard::Result<&'de [u8]> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::item_at;

    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + 'static>(items: &[T]) {
        let (mut batch, mut at) = (Batch::default(), 0);
        for item in items {
            encode_item(item, &mut batch, 1 << 20).unwrap();
        }
        for item in items {
            assert_eq!(&decode_item::<T>(item_at(batch.items(), &mut at).unwrap()).unwrap(), item);
        }
        assert_eq!(item_at(batch.items(), &mut at), None);
    }

    #[test]
    fn items_make_the_round_trip() {
        round_trip(&[0_u64, 1, 127, 128, 1 << 20, u64::MAX]);
        round_trip(&[(); 300]);
        round_trip(&[vec![1_u8; 5], vec![], vec![2; 200], vec![3; 20_000], vec![4; 126], vec![5; 127]]);
        round_trip(&[String::new(), "text".repeat(5000), "x".into()]);
        round_trip(&[[[7_u8; 32]; 2]; 2000]);
    }

    #[test]
    fn an_item_that_is_too_large_leaves_the_batch_as_it_was() {
        let mut batch = Batch::default();
        encode_item(&1_u64, &mut batch, 100).unwrap();
        let error = encode_item(&vec![0_u8; 200], &mut batch, 100).unwrap_err();
        assert_eq!(*error, CodecError::TooLarge { size: 202, limit: 100 });
        encode_item(&2_u64, &mut batch, 100).unwrap();
        assert_eq!(batch.items(), [1, 1, 1, 2]);
    }

    #[test]
    fn an_item_fills_its_bytes() {
        assert_eq!(*decode_item::<u64>(&[5, 6]).unwrap_err(), CodecError::TrailingBytes(1));
        for bad in [&[][..], &[0x80], &[0xff; 10], &[0xff; 11]] {
            assert!(matches!(*decode_item::<u64>(bad).unwrap_err(), CodecError::Decode(_)), "{bad:x?}");
        }
        assert!(matches!(*decode_item::<String>(&[5, b'a']).unwrap_err(), CodecError::Decode(_)));
        assert!(matches!(*decode_item::<Vec<u8>>(&[5, b'a']).unwrap_err(), CodecError::Decode(_)));
    }
}
