//! A stream that a caller sends.

use std::{
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use crate::{
    codec::CodecError,
    connection::{RawReceiver, Received, Target},
    wire::Status,
};

/// The items that a caller sends.
///
/// It ends when the caller's stream ended, and never before as long as the call is open: if the caller goes, or an
/// item cannot be decoded, the call fails and its handler is dropped, so that a broken upload is not taken for a
/// complete one. A task that reads on after the handler has answered sees an end in these cases.
pub struct Upload<I> {
    receiver: Option<RawReceiver>,
    decode: fn(&[u8]) -> Result<I, CodecError>,
    target: Target,
    answered: Arc<AtomicBool>,
}

impl<I> Upload<I> {
    pub(super) fn new(
        receiver: Option<RawReceiver>,
        decode: fn(&[u8]) -> Result<I, CodecError>,
        target: Target,
        answered: Arc<AtomicBool>,
    ) -> Self {
        Self { receiver, decode, target, answered }
    }

    /// The stream is broken: so is its call, if it has no answer yet.
    fn broken(&mut self, failure: Option<(Status, Vec<u8>)>) -> Poll<Option<I>> {
        self.receiver = None;
        if self.answered.load(Ordering::Acquire) {
            return Poll::Ready(None);
        }
        if let Some((status, payload)) = failure {
            self.target.break_off(status, payload);
        }
        // The handler is dropped before anyone could wake it.
        Poll::Pending
    }
}

impl<I> Stream for Upload<I> {
    type Item = I;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I>> {
        let decode = self.decode;
        let Some(receiver) = &mut self.receiver else { return Poll::Ready(None) };
        match ready!(receiver.poll_next(cx, decode)) {
            Received::Item(item) => match item {
                Ok(item) => Poll::Ready(Some(item)),
                Err(error) => {
                    let text = format!("the worker cannot decode an item of the caller's stream: {error}");
                    self.broken(Some((Status::Undecodable, text.into_bytes())))
                }
            },
            Received::End(Status::Ok, _) => {
                self.receiver = None;
                Poll::Ready(None)
            }
            Received::End(status, payload) => self.broken(Some((status, payload.to_vec()))),
            Received::Lost(_) | Received::Gone => self.broken(None),
        }
    }
}

impl<I> fmt::Debug for Upload<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("ended", &self.receiver.is_none()).finish()
    }
}
