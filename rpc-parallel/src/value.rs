//! What may travel, and the codecs that prove it.
//!
//! Each type in a worker trait is asked for its codec in one place of the expansion for the client and in one for the
//! handler, both spanned at the type, both by the same function. All that follows takes the codec and has no bound:
//! a type that cannot travel is one error, at the type.

use std::{any::Any, convert::Infallible, fmt};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    client::{Arguments, ClientCore},
    codec::{
        CodecError, DecodeItem, Reader, Refused, Run, Undecodable, decode_item, encode, encode_items, encode_owned,
    },
    connection::Incoming,
    function::Function,
    referent::WireReferent,
    server::{Answer, read_only},
    wire::{Batch, Items, Status},
};

/// An argument: `Serialize`, and `Deserialize` from what the payload lives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a worker method",
    label = "cannot travel to another process",
    note = "an argument must be `serde::Serialize` and `serde::Deserialize`: `#[derive(Serialize, Deserialize)]`",
    note = "`&T`, `&[T]`, `&str`, `&Path` and `Option<&T>` may be borrowed; inside of other types only `&str` and `&[u8]`"
)]
pub trait WireArgument<'de>: Serialize + Deserialize<'de> + Send {}

#[diagnostic::do_not_recommend]
impl<'de, T: Serialize + Deserialize<'de> + Send> WireArgument<'de> for T {}

/// A result, or an item of a stream.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the result of a worker method, nor an item of its streams",
    label = "cannot travel to another process",
    note = "it must be `serde::Serialize`, `serde::Deserialize`, `Send` and `'static`: `#[derive(Serialize, Deserialize)]`"
)]
pub trait WireValue: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> WireValue for T {}

/// The error of a method that returns a `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a worker method",
    label = "cannot travel to another process",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it, or return `Result<_, rpc_parallel::Fault>`: `?` turns any error into a `Fault`"
)]
pub trait WireError: Serialize + DeserializeOwned + Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> WireError for T {}

/// What a type parameter of a worker trait must be where the trait is called or served.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a type parameter of a worker trait",
    label = "cannot travel to another process",
    note = "it must be `serde::Serialize`, `serde::Deserialize`, `Send`, `Sync` and `'static`"
)]
pub trait WireParameter: Serialize + DeserializeOwned + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> WireParameter for T {}

/// Appends a value to a buffer, whose length may not exceed the limit, as postcard.
type Append<T> = fn(&T, &mut Vec<u8>, usize) -> Result<(), CodecError>;

/// Begins the arguments of a call.
type First<T> = fn(&ClientCore, &'static Function, &'static str, &T) -> Arguments;

