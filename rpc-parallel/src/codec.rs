//! Values to bytes and back, in the form of postcard, with the size checked while it is written.

mod deserializer;
mod few;
#[cfg(test)]
mod form_tests;
mod item;
mod parts;
mod refused;
mod run;
mod serializer;

use std::{any::type_name, fmt};

use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer as _, de::DeserializeOwned};

use self::serializer::Serializer;

pub(crate) use self::{
    deserializer::Deserializer,
    few::{decode_few, encode_few},
    item::{DecodeItem, decode_front, decode_item, decode_other, encode_items},
    refused::Refused,
    run::{RUN, Run, is_plain},
};
use crate::{bulk, wire::Payload};

/// Why a value could not be turned into bytes or back.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The message would be larger than the connection's settings allow.
    #[error("the message has {size} bytes, more than the limit of {limit} bytes (`Settings::max_message_size`)")]
    TooLarge {
        /// The size that the whole message would have had.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The value's own `Serialize` refused.
    #[error("cannot encode: {0}")]
    Encode(String),
    /// The bytes are no value of the type.
    #[error("cannot decode: {0}")]
    Decode(String),
    /// Bytes are left over after the last value.
    #[error("{0} bytes are left over after the last value")]
    TrailingBytes(usize),
}

impl CodecError {
    /// The same error of a message before which there were so many bytes of others.
    pub(crate) fn after(self, others: usize) -> Self {
        match self {
            Self::TooLarge { size, limit } => Self::TooLarge { size: size - others, limit: limit - others },
            error => error,
        }
    }
}

/// Whether it is a number, or as little as one: a few instructions to write and to read. That is known when the program is
/// built: for these types alone it pays to have what is around that once for each.
///
/// It goes by the name, for what an argument borrows has no `TypeId`. No other type has one of these; and if one had, it
/// would be written and read as it is anyway.
#[inline(always)]
pub(crate) fn is_number<T: ?Sized>() -> bool {
    matches!(
        type_name::<T>(),
        "u64"
            | "u32"
            | "u16"
            | "u8"
            | "usize"
            | "i64"
            | "i32"
            | "i16"
            | "i8"
            | "isize"
            | "f64"
            | "f32"
            | "bool"
            | "()"
    )
}

/// Appends `value` to `out`, whose length may not exceed `limit`. Nothing beyond the limit gets memory; after an error
/// `out` is as it was.
#[inline]
pub(crate) fn encode<T: ?Sized + Serialize>(value: &T, out: &mut Vec<u8>, limit: usize) -> Result<(), CodecError> {
    append(out, limit, |serializer| value.serialize(serializer))
}

/// Appends `bytes` in the form of a `Vec<u8>`, in one copy.
pub(crate) fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>, limit: usize) -> Result<(), CodecError> {
    append(out, limit, |serializer| serializer.serialize_bytes(bytes))
}

/// Reads one value that fills `bytes`.
#[inline]
pub(crate) fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, CodecError> {
    let mut bytes = Deserializer::new(bytes);
    match T::deserialize(&mut bytes) {
        Ok(value) if bytes.is_done() => Ok(value),
        Ok(_) => Err(bytes.left_over().into_error()),
        Err(refused) => Err(refused.into_error()),
    }
}

/// Reads one value from the front of `bytes`.
#[inline]
pub(crate) fn decode_next<'de, T: Deserialize<'de>>(bytes: &mut &'de [u8]) -> Result<T, CodecError> {
    let mut deserializer = Deserializer::new(bytes);
    match T::deserialize(&mut deserializer) {
        Ok(value) => {
            *bytes = deserializer.take_rest();
            Ok(value)
        }
        Err(refused) => Err(refused.into_error()),
    }
}

/// Like [`decode`], for a `T` that may be a byte string, which then is all there is and not copied if large.
#[inline]
pub(crate) fn decode_payload<T: DeserializeOwned + 'static>(payload: &mut Payload) -> Result<T, CodecError> {
    if !bulk::is_bytes::<T>() {
        return decode(payload);
    }
    match bulk::from_payload(|| std::mem::take(payload)) {
        Some(value) => Ok(value),
        // What is a byte string is known in two places, and this one would still be right with more in the other.
        None => decode(payload),
    }
}

/// Like [`encode`], for a `T` that may be a byte string, which is then written without a length.
#[inline]
pub(crate) fn encode_owned<T: Serialize + 'static>(
    value: &T,
    out: &mut Vec<u8>,
    limit: usize,
) -> Result<(), CodecError> {
    match bulk::as_bytes(value) {
        Some(bytes) => bulk::append(bytes, out, limit),
        None => encode(value, out, limit),
    }
}

