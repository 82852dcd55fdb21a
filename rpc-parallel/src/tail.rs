//! An argument that may be `Bytes`, at the end of a call's arguments.

use std::marker::PhantomData;

use bytes::Bytes;

use crate::{
    client::Arguments,
    codec::{Reader, Undecodable},
    value::{WireArgument, argument},
};

/// Whether the last argument, which is of a type named `Bytes`, is the one of the crate `bytes`: then the inherent
/// functions hide those of [`OtherTail`].
#[derive(Debug)]
pub struct Tail<T>(PhantomData<T>);

impl Tail<Bytes> {
    /// Adds the bytes to a call, without a copy if they are large.
    pub fn put(arguments: Arguments, name: &'static str, bytes: Bytes) -> Arguments {
        arguments.put_tail(name, bytes)
    }

    /// Takes them from what was read, without a copy unless they are small.
    pub fn take(reader: &mut Reader<'_>, _: &'static str) -> Result<Bytes, Undecodable> {
        Ok(reader.take_tail_shared())
    }
}

/// The functions of any other type that is named `Bytes`.
pub trait OtherTail<T> {
    /// Adds an argument to a call.
    fn put<'de>(arguments: Arguments, name: &'static str, value: T) -> Arguments
    where
        T: WireArgument<'de>;

    /// Takes an argument from what was read.
    fn take<'de>(reader: &mut Reader<'de>, name: &'static str) -> Result<T, Undecodable>
    where
        T: WireArgument<'de>;
}

impl<T> OtherTail<T> for Tail<T> {
    fn put<'de>(arguments: Arguments, name: &'static str, value: T) -> Arguments
    where
        T: WireArgument<'de>,
    {
        arguments.put(name, &value, argument::<T>().encode)
    }

    fn take<'de>(reader: &mut Reader<'de>, name: &'static str) -> Result<T, Undecodable>
    where
        T: WireArgument<'de>,
    {
        argument::<T>().take(reader, name)
    }
}
