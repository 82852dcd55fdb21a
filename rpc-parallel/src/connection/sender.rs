//! The writing half of a stream: takes items from a user's stream and sends them in batches.

use std::{
    future::{Future, poll_fn},
    io::IoSlice,
    mem,
    pin::Pin,
    slice,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use tokio::task::coop;

use crate::{
    codec::{CodecError, RUN, is_plain},
    connection::{
        core::{Core, Shared},
        too_big::TooBig,
    },
    panic::{self, catch},
    proto::{SendState, StreamKey},
    value::EncodeItem,
    wire::{Batch, Status},
};

/// Writes one stream.
#[derive(Debug)]
pub(crate) struct RawSender {
    shared: Arc<Shared>,
    key: StreamKey,
    slot: usize,
    /// The largest item that both sides take.
    limit: usize,
    batch: Batch,
    /// How the stream ends once the batch is sent. Its producer must not be polled again.
    ending: Option<(Status, Vec<u8>)>,
    ended: bool,
    /// A panic of the producer is how the stream ends, after the items before it. Elsewhere it is left to whoever runs
    /// the producer.
    tells_panics: bool,
}

impl RawSender {
    /// Writes the upload `key` of our own call that was opened under the same lock.
    pub(super) fn upload(shared: Arc<Shared>, core: &mut Core, key: StreamKey) -> Self {
        Self::new(shared, core, key, false)
    }

    /// Writes the download `key` of a call that was replied to under the same lock.
    pub(crate) fn download(shared: Arc<Shared>, core: &mut Core, key: StreamKey) -> Self {
        Self::new(shared, core, key, true)
    }

    fn new(shared: Arc<Shared>, core: &mut Core, key: StreamKey, tells_panics: bool) -> Self {
        let slot = core.waiting.add_writer(key);
        let limit = core.session.message_limit();
        Self { shared, key, slot, limit, batch: Batch::default(), ending: None, ended: false, tells_panics }
    }

    /// Sends every item of `stream` and ends it. It returns early when the receiver wants no more: the stream is
    /// then dropped by the caller, which is how its producer learns of it.
    pub(crate) async fn pump<S: Stream>(mut self, stream: S, encode: EncodeItem<S::Item>) {
        let mut stream = std::pin::pin!(stream);
        let mut run = Vec::new();
        let (status, payload) = poll_fn(|cx| self.poll_pump(cx, stream.as_mut(), &mut run, encode)).await;
        self.end(status, payload);
    }

    fn poll_pump<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        mut stream: Pin<&mut S>,
        run: &mut Vec<S::Item>,
        encode: EncodeItem<S::Item>,
    ) -> Poll<(Status, Vec<u8>)> {
        loop {
            // A producer that is always ready, and a reader that keeps up, must let others have their turn.
            ready!(coop::poll_proceed(cx)).made_progress();
            let full = self.batch.len() >= BATCH_SIZE;
            let Some(credit) = self.send(cx, false) else { return Poll::Ready((Status::Ok, Vec::new())) };
            if !self.batch.is_empty() {
                return Poll::Pending;
            }
            // Whatever ends the stream, the items before come first.
            if run.is_empty()
                && let Some(ending) = self.ending.take()
            {
                return Poll::Ready(ending);
            }
            if full {
                // The peer can begin to read, and give credit, while the next batch is made.
                return yield_now(cx);
            }
            let filled = if self.tells_panics {
                catch(|| self.poll_fill(cx, stream.as_mut(), run, encode, credit)).unwrap_or_else(|report| {
                    self.ending = Some((Status::Panic, panic::encode(&report, self.limit)));
                    Poll::Ready(())
                })
            } else {
                self.poll_fill(cx, stream.as_mut(), run, encode, credit)
            };
            if filled.is_pending() {
                if self.send(cx, true).is_none() {
                    return Poll::Ready((Status::Ok, Vec::new()));
                }
                self.batch.rest();
                return Poll::Pending;
            }
        }
    }

    /// Takes items until the batch is full, the last of the credit is used, or the stream ends; `Pending` if it has none
    /// for now. Without credit it takes one: that there is none is worth as much to know, and ends the stream at once.
    fn poll_fill<S: Stream>(
        &mut self,
        cx: &mut Context<'_>,
        mut stream: Pin<&mut S>,
        run: &mut Vec<S::Item>,
        encode: EncodeItem<S::Item>,
        credit: usize,
    ) -> Poll<()> {
        let full = credit.clamp(1, BATCH_SIZE);
        if !run.is_empty() {
            self.encode_run(run, encode, full);
        }
        while self.batch.len() < full && self.ending.is_none() {
            let polled = if const { is_plain::<S::Item>() } {
                // As many as there is credit for, if they are as long as such items mostly are.
                let long = const { if size_of::<S::Item>() > LONG { size_of::<S::Item>() } else { LONG } };
                let wanted = ((full - self.batch.len()) / long).clamp(1, RUN);
                let polled = collect(cx, stream.as_mut(), run, wanted);
                self.encode_run(run, encode, full);
                polled
            } else {
                stream.as_mut().poll_next(cx).map(|item| {
                    let item = item?;
                    self.encode(slice::from_ref(&item), encode, full);
                    Some(())
                })
            };
            match polled {
                Poll::Ready(Some(())) => {}
                Poll::Ready(None) => {
                    self.ending.get_or_insert((Status::Ok, Vec::new()));
                }
                // What is left of the run needs no producer.
                Poll::Pending if run.is_empty() && self.ending.is_none() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        Poll::Ready(())
    }

    /// Moves items from the run to the batch until that is full. Those that follow one that panics are lost, as it is itself.
    #[inline]
    fn encode_run<I>(&mut self, run: &mut Vec<I>, encode: EncodeItem<I>, full: usize) {
        let mut items = mem::take(run);
        let done = self.encode(&items, encode, full);
        items.drain(..done);
        *run = items;
    }

    /// Appends items to the batch until that is full: says how many of them are done with.
    #[inline]
    fn encode<I>(&mut self, items: &[I], encode: EncodeItem<I>, full: usize) -> usize {
        match encode.encode(items, &mut self.batch, self.limit, full) {
            Ok(done) => done,
            Err(error) => {
                self.ending = Some(refused(error.into_error()));
                items.len()
            }
        }
    }

    /// Sends the batch if there is credit for its first item, and then there is for all of them. Returns the credit that is
    /// left, or nothing if the stream is not wanted any more. Asks to be woken for what changes that if the batch has to wait,
    /// or to `wait` is wished.
    fn send(&mut self, cx: &mut Context<'_>, wait: bool) -> Option<usize> {
        let mut core = self.shared.lock();
        let core = &mut *core;
        let writer = core.waiting.writers.get_mut(self.slot)?;
        if writer.stopped || writer.gone || core.terminal.is_some() {
            return None;
        }
        if !self.batch.is_empty() && core.session.send_credit(self.key) > 0 {
            let (row, size) = self.batch.row();
            for (size, items) in [(size, row), (0, self.batch.others())] {
                if items.is_empty() {
                    continue;
                }
                let state = if items.len() >= LARGE && !core.driving && !core.blocked {
                    // An error shows itself to the driver's read.
                    let Core { session, way, .. } = core;
                    let begin = session.bytes_sent();
                    let write =
                        |slices: &[IoSlice<'_>]| way.try_send(&self.shared.socket, begin, slices).unwrap_or(0);
                    session.send_items_through(self.key, size, items, write)
                } else {
                    core.session.send_items(self.key, size, items)
                };
                if state == SendState::Stopped {
                    return None;
                }
            }
            if self.batch.len() < LARGE {
                self.shared.flush_soon(core);
            } else {
                self.shared.flush_batch(core);
            }
            self.batch.clear();
        }
        let credit = core.session.send_credit(self.key).max(0);
        if (wait || !self.batch.is_empty())
            && let Some(writer) = core.waiting.writers.get_mut(self.slot)
        {
            writer.wait(cx);
        }
        Some(usize::try_from(credit).unwrap_or(usize::MAX))
    }

    fn end(&mut self, status: Status, payload: Vec<u8>) {
        self.ended = true;
        let mut core = self.shared.lock();
        if core.waiting.remove_writer(self.key, self.slot) && core.terminal.is_none() {
            core.session.end_stream(self.key, status, payload);
            self.shared.flush_soon(&mut core);
        }
    }
}

impl Drop for RawSender {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // The producer was dropped or has panicked: the receiver must not take it for a clean end.
        self.end(Status::Cancelled, b"the producer of the stream was dropped before its end".to_vec());
    }
}

/// Takes items that are ready, so many at most. It is told where there are no more, be it for now or for good.
#[inline]
fn collect<S: Stream>(
    cx: &mut Context<'_>,
    mut stream: Pin<&mut S>,
    run: &mut Vec<S::Item>,
    wanted: usize,
) -> Poll<Option<()>> {
    while run.len() < wanted {
        match ready!(stream.as_mut().poll_next(cx)) {
            Some(item) => run.push(item),
            None => return Poll::Ready(None),
        }
    }
    Poll::Ready(Some(()))
}

/// An item that cannot be sent ends the stream, after those before it.
#[cold]
fn refused(error: CodecError) -> (Status, Vec<u8>) {
    match error {
        CodecError::TooLarge { size, limit } => (Status::TooBig, TooBig::payload(size, limit, "an item of a stream")),
        error => (Status::Undecodable, format!("an item cannot be encoded: {error}").into_bytes()),
    }
}

/// Pending until all others of the runtime, its poller included, had a turn. Waking oneself would not do: a runtime
/// looks at its sockets only once in many turns as long as some task is ready.
pub(super) fn yield_now<T>(cx: &mut Context<'_>) -> Poll<T> {
    let _ = std::pin::pin!(tokio::task::yield_now()).poll(cx);
    Poll::Pending
}

/// Items are collected up to this size before they are sent, unless the stream has none ready: as many as fit into one
/// frame, and into one read of the other side.
const BATCH_SIZE: usize = 60 << 10;

/// Hardly any item that is collected is longer than this and than it is in memory.
const LONG: usize = 24;

/// A batch of this size is written at once. Smaller ones wait for what others queue: a write for each would cost more
/// than their items.
const LARGE: usize = 16 << 10;
