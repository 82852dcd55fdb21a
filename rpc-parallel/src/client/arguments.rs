//! The arguments of one call, encoded on the caller's task.

use std::{fmt, time::Instant};

use bytes::Bytes;
use futures_core::Stream;

use crate::{
    bulk,
    client::{Call, ClientCore},
    codec::{self, CodecError},
    connection::{CallContext, CallFailure, RawCall, RawReply, RawSender, TooBig},
    function::Function,
    shape::Shape,
    value::{Encode, EncodeItem, LentOption},
};

/// Collects the arguments of one call, in order. The first error is kept and becomes the call's.
pub struct Arguments<'a> {
    core: &'a ClientCore,
    function: &'static Function,
    call: Box<RawCall>,
}

impl<'a> Arguments<'a> {
    /// The arguments of a call of `function`.
    #[inline]
    pub fn new(core: &'a ClientCore, function: &'static Function) -> Self {
        Self { core, function, call: RawCall::new(core.connection(), function.id) }
    }

    /// Adds an argument.
    pub fn put<T: ?Sized>(&mut self, name: &'static str, value: &T, encode: Encode<T>) {
        if !self.call.is_refused() {
            let result = encode.encode(value, self.call.arguments(), self.core.message_limit());
            self.note(name, result);
        }
    }

    /// Adds an argument that may be absent.
    pub fn put_option<T: ?Sized, H>(&mut self, name: &'static str, value: Option<&T>, encode: LentOption<'_, T, H>) {
        if !self.call.is_refused() {
            let result = encode.encode(value, self.call.arguments(), self.core.message_limit());
            self.note(name, result);
        }
    }

    /// Adds an argument that is bytes, without a call for each of them.
    pub fn put_bytes(&mut self, name: &'static str, bytes: &[u8]) {
        if !self.call.is_refused() {
            let result = codec::encode_bytes(bytes, self.call.arguments(), self.core.message_limit());
            self.note(name, result);
        }
    }

    /// Adds the last argument, which is bytes: they need no length.
    pub fn put_tail_bytes(&mut self, name: &'static str, bytes: &[u8]) {
        if !self.call.is_refused() {
            let result = bulk::append(bytes, self.call.arguments(), self.core.message_limit());
            self.note(name, result);
        }
    }

    /// Adds the last argument, which is bytes, without a copy if they are large.
    pub fn put_tail(&mut self, name: &'static str, bytes: impl Into<Bytes> + AsRef<[u8]>) {
        if bytes.as_ref().len() < bulk::LARGE {
            return self.put_tail_bytes(name, bytes.as_ref());
        }
        if !self.call.is_refused() {
            let result = bulk::check(self.call.arguments().len(), bytes.as_ref(), self.core.message_limit());
            self.note(name, result);
            self.call.set_bulk(bytes.into());
        }
    }

    /// Adds a stream that the caller sends. It is polled by a task of its own once the call is sent.
    pub fn upload<S>(&mut self, stream: S, encode: EncodeItem<S::Item>)
    where
        S: Stream<Item: Send + 'static> + Send + 'static,
    {
        self.call.add_upload(Box::new(move |sender: RawSender| {
            tokio::spawn(sender.pump(stream, encode));
        }));
    }

    /// The call.
    #[inline]
    pub fn call<S: Shape>(self, shape: S) -> Call<S::Value, S::Error> {
        Call::new(self.finish(), shape.decoder())
    }

    /// The message without a reply.
    pub fn send(mut self) -> Call<()> {
        self.call.set_one_way();
        Call::new(self.finish(), RawReply::sent)
    }

    #[inline]
    fn note(&mut self, name: &str, result: Result<(), CodecError>) {
        if let Err(error) = result {
            self.refuse(name, error);
        }
    }

    #[cold]
    fn refuse(&mut self, name: &str, error: CodecError) {
        let function = self.function.name;
        self.call.refuse(match error {
            CodecError::TooLarge { size, limit } => {
                let what = format!("the arguments of `{function}`, up to `{name}`,");
                CallFailure::TooBig(TooBig::new(size, limit, what))
            }
            error => {
                CallFailure::Unencodable(format!("the argument `{name}` of `{function}` cannot be encoded: {error}"))
            }
        });
    }

    #[inline]
    fn finish(mut self) -> Box<RawCall> {
        if let Err(text) = self.core.check(self.function) {
            self.call.refuse(CallFailure::Mismatch(text));
        }
        if CallContext::is_there() {
            self.inherit();
        }
        self.call
    }

    /// Takes over what the handler that makes this call was given.
    #[cold]
    fn inherit(&mut self) {
        let Some(context) = CallContext::current() else { return };
        if let Some(trace) = context.trace() {
            self.call.set_trace(trace);
        }
        // Nobody waits longer than the caller of the handler that makes this call.
        if let Some(inherited) = context.deadline() {
            self.call.set_deadline(inherited.saturating_duration_since(Instant::now()));
        }
    }
}

impl fmt::Debug for Arguments<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arguments").field("function", &self.function.name).finish_non_exhaustive()
    }
}
