//! Who waits for what of a connection: callers for replies, readers for items, writers for credit.

use std::{
    collections::VecDeque,
    task::{Context, Waker},
};

use bytes::Bytes;
use slab::Slab;

use crate::{
    connection::{callers::Callers, stream_slots::StreamSlots},
    id::CallId,
    proto::{CallSide, StreamKey},
    wire::{Items, Payload, Status},
};

/// The slots of everybody who waits. A slot belongs to whoever waits and is given back by them.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) callers: Callers,
    pub(super) readers: Slab<Reader>,
    pub(super) writers: Slab<Writer>,
    reader_of: StreamSlots,
    writer_of: StreamSlots,
}

/// Somebody who reads a stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) batches: VecDeque<Items>,
    pub(super) ended: Option<(Status, Bytes)>,
    /// The call that the stream belongs to is over before the stream was.
    pub(super) gone: bool,
    /// Somebody has the slot and will give it back.
    claimed: bool,
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
pub(super) fn note(place: &mut Option<Waker>, cx: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        empty => *empty = Some(cx.waker().clone()),
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
    /// The caller of `call` waits no longer, before its reply has come.
    pub(super) fn abandon(&mut self, call: CallId, wakers: &mut Vec<Waker>) {
        self.forget_streams(CallSide::Local, call, wakers);
    }

    /// A reply has come, to the caller in this slot.
    pub(super) fn replied(
        &mut self,
        slot: u32,
        call: CallId,
        status: Status,
        payload: Payload,
        download: bool,
        wakers: &mut Vec<Waker>,
    ) {
        let reader = download.then(|| {
            let key = StreamKey { side: CallSide::Local, call, stream: 0 };
            let reader = self.add_reader(key);
            self.claim_reader(key).unwrap_or(reader)
        });
        wakers.extend(self.callers.replied(slot, status, payload, reader));
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

    pub(super) fn items(&mut self, key: StreamKey, items: Items, wakers: &mut Vec<Waker>) {
        if let Some(reader) = self.reader_of.get(key).and_then(|slot| self.readers.get_mut(slot)) {
            reader.batches.push_back(items);
            wakers.extend(reader.waker.take());
        }
    }

    pub(super) fn ended(&mut self, key: StreamKey, status: Status, payload: Bytes, wakers: &mut Vec<Waker>) {
        // The slot stays where it can be found: an upload may end before its handler has asked for it.
        if let Some(reader) = self.reader_of.get(key).and_then(|slot| self.readers.get_mut(slot)) {
            reader.ended = Some((status, payload));
            wakers.extend(reader.waker.take());
        }
    }

    /// The receiver wants no more.
    pub(super) fn stopped(&mut self, key: StreamKey, wakers: &mut Vec<Waker>) {
        if let Some(writer) = self.writer_of.get(key).and_then(|slot| self.writers.get_mut(slot)) {
            writer.stopped = true;
            wakers.extend(writer.waker.take());
        }
    }

    pub(super) fn writable(&mut self, key: StreamKey, wakers: &mut Vec<Waker>) {
        if let Some(writer) = self.writer_of.get(key).and_then(|slot| self.writers.get_mut(slot)) {
            wakers.extend(writer.waker.take());
        }
    }

    /// A stream that we write is ended by another than its writer, who finds it gone.
    pub(super) fn forget_writer(&mut self, key: StreamKey, wakers: &mut Vec<Waker>) {
        if let Some(writer) = self.writer_of.remove(key).and_then(|slot| self.writers.get_mut(slot)) {
            writer.gone = true;
            wakers.extend(writer.waker.take());
        }
    }

    /// A reader gives its slot back. Returns whether the stream is still open on the wire.
    pub(super) fn remove_reader(&mut self, key: StreamKey, slot: usize) -> bool {
        let reader = self.readers.try_remove(slot);
        // Once the stream has ended its key may mean another.
        if self.reader_of.get(key) == Some(slot) {
            self.reader_of.remove(key);
        }
        reader.is_some_and(|reader| reader.ended.is_none() && !reader.gone)
    }

    /// A writer gives its slot back. Returns whether the stream is still open on the wire.
    pub(super) fn remove_writer(&mut self, key: StreamKey, slot: usize) -> bool {
        let open = self.writers.try_remove(slot).is_some_and(|writer| !writer.gone);
        if open {
            self.writer_of.remove(key);
        }
        open
    }

    /// The slot of an upload's reader, made when its call arrived. It belongs to whoever asks first.
    pub(super) fn claim_reader(&mut self, key: StreamKey) -> Option<usize> {
        let slot = self.reader_of.get(key)?;
        let reader = self.readers.get_mut(slot)?;
        (!std::mem::replace(&mut reader.claimed, true)).then_some(slot)
    }

    /// Forgets the streams of a call that is over; whoever still holds one finds it gone.
    pub(super) fn forget_streams(&mut self, side: CallSide, call: CallId, wakers: &mut Vec<Waker>) {
        for slot in self.reader_of.remove_call(side, call) {
            match self.readers.get_mut(slot) {
                Some(reader) if reader.claimed => {
                    reader.gone = true;
                    wakers.extend(reader.waker.take());
                }
                // Its handler has not asked for it and cannot any more.
                _ => drop(self.readers.try_remove(slot)),
            }
        }
        for slot in self.writer_of.remove_call(side, call) {
            if let Some(writer) = self.writers.get_mut(slot) {
                writer.gone = true;
                wakers.extend(writer.waker.take());
            }
        }
    }

    /// The connection has ended.
    pub(super) fn wake_all(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(self.callers.take_wakers());
        wakers.extend(self.readers.iter_mut().filter_map(|(_, reader)| reader.waker.take()));
        wakers.extend(self.writers.iter_mut().filter_map(|(_, writer)| writer.waker.take()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(stream: u8) -> StreamKey {
        StreamKey { side: CallSide::Remote, call: CallId(3), stream }
    }

    #[test]
    fn a_call_that_is_over_leaves_only_the_slots_that_somebody_has() {
        let (mut waiting, mut wakers) = (Waiting::default(), Vec::new());
        waiting.add_reader(key(1));
        waiting.add_reader(key(2));
        let claimed = waiting.claim_reader(key(2)).unwrap();
        waiting.items(key(1), Items { size: 1, bytes: Bytes::from_static(b"x") }, &mut wakers);
        waiting.forget_streams(CallSide::Remote, CallId(3), &mut wakers);
        assert_eq!(waiting.readers.len(), 1);
        assert!(waiting.readers[claimed].gone);
        assert!(!waiting.remove_reader(key(2), claimed));
        assert!(waiting.readers.is_empty() && waiting.reader_of.get(key(1)).is_none());
    }

    #[test]
    fn the_reader_of_a_download_keeps_its_slot_beyond_its_call() {
        let (mut waiting, mut wakers) = (Waiting::default(), Vec::new());
        let (call, key) = (CallId(0), StreamKey { side: CallSide::Local, call: CallId(0), stream: 0 });
        let caller = waiting.callers.vacant();
        waiting.callers.occupy(caller, None);
        waiting.replied(caller, call, Status::Ok, Payload::default(), true, &mut wakers);
        let (mut payload, mut status) = (Payload::default(), Status::App);
        let reader = waiting.callers.take(caller, &mut payload, &mut status).unwrap().unwrap();
        assert_eq!((status, waiting.callers.len()), (Status::Ok, 0));
        waiting.ended(key, Status::Ok, Bytes::new(), &mut wakers);
        // The next call of the same id is given up.
        waiting.abandon(call, &mut wakers);
        assert!(waiting.readers[reader].ended.is_some());
        assert!(!waiting.remove_reader(key, reader));
    }

    #[test]
    fn a_writer_whose_stream_another_has_ended_does_not_end_the_next_one() {
        let (mut waiting, mut wakers) = (Waiting::default(), Vec::new());
        let old = waiting.add_writer(key(0));
        waiting.forget_writer(key(0), &mut wakers);
        let new = waiting.add_writer(key(0));
        assert!(!waiting.remove_writer(key(0), old));
        assert!(waiting.remove_writer(key(0), new));
    }
}
