//! The replies of handlers that were through at once, sent together.

use std::sync::Arc;

use crate::{
    codec::CodecError,
    connection::{
        Serial,
        core::{Core, Shared},
        entered::{Entered, Plain, entered, try_entered},
    },
    id::CallId,
    wire::{self, Few, Frame, LENGTH_PREFIX, Status},
};

/// Replies that are not queued yet, so that the connection is locked once for all of them.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// The connection by its address; 0 if none is served.
    of: usize,
    /// The largest reply that both sides take.
    limit: usize,
    /// What there is to do beside sending them.
    replies: Vec<Reply>,
    /// The replies as they go over the wire, one behind the other.
    frames: Vec<u8>,
    /// Where the last reply ends. What is behind it is of one that failed.
    end: usize,
}

/// A reply to a call that the session has noted, and where it is.
#[derive(Debug)]
struct Reply {
    serial: Serial,
    call: CallId,
    /// Together they are far less than 4 GiB: otherwise they are sent one by one.
    start: u32,
    end: u32,
}

/// How much memory for replies is kept.
const KEPT: usize = 64 << 10;

/// From so many bytes on no further calls are served before they are sent.
const MANY: usize = 256 << 10;

/// How long they may become together, before the last one.
const MOST: usize = 1 << 30;

impl Collected {
    pub(super) const fn new() -> Self {
        Self { of: 0, limit: 0, replies: Vec::new(), frames: Vec::new(), end: 0 }
    }

    /// Collects replies on this connection from now on.
    pub(super) fn begin(&mut self, of: &Arc<Shared>) {
        (self.of, self.limit) = (Arc::as_ptr(of).addr(), of.message_limit());
    }

    /// Whether it is better sent before anything else is served: then the session sees that its peer does not read.
    pub(super) fn are_many(&self) -> bool {
        self.end > MANY
    }

    /// The current call, if its reply is collected here.
    fn any(&self, entered: &Entered) -> Option<(CallId, Serial)> {
        let current = entered.call.try_borrow().ok()?;
        let target = current.as_ref()?.target();
        (target.is_alone() && Arc::as_ptr(&target.shared).addr() == self.of).then_some((target.call, target.serial))
    }

    /// The call whose reply is to be written next, at the [end](Self::end).
    #[inline(always)]
    fn begin_reply(&mut self, entered: &Entered) -> Option<Plain> {
        // A plain call is of the connection that is served.
        let mut plain = entered.plain.get();
        if plain.serial == Serial::NONE {
            (plain.call, plain.serial) = self.any(entered)?;
        }
        if self.end > MOST {
            return None;
        }
        if self.frames.len() != self.end {
            self.frames.truncate(self.end);
        }
        Some(plain)
    }

    /// The call's reply is written.
    #[inline(always)]
    fn end_reply(&mut self, entered: &Entered, Plain { call, size, serial }: Plain) {
        let start = std::mem::replace(&mut self.end, self.frames.len());
        if serial == Serial::LENT {
            entered.plain.set(Plain { call, size, serial: Serial::OVER });
        } else if serial != Serial::OVER {
            self.replies.push(Reply { serial, call, start: start as u32, end: self.end as u32 });
        }
    }
}

/// What became of a reply. It is returned in a register.
pub(crate) enum Collect {
    /// It is kept for later.
    Kept,
    /// This thread does not serve its connection.
    NotHere,
    Failed(Box<CodecError>),
}

/// Keeps the one reply of the current call for later, if this thread serves its connection: `write` appends the payload to
/// a buffer, which may become as long as the given limit.
pub(crate) fn collect(status: Status, write: impl FnOnce(&mut Vec<u8>, usize) -> Result<(), CodecError>) -> Collect {
    let collected = try_entered(move |entered| {
        // Whatever the value's `Serialize` does, it comes here only where a reply is none of its business.
        let Ok(mut collected) = entered.replies.try_borrow_mut() else { return Collect::NotHere };
        let collected = &mut **collected;
        let Some(mut plain) = collected.begin_reply(entered) else { return Collect::NotHere };
        let Collected { limit, frames, end: start, .. } = collected;
        Frame::Reply { call: plain.call, status, download: false }.encode(0, frames);
        let payload = frames.len();
        if let Err(error) = write(frames, payload + *limit) {
            return Collect::Failed(Box::new(error.after(payload)));
        }
        let len = frames.len() - *start;
        if let Some(prefix) = frames.get_mut(*start..).and_then(|frame| frame.first_chunk_mut()) {
            // Messages are limited to 2 GiB.
            *prefix = ((len - LENGTH_PREFIX) as u32).to_le_bytes();
        }
        // The value's `Serialize` may have asked for its call, which was noted then.
        let noted = entered.plain.get().serial;
        if noted != Serial::NONE {
            plain.serial = noted;
        }
        collected.end_reply(entered, plain);
        Collect::Kept
    });
    collected.unwrap_or(Collect::NotHere)
}

/// The same for a reply of a few bytes, which must be there. `false` if it was not kept.
#[inline(never)]
pub(crate) fn collect_few(status: Status, few: Few) -> bool {
    let collected = try_entered(move |entered| {
        let Ok(mut collected) = entered.replies.try_borrow_mut() else { return false };
        let collected = &mut **collected;
        let Some(plain) = collected.begin_reply(entered) else { return false };
        Frame::encode_short_reply(plain.call, status, few, &mut collected.frames);
        collected.end_reply(entered, plain);
        true
    });
    collected.unwrap_or(false)
}

/// Queues what this thread has collected for a connection, before something else is said about one of its calls.
pub(super) fn send(shared: &Shared) {
    entered(|entered| {
        if let Ok(mut collected) = entered.replies.try_borrow_mut()
            && collected.of == std::ptr::from_ref(shared).addr()
            && !collected.frames.is_empty()
        {
            shared.lock().send(&mut collected);
        }
    });
}

impl Core {
    /// Queues what was collected.
    pub(super) fn send(&mut self, collected: &mut Collected) {
        let Collected { replies, frames, end: last, .. } = collected;
        frames.truncate(*last);
        let over = self.terminal.is_some() || self.session.is_closed();
        let open = !over && !self.session.is_closing();
        // Those from here on are queued together.
        let mut from = 0;
        for Reply { call, serial, start, end } in replies.iter() {
            let (start, end) = (*start as usize, *end as usize);
            if open && self.session.close_replied(*call, serial.0, end - from) {
                continue;
            }
            if !over {
                self.session.push_replies(frames.get(from..start).unwrap_or_default());
            }
            self.send_one(*call, *serial, frames.get(start..end).unwrap_or_default());
            from = end;
        }
        if !over {
            self.session.push_replies(frames.get(from..).unwrap_or_default());
        }
        replies.clear();
        frames.clear();
        frames.shrink_to(KEPT);
        *last = 0;
    }

    /// Queues a reply that others were collected with, unless its call has one or is over.
    #[cold]
    fn send_one(&mut self, call: CallId, serial: Serial, frame: &[u8]) {
        let body = frame.get(LENGTH_PREFIX..).unwrap_or_default();
        if let Ok((Frame::Reply { status, .. }, header)) = wire::decode(body) {
            self.reply(call, serial, status, body.get(header..).unwrap_or_default().to_vec().into());
            self.served.finish(&self.session, call, serial);
        }
    }
}
