//! The streams of calls, in both directions.

use std::io::IoSlice;

use bytes::Bytes;

use super::{
    CallSide, Event, SendState, Session, StreamKey,
    stream::{RecvHalf, SendHalf},
};
use crate::{
    id::CallId,
    wire::{BadItems, Frame, Items, Status, TooBig},
};

impl Session {
    /// How many bytes of items may be sent now; an item that is begun within them may be longer. 0 if the stream is
    /// over.
    pub(crate) fn send_credit(&self, key: StreamKey) -> i64 {
        self.send_half(key).map_or(0, SendHalf::credit)
    }

    /// Sends items, all of the same size or, if that is 0, each behind its length. None of them is above
    /// [`message_limit`](Self::message_limit), each of them is begun within the credit, and all but the last fit into
    /// [`ITEMS_FRAME`](crate::wire::ITEMS_FRAME).
    pub(crate) fn send_items(&mut self, key: StreamKey, size: u32, items: &[u8]) -> SendState {
        let state = self.spend(key, items);
        if state == SendState::Open && !items.is_empty() {
            self.output.push_items(key, size, items);
        }
        state
    }

    /// Like [`send_items`](Self::send_items), but offers the items to `write` where nothing waits before them; it says
    /// how many bytes it took.
    pub(crate) fn send_items_through(
        &mut self,
        key: StreamKey,
        size: u32,
        items: &[u8],
        write: impl FnOnce(&[IoSlice<'_>]) -> usize,
    ) -> SendState {
        let state = self.spend(key, items);
        if state == SendState::Open && !items.is_empty() {
            self.output.push_items_through(key, size, items, write);
        }
        state
    }

    fn spend(&mut self, key: StreamKey, items: &[u8]) -> SendState {
        if self.is_closed() {
            return SendState::Stopped;
        }
        let Some(half) = self.send_half_mut(key).filter(|half| half.is_open()) else { return SendState::Stopped };
        half.spend(items.len());
        SendState::Open
    }

    /// Ends a stream that this side sends; nothing happens if it is over. A failure that is too big to be sent
    /// becomes one that says so.
    pub(crate) fn end_stream(&mut self, key: StreamKey, status: Status, payload: Vec<u8>) {
        if self.is_closed() || !self.send_half_mut(key).is_some_and(SendHalf::end) {
            return;
        }
        let (status, payload) = match TooBig::check(payload.len(), self.message_limit()) {
            Ok(()) => (status, payload),
            Err(error) => (Status::TooBig, error.payload("the error that ended the stream")),
        };
        self.output.push_owned(Frame::End { call: key.call, stream: key.stream, status }, payload.into());
        self.after_stream(key);
        self.after_change();
    }

    /// Asks for no more of a stream that this side receives. Items that still come are dropped;
    /// [`Event::Ended`] follows all the same.
    pub(crate) fn stop_stream(&mut self, key: StreamKey) {
        if !self.is_closed() {
            self.discard(key, false);
        }
    }

    /// The reader of a stream has taken so many bytes of items, counted as they came, with their lengths.
    pub(crate) fn consumed(&mut self, key: StreamKey, bytes: usize) {
        if self.is_closed() {
            return;
        }
        if let Some(half) = self.recv_half_mut(key) {
            half.consume(bytes);
            self.note_credit(key);
        }
    }

    /// Drops what a stream still brings; `silent` says that not even its end is an event.
    pub(super) fn discard(&mut self, key: StreamKey, silent: bool) {
        if self.recv_half_mut(key).is_some_and(|half| half.discard(silent)) {
            self.output.push(Frame::Stop { call: key.call, stream: key.stream }, &[]);
            self.note_credit(key);
        }
    }

    /// Tells the sender of credit that it is owed, now or when the peer reads again.
    pub(super) fn note_credit(&mut self, key: StreamKey) {
        let (window, congested) = (self.settings.stream_window, self.output.is_congested());
        let Some(half) = self.recv_half_mut(key) else { return };
        if !half.owes(window) || half.noted {
            return;
        }
        if congested {
            // One note for each stream, whatever the peer sends: a queue of frames would grow for ever.
            half.noted = true;
            self.owing.push(key);
        } else if let Some(bytes) = half.take_owed(window) {
            self.output.push(Frame::Credit { call: key.call, stream: key.stream, bytes }, &[]);
        }
    }

    /// Tells of all credit that had to wait.
    pub(super) fn send_owed(&mut self) {
        while let Some(key) = self.owing.pop() {
            if let Some(half) = self.recv_half_mut(key) {
                half.noted = false;
                self.note_credit(key);
            }
        }
    }

    /// Items came.
    pub(super) fn receive_items(&mut self, call: CallId, stream: u8, items: Items) {
        let key = StreamKey { side: receiving(stream), call, stream };
        let limit = self.settings.max_message_size;
        let Some(half) = self.recv_half_mut(key).filter(|half| half.is_unfinished()) else {
            return self.violation(format_args!("items of stream {stream} of the call {call}, which is not open"));
        };
        match items.check(half.granted, limit) {
            Ok(granted) => {
                if half.receive(items.bytes.len(), granted) {
                    self.events.push_back(Event::Items { key, items });
                } else {
                    self.note_credit(key);
                }
            }
            Err(BadItems::Malformed) => self.violation("malformed items: there are none, or one is incomplete"),
            Err(BadItems::Overdrawn) => {
                self.violation(format_args!("items of stream {stream} of the call {call} beyond its credit"));
            }
            Err(BadItems::TooBig(error)) => self.too_big(error.size),
        }
    }

    /// A stream has ended.
    pub(super) fn receive_end(&mut self, call: CallId, stream: u8, status: Status, payload: Bytes) {
        let key = StreamKey { side: receiving(stream), call, stream };
        if let Err(error) = TooBig::check(payload.len(), self.settings.max_message_size) {
            return self.too_big(error.size);
        }
        let Some(half) = self.recv_half_mut(key).filter(|half| half.is_unfinished()) else {
            return self.violation(format_args!("the end of stream {stream} of the call {call}, which is not open"));
        };
        if half.end() {
            self.events.push_back(Event::Ended { key, status, payload });
        }
        self.after_stream(key);
    }

    /// The receiver of a stream takes more. For a stream that is over this has crossed with its end.
    pub(super) fn receive_credit(&mut self, call: CallId, stream: u8, bytes: u64) {
        let key = StreamKey { side: sending(stream), call, stream };
        if self.send_half_mut(key).is_some_and(|half| half.refill(bytes)) {
            self.events.push_back(Event::Writable { key });
        }
    }

    /// The receiver of a stream wants no more. For a stream that is over this has crossed with its end.
    pub(super) fn receive_stop(&mut self, call: CallId, stream: u8) {
        let key = StreamKey { side: sending(stream), call, stream };
        if self.send_half_mut(key).is_some_and(SendHalf::stop) {
            self.events.push_back(Event::Stopped { key });
        }
    }

    /// A stream is over, and with it perhaps its call.
    fn after_stream(&mut self, key: StreamKey) {
        match key.side {
            CallSide::Local => self.release(key.call),
            CallSide::Remote => self.finish(key.call),
        }
    }

    fn send_half(&self, key: StreamKey) -> Option<&SendHalf> {
        match (key.side, key.stream) {
            (CallSide::Local, stream) => self.local.get(key.call)?.streams.upload(stream),
            (CallSide::Remote, 0) => self.remote.get(key.call)?.streams.download(),
            (CallSide::Remote, _) => None,
        }
    }

    fn send_half_mut(&mut self, key: StreamKey) -> Option<&mut SendHalf> {
        match (key.side, key.stream) {
            (CallSide::Local, stream) => self.local.get_mut(key.call)?.streams.upload_mut(stream),
            (CallSide::Remote, 0) => self.remote.get_mut(key.call)?.streams.download_mut(),
            (CallSide::Remote, _) => None,
        }
    }

    fn recv_half_mut(&mut self, key: StreamKey) -> Option<&mut RecvHalf> {
        match (key.side, key.stream) {
            (CallSide::Local, 0) => self.local.get_mut(key.call)?.streams.download_mut(),
            (CallSide::Local, _) => None,
            (CallSide::Remote, stream) => self.remote.get_mut(key.call)?.streams.upload_mut(stream),
        }
    }
}

/// Whose call it is that a stream with this number brings items for.
fn receiving(stream: u8) -> CallSide {
    if stream == 0 { CallSide::Local } else { CallSide::Remote }
}

/// Whose call it is that this side sends a stream with this number for.
fn sending(stream: u8) -> CallSide {
    if stream == 0 { CallSide::Remote } else { CallSide::Local }
}
