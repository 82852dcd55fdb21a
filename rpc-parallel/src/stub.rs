//! STUB: what the rest of the library will put in the place of this file. Signatures only.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    WorkerId,
    codec::{CodecError, Reader, Undecodable},
    function::{Function, Interface},
    shape::{Reply, Shape, State, Streamed},
    value::{Encode, Item, LentOption, Phantom},
};

/// A generated client.
pub trait Client: Clone + Send + Sync + 'static {
    /// The argument of `connect`.
    type ConnectArg: Serialize + DeserializeOwned + Send;
    /// The trait.
    #[doc(hidden)]
    const INTERFACE: &'static Interface;

    #[doc(hidden)]
    fn from_core(core: ClientCore) -> Self;

    #[doc(hidden)]
    fn core(&self) -> &ClientCore;
}

/// What every generated client holds.
#[derive(Clone, Debug)]
pub struct ClientCore {
    _private: (),
}

/// The arguments of one call, while the client encodes them. The first error is kept and becomes the call's.
#[derive(Debug)]
pub struct Arguments {
    _private: (),
}

impl Arguments {
    /// No arguments yet.
    pub fn new(_core: &ClientCore, _function: &'static Function) -> Self {
        todo!()
    }

    /// Adds an argument.
    pub fn put<T: ?Sized>(&mut self, _name: &'static str, _value: &T, _encode: Encode<T>) {
        todo!()
    }

    /// Adds an `Option<&T>`.
    pub fn put_option<T: ?Sized, H>(
        &mut self,
        _name: &'static str,
        _value: Option<&T>,
        _codec: LentOption<'_, T, H>,
    ) {
        todo!()
    }

    /// Adds a `&[u8]` or `Vec<u8>`.
    pub fn put_bytes(&mut self, _name: &'static str, _bytes: &[u8]) {
        todo!()
    }

    /// Adds a stream.
    pub fn upload<S>(&mut self, _stream: S, _encode: Encode<S::Item>)
    where
        S: Stream<Item: Send + 'static> + Send + 'static,
    {
        todo!()
    }

    /// The call.
    pub fn call<S: Shape>(self, _shape: S) -> Call<S::Value, S::Error> {
        todo!()
    }

    /// The call of a one-way function: it is over when the message is handed to the connection.
    pub fn send(self) -> Call<()> {
        todo!()
    }
}

/// A call.
#[must_use = "a call is sent when it is first polled: `.await` it"]
pub struct Call<T, E = Infallible> {
    _phantom: Phantom<(T, E)>,
}

impl<T, E> fmt::Debug for Call<T, E> {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl<T, E> Future for Call<T, E> {
    type Output = Result<T, CallError<E>>;

    fn poll(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Self::Output> {
        todo!()
    }
}

/// The items that a function sends.
pub struct Streaming<I> {
    _phantom: Phantom<I>,
}

impl<I> fmt::Debug for Streaming<I> {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl<I> Stream for Streaming<I> {
    type Item = Result<I, CallError>;

    fn poll_next(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        todo!()
    }
}

/// Why a call failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError<E = Infallible> {
    /// The method's own error.
    #[error("{0}")]
    App(E),
}

/// A reply as it came.
#[derive(Debug)]
pub struct RawReply {
    _private: (),
}

impl RawReply {
    /// Of `-> T`.
    pub fn plain<T: DeserializeOwned>(self) -> Result<T, CallError> {
        todo!()
    }

    /// Of `-> Result<T, E>`.
    pub fn fallible<T: DeserializeOwned, E: DeserializeOwned>(self) -> Result<T, CallError<E>> {
        todo!()
    }

    /// Of `-> impl Stream<Item = I>`.
    pub fn streamed<I: DeserializeOwned>(self) -> Result<Streaming<I>, CallError> {
        todo!()
    }

    /// Of `-> Result<impl Stream<Item = I>, E>`.
    pub fn fallible_streamed<I: DeserializeOwned, E: DeserializeOwned>(self) -> Result<Streaming<I>, CallError<E>> {
        todo!()
    }

    /// Of `-> (T, impl Stream<Item = I>)`.
    pub fn state<T: DeserializeOwned, I: DeserializeOwned>(self) -> Result<(T, Streaming<I>), CallError> {
        todo!()
    }

    /// Of `-> Result<(T, impl Stream<Item = I>), E>`.
    pub fn fallible_state<T: DeserializeOwned, I: DeserializeOwned, E: DeserializeOwned>(
        self,
    ) -> Result<(T, Streaming<I>), CallError<E>> {
        todo!()
    }
}

/// A call as the worker gets it.
#[derive(Debug)]
pub struct Incoming {
    _private: (),
}

impl Incoming {
    /// The encoded arguments, and what answers.
    pub fn split(self) -> (Payload, Answer) {
        todo!()
    }
}

/// The encoded arguments of a call.
#[derive(Debug)]
pub struct Payload(pub(crate) Bytes);

impl Payload {
    /// Reads all arguments.
    pub fn read<'a, T>(
        &'a self,
        read: impl FnOnce(&mut Reader<'a>) -> Result<T, Undecodable>,
    ) -> Result<T, Undecodable> {
        Reader::read(&self.0, read)
    }
}

/// Answers one call. Dropped without an answer, it says that the handler ended without one.
#[derive(Debug)]
pub struct Answer {
    _private: (),
}

impl Answer {
    /// The next stream from the caller.
    pub fn upload<I>(&mut self, _item: Item<I>) -> Upload<I> {
        todo!()
    }

    /// The arguments could not be decoded.
    pub fn undecodable(self, _error: Undecodable) {
        todo!()
    }

    /// A one-way function is through.
    pub fn done(self) {
        todo!()
    }

    /// A value, or the method's error.
    pub fn reply<T, E>(self, _result: Result<T, E>, _shape: Reply<T, E>) {
        todo!()
    }

    /// A stream, until its end, or the method's error. The stream need not be `'static`.
    pub async fn stream<S: Stream + Send, E>(self, _result: Result<S, E>, _shape: Streamed<S::Item, E>) {
        todo!()
    }

    /// A value and a stream, until its end, or the method's error.
    pub async fn state<T, S: Stream + Send, E>(self, _result: Result<(T, S), E>, _shape: State<T, S::Item, E>) {
        todo!()
    }
}

/// The items that a caller sends. It ends early if the caller goes.
pub struct Upload<I> {
    _decode: fn(&[u8]) -> Result<I, CodecError>,
}

impl<I> fmt::Debug for Upload<I> {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl<I> Stream for Upload<I> {
    type Item = I;

    fn poll_next(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<I>> {
        todo!()
    }
}

/// What a worker knows of itself.
#[derive(Clone, Debug)]
pub struct WorkerContext {
    _private: (),
}

impl WorkerContext {
    /// The worker's id.
    pub fn id(&self) -> WorkerId {
        todo!()
    }

    /// The worker's name.
    pub fn name(&self) -> Option<&str> {
        todo!()
    }
}

/// Becomes the worker, and never returns, if this process is one and the hook before `main` could not see to it.
pub fn enter() {
    todo!()
}

/// Which runtime `#[rpc_parallel::main]` asks for.
#[derive(Clone, Copy, Debug)]
pub enum Flavor {
    /// `flavor = "current_thread"`
    CurrentThread,
    /// `flavor = "multi_thread"`, with this many threads.
    MultiThread(Option<usize>),
}

/// The runtime of `#[rpc_parallel::main]`.
pub fn runtime(_flavor: Flavor) -> tokio::runtime::Runtime {
    todo!()
}
