//! A stream that a caller sends.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use crate::{
    codec::{DecodeItem, Refused},
    connection::{End, RawReceiver, Target},
    wire::Status,
};

/// The items that a caller sends.
///
/// It ends when the caller's stream ended, and never before as long as the call is open: if the caller goes, or an
/// item cannot be decoded, the call fails and its handler is dropped, so that a broken upload is not taken for a
/// complete one. A task that reads on after the handler has answered sees an end in these cases.
pub struct Upload<I> {
    receiver: Option<RawReceiver>,
    decode: DecodeItem<I>,
    target: Option<Target>,
}

impl<I> Upload<I> {
    pub(super) fn new(receiver: Option<RawReceiver>, decode: DecodeItem<I>, target: Option<Target>) -> Self {
        Self { receiver, decode, target }
    }

    #[cold]
    fn undecodable(&mut self, error: &Refused) -> Poll<Option<I>> {
        let text = format!("the worker cannot decode an item of the caller's stream: {error}");
        self.broken(Some((Status::Undecodable, text.into_bytes())))
    }

    #[cold]
    fn ended(&mut self, end: End) -> Poll<Option<I>> {
        match end {
            End::Told(Status::Ok, _) => {
                self.receiver = None;
                Poll::Ready(None)
            }
            End::Told(status, payload) => self.broken(Some((status, payload.to_vec()))),
            End::Lost(_) | End::Gone => self.broken(None),
        }
    }

    /// The stream is broken: so is its call, if it has no answer yet.
    fn broken(&mut self, failure: Option<(Status, Vec<u8>)>) -> Poll<Option<I>> {
        self.receiver = None;
        let Some(target) = self.target.as_ref().filter(|target| !target.is_answered()) else {
            return Poll::Ready(None);
        };
        if let Some((status, payload)) = failure {
            target.break_off(status, payload);
        }
        // The handler is dropped before anyone could wake it.
        Poll::Pending
    }
}

impl<I> Stream for Upload<I> {
    type Item = I;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<I>> {
        let decode = self.decode;
        loop {
            let Some(receiver) = &mut self.receiver else { return Poll::Ready(None) };
            if let Some((bytes, size)) = receiver.next_item() {
                return match decode(bytes, size) {
                    Ok(item) => Poll::Ready(Some(item)),
                    Err(error) => self.undecodable(&error),
                };
            }
            if let Some(end) = ready!(receiver.poll_items(cx)) {
                return self.ended(end);
            }
        }
    }
}

impl<I> fmt::Debug for Upload<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("ended", &self.receiver.is_none()).finish()
    }
}