/// Writes an argument.
pub struct Encode<T: ?Sized> {
    append: Append<T>,
    /// Adds it to the arguments of a call.
    pub(crate) put: fn(Arguments, &'static str, &T) -> Arguments,
    /// Begins the arguments of a call with it.
    pub(crate) first: First<T>,
}

impl<T: ?Sized> Encode<T> {
    /// Appends `value` to `out`, whose length may not exceed `limit`.
    pub(crate) fn encode(self, value: &T, out: &mut Vec<u8>, limit: usize) -> Result<(), CodecError> {
        (self.append)(value, out, limit)
    }
}

impl<T: ?Sized + Serialize> Encode<T> {
    const fn new() -> Self {
        Self { append: encode, put: Arguments::encode, first: Arguments::encode_first }
    }
}

impl<T: ?Sized> Clone for Encode<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Encode<T> {}

/// Writes what a method returns.
pub struct EncodeReply<T> {
    append: Append<T>,
    /// Answers a call with it.
    pub(crate) answer: AnswerWith<T>,
}

/// Answers a call with a value.
type AnswerWith<T> = fn(&mut Answer, Status, &mut T);

impl<T> EncodeReply<T> {
    /// Appends `value` to `out`, whose length may not exceed `limit`.
    pub(crate) fn encode(self, value: &T, out: &mut Vec<u8>, limit: usize) -> Result<(), CodecError> {
        (self.append)(value, out, limit)
    }
}

impl<T: Serialize + Any> EncodeReply<T> {
    pub(crate) const fn new() -> Self {
        Self { append: encode_owned, answer: Answer::encode }
    }
}

impl EncodeReply<Infallible> {
    pub(crate) const fn never() -> Self {
        Self { append: |never, _, _| match *never {}, answer: |_, _, never| match *never {} }
    }
}

impl<T> Clone for EncodeReply<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for EncodeReply<T> {}

/// Appends items to the batch of a stream, as postcard.
pub struct EncodeItem<T>(fn(&[T], &mut Batch, usize, usize) -> Result<usize, Refused>);

impl<T> EncodeItem<T> {
    /// Appends items of at most `limit` bytes each, as long as the batch is not `full`: says how many.
    #[inline]
    pub(crate) fn encode(self, items: &[T], batch: &mut Batch, limit: usize, full: usize) -> Result<usize, Refused> {
        (self.0)(items, batch, limit, full)
    }
}

impl<T: Serialize + Any> EncodeItem<T> {
    pub(crate) const fn new() -> Self {
        Self(encode_items)
    }
}

impl<T> Clone for EncodeItem<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for EncodeItem<T> {}

/// The codec of an argument that is passed by value.
pub struct Argument<'de, T> {
    /// The caller's half.
    pub encode: Encode<T>,
    decode: fn(&mut Reader<'de>, &'static str) -> Result<T, Undecodable>,
    only: fn(&'de Incoming<'_>, &'static str) -> Option<T>,
}

impl<'de, T> Argument<'de, T> {
    /// The worker's half.
    #[inline]
    pub fn take(self, reader: &mut Reader<'de>, name: &'static str) -> Result<T, Undecodable> {
        (self.decode)(reader, name)
    }

    /// The worker's half of a call's only argument. If it cannot be decoded, the caller is told.
    #[inline]
    pub fn take_only(self, incoming: &'de Incoming<'_>, name: &'static str) -> Option<T> {
        (self.only)(incoming, name)
    }
}

/// The codec of an argument passed by value.
pub const fn argument<'de, T: WireArgument<'de>>() -> Argument<'de, T> {
    Argument { encode: Encode::new(), decode: Reader::take_argument, only: read_only }
}

/// The codec of a borrowed argument `&T`, which the worker decodes as an `H` and lends to the method.
pub struct Lent<'de, T: ?Sized, H> {
    /// The caller's half.
    pub encode: Encode<T>,
    decode: fn(&mut Reader<'de>, &'static str) -> Result<H, Undecodable>,
    held: fn(&H) -> &T,
}

impl<'de, T: ?Sized, H> Lent<'de, T, H> {
    /// The worker's half: what holds the argument.
    #[inline]
    pub fn take(self, reader: &mut Reader<'de>, name: &'static str) -> Result<Holder<T, H>, Undecodable> {
        Ok(Holder { value: (self.decode)(reader, name)?, held: self.held })
    }
}

/// Holds a decoded argument that is lent to the method.
pub struct Holder<T: ?Sized, H> {
    value: H,
    held: fn(&H) -> &T,
}

impl<T: ?Sized, H> Holder<T, H> {
    /// The argument.
    #[inline]
    pub fn lend(&self) -> &T {
        (self.held)(&self.value)
    }
}

/// The codec of an argument `&T`.
pub const fn lent<'de, T: ?Sized + WireReferent<'de>>() -> Lent<'de, T, T::Held> {
    Lent { encode: Encode::new(), decode: Reader::take_argument, held: T::held }
}

/// The codec of an argument `Option<&T>`.
pub struct LentOption<'de, T: ?Sized, H> {
    encode: Encode<T>,
    decode: fn(&mut Reader<'de>, &'static str) -> Result<Option<H>, Undecodable>,
    held: fn(&H) -> &T,
}

