//! Replies, decoded into what the method's caller expects.

use std::{
    convert::Infallible,
    mem::ManuallyDrop,
    task::{Context, Poll, ready},
};

use serde::de::DeserializeOwned;

use crate::{
    client::{CallError, Streaming},
    codec::{self, CodecError},
    connection::{RawCall, RawDownload, RawReply, TooBig},
    fault::PanicReport,
    wire::{Few, Status},
};

/// What a method's caller gets, once it is there.
type Awaited<T, E = Infallible> = Poll<Result<T, CallError<E>>>;

/// A call until it is dropped. That it is there is looked at once for each type, and not wherever one is awaited.
type Held = Option<Box<RawCall>>;

/// Each waits for a call's end, and turns it into what the method's caller expects. They are there once for each type, whatever
/// the number of places that await such a call.
impl RawCall {
    /// A one-way message is sent.
    pub(crate) fn sent(held: &mut Held, cx: &mut Context<'_>) -> Awaited<()> {
        let Some(call) = held else { return Poll::Pending };
        call.poll_as(cx, RawReply::check)
    }

    /// A plain value. Numbers are there in registers, mostly.
    pub(crate) fn plain<T: DeserializeOwned + 'static>(held: &mut Held, cx: &mut Context<'_>) -> Awaited<T> {
        let Some(call) = held else { return Poll::Pending };
        if !codec::is_number::<T>() {
            return call.poll_as(cx, |reply| reply.check().and_then(|()| reply.decode()));
        }
        let few = ready!(call.poll_few(cx));
        if let Some(value) = codec::decode_few(few) {
            return Poll::Ready(Ok(value));
        }
        call.poll_number(cx, few)
    }

    /// A value or the method's own error.
    pub(crate) fn fallible<T: DeserializeOwned + 'static, E: DeserializeOwned + 'static>(
        held: &mut Held,
        cx: &mut Context<'_>,
    ) -> Awaited<T, E> {
        let Some(call) = held else { return Poll::Pending };
        if !codec::is_number::<T>() {
            return call.poll_as(cx, |reply| {
                reply.check_app()?;
                reply.decode().map_err(CallError::widen)
            });
        }
        let few = ready!(call.poll_few_apart(cx));
        if let Some(value) = codec::decode_few(few) {
            return Poll::Ready(Ok(value));
        }
        call.poll_fallible_number(cx, few)
    }

    /// A stream.
    pub(crate) fn streamed<I: DeserializeOwned + 'static>(
        held: &mut Held,
        cx: &mut Context<'_>,
    ) -> Awaited<Streaming<I>> {
        let Some(call) = held else { return Poll::Pending };
        call.poll_as(cx, |reply| {
            reply.check()?;
            reply.stream().map(Streaming::new)
        })
    }

    /// A stream or the method's own error.
    pub(crate) fn fallible_streamed<I: DeserializeOwned + 'static, E: DeserializeOwned + 'static>(
        held: &mut Held,
        cx: &mut Context<'_>,
    ) -> Awaited<Streaming<I>, E> {
        let Some(call) = held else { return Poll::Pending };
        call.poll_as(cx, |reply| {
            reply.check_app()?;
            reply.stream().map(Streaming::new).map_err(CallError::widen)
        })
    }

    /// A first value and its updates.
    pub(crate) fn state<T: DeserializeOwned + 'static, I: DeserializeOwned + 'static>(
        held: &mut Held,
        cx: &mut Context<'_>,
    ) -> Awaited<(T, Streaming<I>)> {
        let Some(call) = held else { return Poll::Pending };
        call.poll_as(cx, |reply| {
            reply.check()?;
            Ok((reply.decode()?, reply.stream().map(Streaming::new)?))
        })
    }

    /// A first value and its updates, or the method's own error.
    pub(crate) fn fallible_state<T, I, E>(held: &mut Held, cx: &mut Context<'_>) -> Awaited<(T, Streaming<I>), E>
    where
        T: DeserializeOwned + 'static,
        I: DeserializeOwned + 'static,
        E: DeserializeOwned + 'static,
    {
        let Some(call) = held else { return Poll::Pending };
        call.poll_as(cx, |reply| {
            reply.check_app()?;
            let value = reply.decode().map_err(CallError::widen)?;
            Ok((value, reply.stream().map(Streaming::new).map_err(CallError::widen)?))
        })
    }

    /// A number that is not there yet, is longer, or is none.
    #[inline(never)]
    fn poll_number<T: DeserializeOwned + 'static>(&mut self, cx: &mut Context<'_>, few: Few) -> Awaited<T> {
        if few.is_there() {
            return Poll::Ready(undecodable_few(few));
        }
        self.poll_as(cx, |reply| reply.check().and_then(|()| reply.decode()))
    }

    /// The same, or the method's own error.
    #[inline(never)]
    fn poll_fallible_number<T: DeserializeOwned + 'static, E: DeserializeOwned + 'static>(
        &mut self,
        cx: &mut Context<'_>,
        few: Few,
    ) -> Awaited<T, E> {
        if few.is_there() {
            return Poll::Ready(undecodable_few(few).map_err(CallError::widen));
        }
        self.poll_as(cx, |reply| {
            reply.check_app()?;
            reply.decode().map_err(CallError::widen)
        })
    }

    /// The reply lies on the stack, which is in the cache, and what it is turned into is written to where it is wanted.
    #[inline(always)]
    fn poll_as<T>(&mut self, cx: &mut Context<'_>, decode: impl FnOnce(&mut RawReply) -> T) -> Poll<T> {
        let mut place = Place::new();
        if self.poll(cx, &mut place.reply).is_pending() {
            return Poll::Pending;
        }
        place.plain = self.was_plain();
        Poll::Ready(decode(&mut place.reply))
    }
}

