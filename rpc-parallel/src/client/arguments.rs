//! The arguments of one call, encoded on the caller's task.

use std::{fmt, time::Instant};

use bytes::Bytes;
use futures_core::Stream;
use serde::Serialize;

use crate::{
    bulk,
    client::{Call, ClientCore},
    codec::{self, CodecError},
    connection::{CallContext, CallFailure, RawCall, RawSender, TooBig},
    function::Function,
    runtime,
    shape::Shape,
    value::{Encode, EncodeItem, LentOption},
};

/// Collects the arguments of one call, in order. The first error is kept and becomes the call's.
///
/// It is passed on by value, in registers: so a client's method has nothing to drop where encoding panics.
pub struct Arguments {
    call: Box<RawCall>,
    function: &'static Function,
}

impl Arguments {
    /// The arguments of a call of `function`, of which this is the first.
    #[inline]
    pub fn with<T: ?Sized>(
        core: &ClientCore,
        function: &'static Function,
        name: &'static str,
        value: &T,
        encode: Encode<T>,
    ) -> Self {
        (encode.first)(core, function, name, value)
    }

    /// The same. It is there once for each type, so that a client's method consists of little more than one call of it.
    #[inline(never)]
    pub(crate) fn encode_first<T: ?Sized + Serialize>(
        core: &ClientCore,
        function: &'static Function,
        name: &'static str,
        value: &T,
    ) -> Self {
        // Nothing has happened before it is known that this is all, so that what is not as usual begins anew: by a call that is
        // the last thing done here, for which nothing has to be kept meanwhile.
        if let Some(few) = codec::encode_few(value)
            && core.is_matched()
            && !CallContext::is_there()
            && let Some(call) = RawCall::with_few(core.connection(), function.id, few)
        {
            return Self { call, function };
        }
        Self::encode_first_any(core, function, name, value)
    }

    /// The same for any value.
    #[inline(never)]
    fn encode_first_any<T: ?Sized + Serialize>(
        core: &ClientCore,
        function: &'static Function,
        name: &'static str,
        value: &T,
    ) -> Self {
        Self::begin(core, function).write(name, |out, limit| codec::encode(value, out, limit))
    }

    /// The arguments of a call of `function`.
    pub fn new(core: &ClientCore, function: &'static Function) -> Self {
        Self::begin(core, function)
    }

    #[inline(always)]
    fn begin(core: &ClientCore, function: &'static Function) -> Self {
        let mut call = RawCall::new(core.connection(), function.id);
        if let Err(text) = core.check(function) {
            call.refuse(CallFailure::Mismatch(text));
        }
        if CallContext::is_there() {
            inherit(&mut call);
        }
        Self { call, function }
    }

    /// Adds an argument.
    #[inline]
    pub fn put<T: ?Sized>(self, name: &'static str, value: &T, encode: Encode<T>) -> Self {
        (encode.put)(self, name, value)
    }

    /// It is there once for each type, whatever the number of arguments of that type.
    #[inline(never)]
    pub(crate) fn encode<T: ?Sized + Serialize>(self, name: &'static str, value: &T) -> Self {
        self.write(name, |out, limit| codec::encode(value, out, limit))
    }

    /// Adds an argument that may be absent.
    pub fn put_option<T: ?Sized, H>(
        self,
        name: &'static str,
        value: Option<&T>,
        encode: LentOption<'_, T, H>,
    ) -> Self {
        self.write(name, |out, limit| encode.encode(value, out, limit))
    }

    /// Adds an argument that is bytes, without a call for each of them.
    pub fn put_bytes(self, name: &'static str, bytes: &[u8]) -> Self {
        self.write(name, |out, limit| codec::encode_bytes(bytes, out, limit))
    }

    /// Adds the last argument, which is bytes: they need no length.
    pub fn put_tail_bytes(self, name: &'static str, bytes: &[u8]) -> Self {
        self.write(name, |out, limit| bulk::append(bytes, out, limit))
    }

    /// Adds the last argument, which is bytes, without a copy if they are large.
    pub fn put_tail(self, name: &'static str, bytes: impl Into<Bytes> + AsRef<[u8]>) -> Self {
        if bytes.as_ref().len() < bulk::LARGE {
            return self.put_tail_bytes(name, bytes.as_ref());
        }
        let mut this = self.write(name, |out, limit| bulk::check(out.len(), bytes.as_ref(), limit));
        if !this.call.is_refused() {
            this.call.set_bulk(bytes.into());
        }
        this
    }

    /// Adds a stream that the caller sends. It is polled by a task of its own once the call is sent.
    pub fn upload<S>(mut self, stream: S, encode: EncodeItem<S::Item>) -> Self
    where
        S: Stream<Item: Send + 'static> + Send + 'static,
    {
        self.call.add_upload(Box::new(move |sender: RawSender| {
            runtime::spawn(Box::pin(sender.pump(stream, encode)));
        }));
        self
    }

    /// The call.
    #[inline]
    pub fn call<S: Shape>(self, shape: S) -> Call<S::Value, S::Error> {
        Call::new(self.call, shape.decoder())
    }

    /// The message without a reply.
    pub fn send(mut self) -> Call<()> {
        self.call.set_one_way();
        Call::new(self.call, RawCall::sent)
    }

    #[inline]
    fn write(
        mut self,
        name: &'static str,
        write: impl FnOnce(&mut Vec<u8>, usize) -> Result<(), CodecError>,
    ) -> Self {
        if !self.call.is_refused() {
            let limit = self.call.message_limit();
            if let Err(error) = write(self.call.arguments(), limit) {
                self.refuse(name, error);
            }
        }
        self
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
}

/// Takes over what the handler that makes this call was given.
#[cold]
fn inherit(call: &mut RawCall) {
    let Some(context) = CallContext::current() else { return };
    if let Some(trace) = context.trace() {
        call.set_trace(trace);
    }
    // Nobody waits longer than the caller of the handler that makes this call.
    if let Some(inherited) = context.deadline() {
        call.set_deadline(inherited.saturating_duration_since(Instant::now()));
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arguments").field("function", &self.function.name).finish_non_exhaustive()
    }
}
