//! The calls that the peer makes.

use std::time::Instant;

use super::{AbortReason, CallSide, Event, Session, StreamKey, stream::SendHalf};
use crate::{
    id::CallId,
    wire::{CallHead, Frame, MAX_UPLOADS, Payload, Status, TooBig},
};

impl Session {
    /// Answers a call of the peer; `download` says that the caller gets stream 0. Nothing happens if the call was
    /// aborted meanwhile. What is too big is not sent, and the call has to be answered differently.
    pub(crate) fn reply(
        &mut self,
        id: CallId,
        status: Status,
        payload: impl Into<Payload>,
        download: bool,
    ) -> Result<(), TooBig> {
        let payload = payload.into();
        if let Err(error) = TooBig::check(payload.len(), self.message_limit()) {
            self.discard_payload(payload);
            return Err(error);
        }
        if self.is_closed() {
            self.discard_payload(payload);
            return Ok(());
        }
        let window = self.allowed.stream_window;
        let Some(call) = self.remote.get_mut(id).filter(|call| call.is_running()) else {
            self.discard_payload(payload);
            return Ok(());
        };
        if download {
            call.streams.open_download(SendHalf::open(window));
        }
        self.remote.replied(id);
        self.output.push_owned(Frame::Reply { call: id, status, download }, payload);
        self.finish(id);
        self.after_change();
        Ok(())
    }

    /// The serial of the last call of the peer that had this number: each has another, so that what is said of a call can be
    /// told from what is said of the next one of the same number.
    #[inline]
    pub(crate) fn call_serial(&self, id: CallId) -> u64 {
        self.remote.serial(id)
    }

    /// Whether the call of the peer with this serial has no reply yet.
    #[inline]
    pub(crate) fn is_unanswered(&self, id: CallId, serial: u64) -> bool {
        self.remote.is_running(id, serial)
    }

    /// Ends a call that has no streams: its reply is encoded, within the limit, and queued by the next
    /// [`push_replies`](Self::push_replies), of which it is the last of so many bytes. Does nothing, and says so, if that is
    /// not all there is to do. The session must not be closing.
    #[inline]
    pub(crate) fn close_replied(&mut self, id: CallId, serial: u64, bytes: usize) -> bool {
        // The peer cannot use the number again before this was written.
        self.remote.close_short(id, serial, self.output.end() + bytes as u64)
    }

    /// Queues replies to calls that were [ended](Self::close_replied).
    pub(crate) fn push_replies(&mut self, frames: &[u8]) {
        self.output.push_frames(frames);
    }

    /// The handler of a one-way message whose arguments had this size is done.
    pub(crate) fn settle_one_way(&mut self, bytes: usize) {
        self.received_one_way.finish(bytes);
        if !self.is_closed() {
            self.send_settled();
            self.after_change();
        }
    }

    /// The peer calls.
    pub(super) fn receive_call(&mut self, now: Instant, head: CallHead, payload: Payload) -> Option<Event> {
        let size = payload.len();
        if let Err(too_big) = TooBig::check(size, self.settings.max_message_size) {
            self.too_big(too_big.size);
            return None;
        }
        let accepted = if head.one_way {
            self.received_one_way.receive(size).map(|()| None)
        } else {
            self.admit(now, &head, size)
        };
        let deadline = match accepted {
            Ok(deadline) => deadline,
            Err(text) => {
                self.violation(text);
                return None;
            }
        };
        if self.graceful.is_some() && !head.one_way {
            self.abort(head.call, Status::Refused, "the connection is closing");
            return None;
        }
        Some(Event::Called {
            call: head.call,
            function: head.function,
            one_way: head.one_way,
            deadline,
            trace: head.trace,
            uploads: head.uploads,
            payload,
        })
    }

    /// The peer lost interest.
    pub(super) fn receive_cancel(&mut self, id: CallId) {
        // Otherwise it crossed with the last frame of the call.
        if self.remote.get(id).is_some_and(|call| !call.aborted) {
            self.abort(id, Status::Cancelled, "the caller cancelled");
            self.events.push_back(Event::CallAborted { call: id, why: AbortReason::Cancelled });
        }
    }

    /// Ends the calls whose deadline has passed.
    pub(super) fn expire_calls(&mut self, now: Instant) {
        while let Some((id, serial)) = self.deadlines.pop(now) {
            if self.remote.is_running(id, serial) {
                self.abort(id, Status::Deadline, "the deadline passed before the call was answered");
                self.events.push_back(Event::CallAborted { call: id, why: AbortReason::Deadline });
            }
        }
    }

    /// Tells the peer of finished one-way messages, if it is time and the peer reads.
    pub(super) fn send_settled(&mut self) {
        if !self.output.is_congested()
            && let Some((calls, bytes)) = self.received_one_way.take_settled()
        {
            self.output.push(Frame::Settled { calls, bytes }, &[]);
        }
    }

    /// Forgets a call that is over. A caller that has sent streams is told, for it cannot know otherwise that the
    /// last `Credit` and `Stop` are behind it.
    pub(super) fn finish(&mut self, id: CallId) {
        let Some(call) = self.remote.get(id).filter(|call| call.is_over()) else { return };
        if call.streams.has_uploads() {
            self.output.push(Frame::Done { call: id }, &[]);
        }
        self.remote.free(id, self.output.end());
    }

    fn admit(&mut self, now: Instant, head: &CallHead, size: usize) -> Result<Option<Instant>, String> {
        let limits = (self.settings.max_open_calls, self.settings.max_open_bytes);
        let window = self.settings.stream_window;
        let serial = self.remote.open(head.call, size, head.uploads, window, limits, self.output.sent())?;
        let Some(deadline) = head.deadline else { return Ok(None) };
        let (remote, open) = (&self.remote, self.remote.len());
        Ok(self.deadlines.add(now, deadline, (head.call, serial), open, |id, serial| remote.is_running(id, serial)))
    }

    /// Ends everything of a call that the handler would otherwise have ended.
    fn abort(&mut self, id: CallId, status: Status, text: &str) {
        let Some(call) = self.remote.get_mut(id) else { return };
        call.aborted = true;
        let (running, streaming) = (call.is_running(), call.streams.download_mut().is_some_and(SendHalf::end));
        if running {
            self.remote.replied(id);
            self.output.push(Frame::Reply { call: id, status, download: false }, text.as_bytes());
        }
        if streaming {
            self.output.push(Frame::End { call: id, stream: 0, status }, text.as_bytes());
        }
        for stream in 1..=MAX_UPLOADS {
            self.discard(StreamKey { side: CallSide::Remote, call: id, stream }, true);
        }
        self.finish(id);
    }
}
