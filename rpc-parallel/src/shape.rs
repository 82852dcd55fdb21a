//! The shapes of a reply: a value, a stream, or a value and a stream, each with or without an error of its own.
//!
//! A shape's constructor asks for what the types must be; see [`value`](crate::value) on why nothing else does.

use std::{
    convert::Infallible,
    fmt,
    task::{Context, Poll},
};

use crate::{
    client::{CallError, Streaming},
    connection::RawCall,
    value::{EncodeItem, EncodeReply, WireError, WireValue},
};

/// What the client needs to know of a reply.
pub trait Shape {
    /// What the call gives.
    type Value;
    /// What the method itself may fail with.
    type Error;

    /// Waits for the reply and turns it into the call's result.
    fn decoder(self) -> Decoder<Self::Value, Self::Error>;
}

/// Waits for the reply and turns it into the call's result.
pub type Decoder<T, E> = fn(&mut Option<Box<RawCall>>, &mut Context<'_>) -> Poll<Result<T, CallError<E>>>;

/// A value.
pub struct Reply<T, E> {
    decoder: Decoder<T, E>,
    /// The value's codec.
    pub value: EncodeReply<T>,
    /// The error's codec.
    pub error: EncodeReply<E>,
}

/// A stream of items.
pub struct Streamed<I, E> {
    decoder: Decoder<Streaming<I>, E>,
    /// The items' codec.
    pub item: EncodeItem<I>,
    /// The error's codec.
    pub error: EncodeReply<E>,
}

/// A first value and a stream of updates.
pub struct State<T, I, E> {
    decoder: Decoder<(T, Streaming<I>), E>,
    /// The value's codec.
    pub value: EncodeReply<T>,
    /// The updates' codec.
    pub item: EncodeItem<I>,
    /// The error's codec.
    pub error: EncodeReply<E>,
}

/// `-> T`
pub const fn plain<T: WireValue>() -> Reply<T, Infallible> {
    Reply { decoder: RawCall::plain, value: EncodeReply::new(), error: EncodeReply::never() }
}

/// `-> Result<T, E>`
pub const fn fallible<T: WireValue, E: WireError>() -> Reply<T, E> {
    Reply { decoder: RawCall::fallible, value: EncodeReply::new(), error: EncodeReply::new() }
}

/// `-> X`, which a [`Probe`](crate::flatten::Probe) was asked about.
pub const fn flat<X: crate::flatten::Flat<R>, const R: bool>() -> Reply<X::Value, X::Error> {
    X::REPLY
}

/// `-> impl Stream<Item = I>`
pub const fn streamed<I: WireValue>() -> Streamed<I, Infallible> {
    Streamed { decoder: RawCall::streamed, item: EncodeItem::new(), error: EncodeReply::never() }
}

/// `-> Result<impl Stream<Item = I>, E>`
pub const fn fallible_streamed<I: WireValue, E: WireError>() -> Streamed<I, E> {
    Streamed { decoder: RawCall::fallible_streamed, item: EncodeItem::new(), error: EncodeReply::new() }
}

/// `-> (T, impl Stream<Item = I>)`
pub const fn state<T: WireValue, I: WireValue>() -> State<T, I, Infallible> {
    State { decoder: RawCall::state, value: EncodeReply::new(), item: EncodeItem::new(), error: EncodeReply::never() }
}

/// `-> Result<(T, impl Stream<Item = I>), E>`
pub const fn fallible_state<T: WireValue, I: WireValue, E: WireError>() -> State<T, I, E> {
    State {
        decoder: RawCall::fallible_state,
        value: EncodeReply::new(),
        item: EncodeItem::new(),
        error: EncodeReply::new(),
    }
}

impl<T, E> Shape for Reply<T, E> {
    type Value = T;
    type Error = E;

    fn decoder(self) -> Decoder<T, E> {
        self.decoder
    }
}

impl<I, E> Shape for Streamed<I, E> {
    type Value = Streaming<I>;
    type Error = E;

    fn decoder(self) -> Decoder<Streaming<I>, E> {
        self.decoder
    }
}

impl<T, I, E> Shape for State<T, I, E> {
    type Value = (T, Streaming<I>);
    type Error = E;

    fn decoder(self) -> Decoder<(T, Streaming<I>), E> {
        self.decoder
    }
}

impl<T, E> fmt::Debug for Reply<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

impl<I, E> fmt::Debug for Streamed<I, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Streamed")
    }
}

impl<T, I, E> fmt::Debug for State<T, I, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State")
    }
}