#[inline(always)]
fn append(
    out: &mut Vec<u8>,
    limit: usize,
    write: impl FnOnce(&mut Serializer<'_>) -> Result<(), Refused>,
) -> Result<(), CodecError> {
    let mut serializer = Serializer::new(out, limit);
    match write(&mut serializer).and_then(|()| serializer.finish()) {
        Ok(()) => Ok(()),
        Err(refused) => Err(refused.into_error()),
    }
}

/// The arguments of a call could not be decoded. In one word, so that it costs nothing to pass on where there is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}: {}", Named(self.0.argument), self.0.message)]
pub struct Undecodable(Box<Report>);

#[derive(Clone, Debug, Eq, PartialEq)]
struct Report {
    /// The argument's name; empty where it is none of them, as with bytes after the last.
    argument: &'static str,
    /// What is wrong.
    message: String,
}

impl Undecodable {
    #[cold]
    fn new(argument: &'static str, error: &CodecError) -> Self {
        Self(Box::new(Report { argument, message: error.to_string() }))
    }
}

struct Named<'a>(&'a str);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("arguments"),
            name => write!(f, "argument `{name}`"),
        }
    }
}

/// Reads the arguments of a call one by one. What they borrow they borrow from the call's payload.
#[derive(Debug)]
pub struct Reader<'de> {
    rest: &'de [u8],
    /// What it is a part of, if that can be shared.
    whole: Option<&'de Bytes>,
}

impl<'de> Reader<'de> {
    /// The next argument.
    #[inline]
    pub(crate) fn take<T: Deserialize<'de>>(&mut self, argument: &'static str) -> Result<T, Undecodable> {
        decode_next(&mut self.rest).map_err(|error| Undecodable::new(argument, &error))
    }

    /// The next argument. It is there once for each type, whatever the number of arguments of that type.
    #[inline(never)]
    pub(crate) fn take_argument<T: Deserialize<'de>>(&mut self, argument: &'static str) -> Result<T, Undecodable> {
        self.take(argument)
    }

    /// The next argument, which is a `&[u8]` or `Vec<u8>`.
    pub fn take_bytes(&mut self, argument: &'static str) -> Result<&'de [u8], Undecodable> {
        self.take(argument)
    }

    /// The last argument, which is a `&[u8]` or `Vec<u8>`: all that is left.
    pub fn take_tail(&mut self) -> &'de [u8] {
        std::mem::take(&mut self.rest)
    }

    /// The last argument, which is `Bytes`.
    pub(crate) fn take_tail_shared(&mut self) -> Bytes {
        let rest = self.take_tail();
        match self.whole {
            Some(whole) => bulk::into_bytes(whole.slice_ref(rest)),
            None => Bytes::copy_from_slice(rest),
        }
    }

    /// Refuses what is left over.
    #[inline]
    fn finish(&self) -> Result<(), Undecodable> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.left_over())
    }

    #[cold]
    fn left_over(&self) -> Undecodable {
        Undecodable::new("", &CodecError::TrailingBytes(self.rest.len()))
    }

    /// All arguments in `bytes`, a part of `whole` if that can be shared, as `read` takes them, and nothing left over.
    #[inline]
    pub(crate) fn read<T>(
        bytes: &'de [u8],
        whole: Option<&'de Bytes>,
        read: impl FnOnce(&mut Self) -> Result<T, Undecodable>,
    ) -> Result<T, Undecodable> {
        let mut reader = Self { rest: bytes, whole };
        let arguments = read(&mut reader)?;
        reader.finish()?;
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_while_writing() {
        let mut out = vec![7];
        let error = encode(&vec![1u8; 100], &mut out, 50).unwrap_err();
        assert_eq!(error, CodecError::TooLarge { size: 102, limit: 50 });
        assert_eq!(out, [7]);
        assert!(out.capacity() <= 64);
        encode(&vec![1u8; 48], &mut out, 50).unwrap();
        assert_eq!(out.len(), 50);
    }

    #[test]
    fn bytes_have_the_form_of_a_vec() {
        let (mut plain, mut fast, mut owned) = (Vec::new(), Vec::new(), Vec::new());
        let value = vec![1u8, 2, 3];
        encode(&value, &mut plain, 100).unwrap();
        encode_bytes(&value, &mut fast, 100).unwrap();
        encode_owned(&value, &mut owned, 100).unwrap();
        assert_eq!(plain, fast);
        assert_eq!(owned, value, "alone they need no length");
        assert_eq!(decode_payload::<Vec<u8>>(&mut owned.into()).unwrap(), value);
        assert_eq!(decode_payload::<Vec<u8>>(&mut Payload::default()).unwrap(), []);
        assert_eq!(decode_payload::<Vec<u16>>(&mut vec![1, 5].into()).unwrap(), [5]);
    }

    #[test]
    fn arguments_are_borrowed_and_complete() {
        let mut bytes = Vec::new();
        encode("text", &mut bytes, 100).unwrap();
        encode(&5u8, &mut bytes, 100).unwrap();
        fn read(bytes: &Payload) -> Result<(&str, u8), Undecodable> {
            Reader::read(bytes, bytes.shared(), |reader| Ok((reader.take("text")?, reader.take("number")?)))
        }
        let whole = Payload::from(bytes.clone());
        let (text, number) = read(&whole).unwrap();
        assert_eq!((text, number), ("text", 5));
        assert!(whole.as_ptr_range().contains(&text.as_ptr()));
        let error = read(&Payload::from(bytes[..5].to_vec())).unwrap_err();
        assert!(error.to_string().starts_with("argument `number`: cannot decode: "), "{error}");
        bytes.push(0);
        let error = read(&bytes.into()).unwrap_err();
        assert_eq!(error.to_string(), "arguments: 1 bytes are left over after the last value");
    }
}
