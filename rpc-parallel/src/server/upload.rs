//! A stream that a caller sends.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use crate::{
    codec::{DecodeItem, Refused, Run, is_plain},
    connection::{End, RawReceiver, Target},
    value::{FillRun, Item},
    wire::Status,
};

/// The items that a caller sends.
///
/// It ends when the caller's stream ended, and never before as long as the call is open: if the caller goes, or an
/// item cannot be decoded, the call fails and its handler is dropped, so that a broken upload is not taken for a
/// complete one. A task that reads on after the handler has answered sees an end in these cases.
pub struct Upload<I> {
    receiver: Option<RawReceiver>,
    /// Items that were read already.
    run: Run<I>,
    decode: DecodeItem<I>,
    fill: FillRun<I>,
    target: Option<Target>,
}

impl<I> Upload<I> {
    pub(super) fn new(receiver: Option<RawReceiver>, item: Item<I>, target: Option<Target>) -> Self {
        Self { receiver, run: Run::new(), decode: item.decode, fill: item.fill, target }
    }

    /// The next item that was not read already.
    #[inline]
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<I>> {
        loop {
            let Some(receiver) = &mut self.receiver else { return Poll::Ready(None) };
            if let Some((bytes, size)) = receiver.next_item() {
                let item = match (self.decode)(bytes, size) {
                    Ok(item) => item,
                    Err(error) => return self.undecodable(&error),
                };
                if const { is_plain::<I>() } {
                    let (items, at) = receiver.items();
                    (self.fill)(&mut self.run, items, at);
                }
                return Poll::Ready(Some(item));
            }
            if let Some(end) = ready!(receiver.poll_items(cx)) {
                return self.ended(end);
            }
        }
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
        if let Some(item) = self.run.next() {
            return Poll::Ready(Some(item));
        }
        self.poll_item(cx)
    }
}

impl<I> fmt::Debug for Upload<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("ended", &self.receiver.is_none()).finish()
    }
}
