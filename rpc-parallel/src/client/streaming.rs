//! A stream that a worker sends.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::{FusedStream, Stream};
use serde::de::DeserializeOwned;

use crate::{
    client::{CallError, reply::failure},
    codec::{Refused, Run, decode_front, decode_other},
    connection::{End, RawDownload},
    wire::Status,
};

/// A stream that a worker sends: `Stream<Item = Result<I, CallError>>`.
///
/// A clean end is `None` after the last item. Whatever else ends it, such as the death of the worker, comes as one
/// last error before the `None`, so that a dead worker never looks like an end.
///
/// The worker sends as fast as items are taken: at most [`Settings::stream_window`](crate::Settings::stream_window)
/// bytes wait here. Dropping the stream stops its producer.
///
/// # Cancel safety
///
/// Waiting for the next item may be given up at any time: no item is lost.
#[must_use = "a stream does nothing unless it is read; dropping it stops its producer"]
pub struct Streaming<I> {
    download: Option<RawDownload>,
    /// Known with the type of the items, so that what is decoded goes straight to whom it is for: an item of 64 bytes costs
    /// more to move, while it is still on its way to memory, than to decode.
    poll: PollItem<I>,
    /// Items that were read already.
    run: Run<I>,
}

type PollItem<I> = fn(&mut Streaming<I>, &mut Context<'_>) -> Poll<Option<Result<I, CallError>>>;

impl<I: DeserializeOwned + 'static> Streaming<I> {
    pub(crate) fn new(download: RawDownload) -> Self {
        Self { download: Some(download), poll: Self::poll_item, run: Run::new() }
    }

    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<I, CallError>>> {
        let Some(download) = &mut self.download else { return Poll::Ready(None) };
        match download.receiver.next_item() {
            Some((bytes, size)) => {
                if let Some(item) = decode_front(bytes, size) {
                    let (items, at) = download.receiver.items();
                    self.run.fill(items, at);
                    return Poll::Ready(Some(Ok(item)));
                }
                match decode_other(bytes, size) {
                    Ok(item) => Poll::Ready(Some(Ok(item))),
                    Err(error) => self.broken(&error),
                }
            }
            None => self.poll_items(cx),
        }
    }

    /// Waits for items. By itself, so that the taking of one that is here needs no place on the stack.
    #[inline(never)]
    fn poll_items(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<I, CallError>>> {
        let Some(download) = &mut self.download else { return Poll::Ready(None) };
        match ready!(download.receiver.poll_items(cx)) {
            Some(end) => self.ended(end),
            None => self.poll_item(cx),
        }
    }
}

impl<I> Stream for Streaming<I> {
    type Item = Result<I, CallError>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(item) = self.run.next() {
            return Poll::Ready(Some(Ok(item)));
        }
        (self.poll)(&mut self, cx)
    }
}

impl<I> Streaming<I> {
    #[cold]
    fn broken(&mut self, error: &Refused) -> Poll<Option<Result<I, CallError>>> {
        self.download = None;
        let text = format!("an item of the stream cannot be decoded: {error}");
        Poll::Ready(Some(Err(CallError::Decode(text))))
    }

    #[cold]
    fn ended(&mut self, end: End) -> Poll<Option<Result<I, CallError>>> {
        self.download = None;
        Poll::Ready(match end {
            End::Told(Status::Ok, _) => None,
            End::Told(status, payload) => Some(Err(failure(status, &payload))),
            End::Lost(terminal) => Some(Err(CallError::from_terminal(terminal))),
            End::Gone => Some(Err(CallError::Cancelled("the call that the stream belongs to is over".into()))),
        })
    }
}

impl<I> FusedStream for Streaming<I> {
    fn is_terminated(&self) -> bool {
        self.download.is_none()
    }
}

impl<I> fmt::Debug for Streaming<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming").field("ended", &self.download.is_none()).finish()
    }
}
