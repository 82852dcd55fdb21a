//! The calls that this side makes.

use super::{CallSide, Event, OpenCall, OpenCallError, Session, StreamKey, stream::RecvHalf};
use crate::{
    id::CallId,
    wire::{CallHead, Frame, MAX_UPLOADS, Payload, Status, TooBig},
};

impl Session {
    /// Makes a call, or sends a one-way message, for which the number that is returned means nothing.
    pub(crate) fn open_call(&mut self, call: OpenCall) -> Result<CallId, OpenCallError> {
        if self.is_closed() {
            return Err(OpenCallError::Closed);
        }
        if self.graceful.is_some() || self.peer_closing {
            return Err(OpenCallError::Closing);
        }
        if call.uploads > MAX_UPLOADS || (call.one_way && call.uploads > 0) {
            return Err(OpenCallError::TooManyUploads(call.uploads));
        }
        let size = call.payload.len();
        TooBig::check(size, self.message_limit())?;
        if self.handshake.is_some() || !self.has_room(call.one_way, size) {
            self.wants_vacancy = true;
            return Err(OpenCallError::Full(call));
        }
        let id = if call.one_way {
            self.sent_one_way.send(size);
            CallId(0)
        } else {
            self.local.open(size, call.uploads, self.allowed.stream_window)
        };
        let head = CallHead {
            call: id,
            function: call.function,
            one_way: call.one_way,
            deadline: call.deadline,
            trace: call.trace,
            uploads: call.uploads,
        };
        self.output.push_owned(Frame::Call(head), call.payload);
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
        call.cancelled = true;
        let matters = call.is_waiting() || call.download.is_unfinished();
        call.download.discard(true);
        if matters {
            self.output.push(Frame::Cancel { call: id }, &[]);
        }
        for index in 0..MAX_UPLOADS {
            let Some(upload) = self.local.get_mut(id).and_then(|call| call.uploads.get_mut(usize::from(index)))
            else {
                break;
            };
            if upload.end() {
                self.output.push(Frame::End { call: id, stream: index + 1, status: Status::Cancelled }, &[]);
            }
        }
        self.note_credit(StreamKey { side: CallSide::Local, call: id, stream: 0 });
    }

    /// The peer has replied.
    pub(super) fn receive_reply(&mut self, id: CallId, status: Status, download: bool, payload: Payload) {
        let sent = self.output.sent();
        let Some(call) = self.local.get_mut(id).filter(|call| call.is_waiting()) else {
            return self.violation(format_args!("a reply to the call {id}, which is not open"));
        };
        if call.queued_until > sent {
            return self.violation(format_args!("a reply to the call {id} before it was sent"));
        }
        let cancelled = call.cancelled;
        if download {
            call.download = RecvHalf::open(self.settings.stream_window);
            if cancelled {
                call.download.discard(true);
            }
        }
        self.local.replied(id);
        if !cancelled {
            self.events.push_back(Event::Replied { call: id, status, payload, download });
        }
        self.release(id);
        self.offer_vacancy();
    }

    /// The peer has nothing more to send or to receive for a call with uploads.
    pub(super) fn receive_done(&mut self, id: CallId) {
        match self.local.get(id) {
            Some(call) if !call.uploads.is_empty() && call.is_over() => {}
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

    fn has_room(&self, one_way: bool, size: usize) -> bool {
        let allowed = &self.allowed;
        if one_way {
            return self.sent_one_way.has_room(size, allowed.max_open_calls, allowed.max_open_bytes);
        }
        let bytes = self.local.bytes();
        self.local.len() < allowed.max_open_calls as usize
            && (bytes == 0 || bytes.saturating_add(size) <= allowed.max_open_bytes)
    }
}