/// Where a reply comes to. In nearly all there is nothing to drop, which is seen here without a call.
struct Place {
    reply: ManuallyDrop<RawReply>,
    plain: bool,
}

impl Drop for Place {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.plain {
            self.clear();
        }
    }
}

impl Place {
    #[inline(always)]
    fn new() -> Self {
        Self { reply: ManuallyDrop::new(RawReply::default()), plain: true }
    }

    #[cold]
    #[inline(never)]
    fn clear(&mut self) {
        *self.reply = RawReply::default();
    }
}

impl RawReply {
    fn stream(&mut self) -> Result<RawDownload, CallError> {
        match self.download.take() {
            Some(download) => Ok(*download),
            None => Err(CallError::Mismatch("the worker replied without the stream that the method returns".into())),
        }
    }

    #[inline]
    fn check(&mut self) -> Result<(), CallError> {
        if self.status == Status::Ok { Ok(()) } else { Err(self.error()) }
    }

    #[inline]
    fn check_app<E: DeserializeOwned + 'static>(&mut self) -> Result<(), CallError<E>> {
        match self.status {
            Status::Ok => Ok(()),
            Status::App => Err(match codec::decode_payload(&mut self.payload) {
                Ok(error) => CallError::App(error),
                Err(error) => undecodable("the method's error", &error).widen(),
            }),
            _ => Err(self.error().widen()),
        }
    }

    #[inline]
    fn decode<T: DeserializeOwned + 'static>(&mut self) -> Result<T, CallError> {
        codec::decode_payload(&mut self.payload).map_err(|error| undecodable("the reply", &error))
    }

    /// Why there is no value.
    #[cold]
    fn error(&mut self) -> CallError {
        match self.failure.take() {
            Some(failure) => CallError::from_failure(*failure),
            None => failure(self.status, &self.payload),
        }
    }
}

/// Reads what is no number, to say why.
#[cold]
fn undecodable_few<T: DeserializeOwned>(few: Few) -> Result<T, CallError> {
    let bytes = few.bytes();
    codec::decode(bytes.get(..few.len()).unwrap_or_default()).map_err(|error| undecodable("the reply", &error))
}

#[cold]
fn undecodable(what: &str, error: &CodecError) -> CallError {
    CallError::Decode(format!("{what} cannot be decoded: {error}"))
}

/// The error that a status other than ok stands for.
#[cold]
pub(crate) fn failure(status: Status, payload: &[u8]) -> CallError {
    let text = || String::from_utf8_lossy(payload).into_owned();
    match status {
        Status::Panic => {
            let unknown = |_| PanicReport { message: "a report that cannot be decoded".into(), location: None };
            CallError::Panicked(Box::new(codec::decode(payload).unwrap_or_else(unknown)))
        }
        Status::Deadline => CallError::DeadlineExceeded(std::time::Duration::ZERO),
        // Refused because the connection is closing, most likely: the function itself was not looked at.
        Status::Cancelled | Status::Refused => CallError::Cancelled(match payload {
            [] => "the worker gave the call up".into(),
            _ => text(),
        }),
        Status::Undecodable => CallError::Decode(text()),
        Status::TooBig => TooBig::decode(payload).into(),
        Status::Mismatch => CallError::Mismatch(text()),
        Status::Ok | Status::App => {
            CallError::Mismatch("the worker replied with an error that the method does not have".into())
        }
    }
}
