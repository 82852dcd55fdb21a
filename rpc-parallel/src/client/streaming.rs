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
    codec::{self, CodecError},
    connection::{RawDownload, Received},
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
    decode: fn(&[u8]) -> Result<I, CodecError>,
}

impl<I: DeserializeOwned + 'static> Streaming<I> {
    pub(crate) fn new(download: RawDownload) -> Self {
        Self { download: Some(download), decode: codec::decode_owned }
    }
}

impl<I> Stream for Streaming<I> {
    type Item = Result<I, CallError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let decode = self.decode;
        let Some(download) = &mut self.download else { return Poll::Ready(None) };
        let error = match ready!(download.receiver.poll_next(cx, decode)) {
            Received::Item(item) => match item {
                Ok(item) => return Poll::Ready(Some(Ok(item))),
                Err(error) => CallError::Decode(format!("an item of the stream cannot be decoded: {error}")),
            },
            Received::End(Status::Ok, _) => {
                self.download = None;
                return Poll::Ready(None);
            }
            Received::End(status, payload) => failure(status, &payload),
            Received::Lost(terminal) => CallError::from_terminal(terminal),
            Received::Gone => CallError::Cancelled("the call that the stream belongs to is over".into()),
        };
        self.download = None;
        Poll::Ready(Some(Err(error)))
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
