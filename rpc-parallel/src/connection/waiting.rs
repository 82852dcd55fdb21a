//! Who waits for what of a connection: callers for replies, readers for items, writers for credit.

use std::{
    collections::{HashMap, VecDeque},
    task::{Context, Waker},
};

use bytes::Bytes;
use slab::Slab;

use crate::{
    id::CallId,
    proto::{CallSide, StreamKey},
    wire::Status,
};

/// The slots of everybody who waits. A slot belongs to whoever waits and is given back by them.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) callers: Slab<Caller>,
    pub(super) readers: Slab<Reader>,
    pub(super) writers: Slab<Writer>,
    /// By call id: the caller's slot.
    caller_of: Vec<Option<usize>>,
    reader_of: HashMap<StreamKey, usize>,
    writer_of: HashMap<StreamKey, usize>,
}

/// Somebody who waits for a reply.
#[derive(Debug, Default)]
pub(super) struct Caller {
    waker: Option<Waker>,
    pub(super) reply: Option<Reply>,
}

/// A reply as it came, with the slot of its stream if one follows.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: Status,
    pub(super) payload: Bytes,
    pub(super) reader: Option<(StreamKey, usize)>,
}

/// Somebody who reads a stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) batches: VecDeque<Bytes>,
    pub(super) ended: Option<(Status, Bytes)>,
    /// The call that the stream belongs to is over before the stream was.
    pub(super) gone: bool,
    waker: Option<Waker>,
}

/// Somebody who writes a stream.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) stopped: bool,
    /// The session has forgotten the stream: its key may mean another by now.
    pub(super) gone: bool,
    waker: Option<Waker>,
}

/// Notes whom to wake, without a clone where it is the same task as before.
fn note(place: &mut Option<Waker>, cx: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        empty => *empty = Some(cx.waker().clone()),
    }
}

impl Caller {
    pub(super) fn wait(&mut self, cx: &Context<'_>) {
        note(&mut self.waker, cx);
    }
}

impl Reader {
    pub(super) fn wait(&mut self, cx: &Context<'_>) {
        note(&mut self.waker, cx);
    }
}

impl Writer {
    pub(super) fn wait(&mut self, cx: &Context<'_>) {
        note(&mut self.waker, cx);
    }
}

impl Waiting {
    /// A slot for the caller of `call`.
    pub(super) fn add_caller(&mut self, call: CallId) -> usize {
        let slot = self.callers.insert(Caller::default());
        let index = call.0 as usize;
        if index >= self.caller_of.len() {
            self.caller_of.resize(index + 1, None);
        }
        self.caller_of[index] = Some(slot);
        slot
    }

    /// The caller of `call` waits no longer, before its reply has come.
    pub(super) fn abandon(&mut self, call: CallId, wakers: &mut Vec<Waker>) {
        if let Some(of) = self.caller_of.get_mut(call.0 as usize) {
            *of = None;
        }
        self.forget_streams(CallSide::Local, call, wakers);
    }

    /// A reply has come.
    pub(super) fn replied(
        &mut self,
        call: CallId,
        status: Status,
        payload: Bytes,
        download: bool,
        wakers: &mut Vec<Waker>,
    ) {
        let Some(slot) = self.caller_of.get_mut(call.0 as usize).and_then(Option::take) else { return };
        let reader = download.then(|| {
            let key = StreamKey { side: CallSide::Local, call, stream: 0 };
            (key, self.add_reader(key))
        });
        if let Some(caller) = self.callers.get_mut(slot) {
            caller.reply = Some(Reply { status, payload, reader });
            wakers.extend(caller.waker.take());
        }
    }

    pub(super) fn add_reader(&mut self, key: StreamKey) -> usize {
        let slot = self.readers.insert(Reader::default());
        self.reader_of.insert(key, slot);
        slot
    }

    pub(super) fn add_writer(&mut self, key: StreamKey) -> usize {
        let slot = self.writers.insert(Writer::default());
        self.writer_of.insert(key, slot);
        slot
    }

    pub(super) fn items(&mut self, key: StreamKey, items: Bytes, wakers: &mut Vec<Waker>) {
        if let Some(reader) = self.reader_of.get(&key).and_then(|slot| self.readers.get_mut(*slot)) {
            reader.batches.push_back(items);
            wakers.extend(reader.waker.take());
        }
    }

    pub(super) fn ended(&mut self, key: StreamKey, status: Status, payload: Bytes, wakers: &mut Vec<Waker>) {
        if let Some(reader) = self.reader_of.remove(&key).and_then(|slot| self.readers.get_mut(slot)) {
            reader.ended = Some((status, payload));
            wakers.extend(reader.waker.take());
        }
    }

    /// The receiver wants no more.
    pub(super) fn stopped(&mut self, key: StreamKey, wakers: &mut Vec<Waker>) {
        if let Some(writer) = self.writer_of.get(&key).and_then(|slot| self.writers.get_mut(*slot)) {
            writer.stopped = true;
            wakers.extend(writer.waker.take());
        }
    }

    pub(super) fn writable(&mut self, key: StreamKey, wakers: &mut Vec<Waker>) {
        if let Some(writer) = self.writer_of.get(&key).and_then(|slot| self.writers.get_mut(*slot)) {
            wakers.extend(writer.waker.take());
        }
    }

    /// A reader gives its slot back. Returns whether the stream is still open on the wire.
    pub(super) fn remove_reader(&mut self, key: StreamKey, slot: usize) -> bool {
        let reader = self.readers.try_remove(slot);
        let open = reader.is_some_and(|reader| reader.ended.is_none() && !reader.gone);
        if open {
            self.reader_of.remove(&key);
        }
        open
    }

    /// A writer gives its slot back. Returns whether the stream is still open on the wire.
    pub(super) fn remove_writer(&mut self, key: StreamKey, slot: usize) -> bool {
        let open = self.writers.try_remove(slot).is_some_and(|writer| !writer.gone);
        if open {
            self.writer_of.remove(&key);
        }
        open
    }

    /// The slot of an upload's reader, made when its call arrived.
    pub(super) fn reader_slot(&self, key: StreamKey) -> Option<usize> {
        self.reader_of.get(&key).copied()
    }

    /// Forgets the streams of a call that is over; whoever still holds one finds it gone.
    pub(super) fn forget_streams(&mut self, side: CallSide, call: CallId, wakers: &mut Vec<Waker>) {
        let of_call = |key: &StreamKey| key.side == side && key.call == call;
        if !self.reader_of.is_empty() {
            self.reader_of.retain(|key, slot| {
                if !of_call(key) {
                    return true;
                }
                if let Some(reader) = self.readers.get_mut(*slot) {
                    reader.gone = true;
                    wakers.extend(reader.waker.take());
                }
                false
            });
        }
        if !self.writer_of.is_empty() {
            self.writer_of.retain(|key, slot| {
                if !of_call(key) {
                    return true;
                }
                if let Some(writer) = self.writers.get_mut(*slot) {
                    writer.gone = true;
                    wakers.extend(writer.waker.take());
                }
                false
            });
        }
    }

    /// The connection has ended.
    pub(super) fn wake_all(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(self.callers.iter_mut().filter_map(|(_, caller)| caller.waker.take()));
        wakers.extend(self.readers.iter_mut().filter_map(|(_, reader)| reader.waker.take()));
        wakers.extend(self.writers.iter_mut().filter_map(|(_, writer)| writer.waker.take()));
    }
}
