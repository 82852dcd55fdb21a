//! The calls that this side makes.

use super::{CallSide, Event, OpenCall, OpenCallError, Session, StreamKey, stream::RecvHalf};
use crate::{
    id::CallId,
    wire::{CallHead, Frame, MAX_UPLOADS, Payload, Status, TooBig},
};

impl Session {
    /// Makes a call, or sends a one-way message, for which the number that is returned means nothing. Large arguments
    /// are taken out of `call`, smaller ones copied.
    pub(crate) fn open_call(&mut self, call: &mut OpenCall) -> Result<CallId, OpenCallError> {
        if self.is_closed() {
            return Err(OpenCallError::Closed);
        }
        if self.graceful.is_some() || self.peer_closing {
            return Err(OpenCallError::Closing);
        }
        if call.uploads > MAX_UPLOADS || (call.one_way && call.uploads > 0) {
            return Err(OpenCallError::TooManyUploads(call.uploads));
        }
        let size = call.payload.len() + call.bulk.len();
        TooBig::check(size, self.message_limit())?;
        if self.handshake.is_some() || !self.room(call.one_way).take(size) {
            self.wants_vacancy = true;
            return Err(OpenCallError::Full);
        }
        let id = if call.one_way {
            self.sent_one_way.send(size);
            CallId(0)
        } else {
            self.local.open(size, call.tag, call.uploads, self.allowed.stream_window)
        };
        let head = CallHead {
            call: id,
            function: call.function,
            one_way: call.one_way,
            deadline: call.deadline,
            trace: call.trace,
            uploads: call.uploads,
        };
        match call.bulk.is_empty() {
            true => self.output.push_from(Frame::Call(head), &mut call.payload),
            false => self.output.push_bulk(Frame::Call(head), &call.payload, std::mem::take(&mut call.bulk)),
        }
        let queued_until = self.output.end();
        if !call.one_way
            && let Some(call) = self.local.get_mut(id)
        {
            call.queued_until = queued_until;
        }
        Ok(id)
    }

    /// This side lost interest in its call. Its uploads end; the reply, when it comes, and what the download brings
    /// are dropped without an event.
    pub(crate) fn cancel(&mut self, id: CallId) {
        if self.is_closed() {
            return;
        }
        let Some(call) = self.local.get_mut(id) else { return };
        if call.cancelled {
            return;
        }
        call.cancel();
        let matters = call.is_waiting() || call.streams.any(|_| false, RecvHalf::is_unfinished);
        if let Some(download) = call.streams.download_mut() {
            download.discard(true);
        }
        if matters {
            self.output.push(Frame::Cancel { call: id }, &[]);
        }
        for stream in 1..=MAX_UPLOADS {
            let Some(upload) = self.local.get_mut(id).and_then(|call| call.streams.upload_mut(stream)) else { break };
            if upload.end() {
                self.output.push(Frame::End { call: id, stream, status: Status::Cancelled }, &[]);
            }
        }
        self.note_credit(StreamKey { side: CallSide::Local, call: id, stream: 0 });
    }

    /// The peer has replied.
    pub(super) fn receive_reply(
        &mut self,
        id: CallId,
        status: Status,
        download: bool,
        payload: Payload,
    ) -> Option<Event> {
        let sent = self.output.sent();
        let Some(call) = self.local.get_mut(id).filter(|call| call.is_waiting()) else {
            self.violation(format_args!("a reply to the call {id}, which is not open"));
            return None;
        };
        if call.queued_until > sent {
            self.violation(format_args!("a reply to the call {id} before it was sent"));
            return None;
        }
        let (cancelled, tag) = (call.cancelled, call.tag);
        if download {
            let mut opened = RecvHalf::open(self.settings.stream_window);
            if cancelled {
                opened.discard(true);
            }
            call.streams.open_download(opened);
        }
        self.local.replied(id);
        self.release(id);
        self.offer_vacancy();
        (!cancelled).then_some(Event::Replied { call: id, tag, status, payload, download })
    }

    /// The peer has nothing more to send or to receive for a call with uploads.
    pub(super) fn receive_done(&mut self, id: CallId) {
        match self.local.get(id) {
            Some(call) if call.streams.has_uploads() && call.is_over() => {}
            Some(_) => return self.violation(format_args!("the call {id} is done before its streams have ended")),
            None => return self.violation(format_args!("the call {id} is done, which is not open")),
        }
        self.local.free(id);
        self.offer_vacancy();
    }

    /// Frees the number of a call of which nothing more is to come.
    pub(super) fn release(&mut self, id: CallId) {
        if self.local.get(id).is_some_and(super::local_calls::LocalCall::is_free) {
            self.local.free(id);
            self.offer_vacancy();
        }
    }

    /// Tells that a call may be tried again, if one was refused.
    pub(super) fn offer_vacancy(&mut self) {
        if std::mem::take(&mut self.wants_vacancy) {
            self.events.push_back(Event::Vacancy);
        }
    }

    /// Somebody still waits until a call may be tried again.
    pub(crate) fn want_vacancy(&mut self) {
        self.wants_vacancy = true;
    }

    /// How much the peer takes beside what is open.
    #[inline]
    pub(crate) fn room(&self, one_way: bool) -> Room {
        let allowed = &self.allowed;
        let (calls, bytes) = match one_way {
            true => self.sent_one_way.open(),
            false => (self.local.len(), self.local.bytes()),
        };
        Room {
            calls: (allowed.max_open_calls as usize).saturating_sub(calls),
            bytes,
            max_bytes: allowed.max_open_bytes,
            // Whoever waits is to learn that there will be none.
            unlimited: self.peer_closing || self.is_closing(),
        }
    }
}

/// How much a peer takes beside what is open.
#[derive(Debug)]
pub(crate) struct Room {
    calls: usize,
    bytes: usize,
    max_bytes: usize,
    unlimited: bool,
}

impl Room {
    /// Whether one more of this size has room, which is its own then. A single one always has.
    pub(crate) fn take(&mut self, size: usize) -> bool {
        if self.unlimited {
            return true;
        }
        let bytes = self.bytes.saturating_add(size);
        if self.calls == 0 || (self.bytes > 0 && bytes > self.max_bytes) {
            return false;
        }
        self.calls -= 1;
        self.bytes = bytes;
        true
    }
}