impl<'de, T: ?Sized, H> LentOption<'de, T, H> {
    /// The caller's half, in the wire form of an option: 0, or 1 and the value.
    pub fn encode(self, value: Option<&T>, out: &mut Vec<u8>, limit: usize) -> Result<(), CodecError> {
        encode(&u8::from(value.is_some()), out, limit)?;
        match value {
            Some(value) => self.encode.encode(value, out, limit),
            None => Ok(()),
        }
    }

    /// The worker's half: what holds the argument.
    #[inline]
    pub fn take(self, reader: &mut Reader<'de>, name: &'static str) -> Result<OptionHolder<T, H>, Undecodable> {
        Ok(OptionHolder { value: (self.decode)(reader, name)?, held: self.held })
    }
}

/// Holds a decoded argument of which an `Option<&T>` is lent.
pub struct OptionHolder<T: ?Sized, H> {
    value: Option<H>,
    held: fn(&H) -> &T,
}

impl<T: ?Sized, H> OptionHolder<T, H> {
    /// The argument.
    #[inline]
    pub fn lend(&self) -> Option<&T> {
        self.value.as_ref().map(self.held)
    }
}

/// The codec of an argument `Option<&T>`.
pub const fn lent_option<'de, T: ?Sized + WireReferent<'de>>() -> LentOption<'de, T, T::Held> {
    LentOption { encode: Encode::new(), decode: Reader::take_argument, held: T::held }
}

/// The codec of the items of an upload.
pub struct Item<T> {
    /// The caller's half.
    pub encode: EncodeItem<T>,
    /// The worker's half: an item from the bytes that it fills.
    pub(crate) decode: DecodeItem<T>,
    /// And those that follow it.
    pub(crate) fill: FillRun<T>,
}

/// Reads items of these, from there on.
pub(crate) type FillRun<T> = fn(&mut Run<T>, &Items, &mut usize);

/// The codec of the items of an upload.
pub const fn item<T: WireValue>() -> Item<T> {
    Item { encode: EncodeItem::new(), decode: decode_item, fill: Run::fill }
}

macro_rules! opaque_debug {
    ($($name:ident [$($generics:tt)*] [$($arguments:tt)*]),* $(,)?) => {$(
        impl<$($generics)*> fmt::Debug for $name<$($arguments)*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

opaque_debug! {
    Encode[T: ?Sized][T],
    EncodeReply[T][T],
    EncodeItem[T][T],
    Argument['de, T]['de, T],
    Lent['de, T: ?Sized, H]['de, T, H],
    LentOption['de, T: ?Sized, H]['de, T, H],
    Holder[T: ?Sized, H][T, H],
    OptionHolder[T: ?Sized, H][T, H],
    Item[T][T],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_make_the_round_trip() {
        let mut bytes = Vec::new();
        argument::<&str>().encode.encode(&"text", &mut bytes, 100).unwrap();
        lent::<[u16]>().encode.encode(&[1, 2], &mut bytes, 100).unwrap();
        lent_option::<String>().encode(Some(&"some".to_owned()), &mut bytes, 100).unwrap();
        lent_option::<String>().encode(None, &mut bytes, 100).unwrap();
        let (text, list, some, none) = Reader::read(&bytes, None, |reader| {
            Ok((
                argument::<&str>().take(reader, "text")?,
                lent::<[u16]>().take(reader, "list")?,
                lent_option::<String>().take(reader, "some")?,
                lent_option::<String>().take(reader, "none")?,
            ))
        })
        .unwrap();
        assert_eq!((text, list.lend()), ("text", &[1, 2][..]));
        assert_eq!((some.lend().map(String::as_str), none.lend()), (Some("some"), None));
    }

    #[test]
    fn the_limit_is_of_the_whole_message() {
        let mut bytes = vec![0; 90];
        let codec = lent_option::<[u8]>();
        let error = codec.encode(Some(&[0; 20]), &mut bytes, 100).unwrap_err();
        assert_eq!(error, CodecError::TooLarge { size: 112, limit: 100 });
    }
}
