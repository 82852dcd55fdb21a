//! The calls that we serve, and the handlers that work on them.

use tokio::task::AbortHandle;

use crate::{
    id::CallId,
    proto::{AbortReason, Session},
};

/// Proves which use of a call id is meant. Ids are reused, and a handler that was aborted may run on for a moment:
/// its answer must not reach the next call of the same id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Serial(pub(super) u64);

impl Serial {
    /// Of a one-way message, which has no id and can be neither answered nor aborted.
    pub(super) const NONE: Self = Self(0);

    /// Of a call that the session has [lent](crate::proto::Run), and not noted.
    pub(super) const LENT: Self = Self(u64::MAX);

    /// Of such a call that was answered, or cannot be noted. It is no call's.
    pub(super) const OVER: Self = Self(u64::MAX - 1);
}

/// The calls that are being served, by call id.
///
/// The session knows which calls are open. Here is only what it does not know, of calls that were not answered where their
/// handlers were entered: most never have anything here.
#[derive(Debug, Default)]
pub(super) struct ServedCalls {
    slots: Vec<ServedSlot>,
    ended: bool,
}

/// What is known of the last call that had this slot.
#[derive(Debug, Default)]
struct ServedSlot {
    serial: u64,
    /// It was aborted, or its handler is done.
    over: bool,
    replied: bool,
    handler: Option<AbortHandle>,
    /// The call that had this slot last and was aborted, and why.
    aborted: Option<Box<(u64, AbortReason)>>,
}

impl ServedCalls {
    /// What is known of a call, unless it was aborted or is over.
    fn current(&mut self, session: &Session, call: CallId, serial: Serial) -> Option<&mut ServedSlot> {
        if self.ended || serial == Serial::NONE || session.call_serial(call) != serial.0 {
            return None;
        }
        let index = call.0 as usize;
        let known = self.slots.get(index).is_some_and(|slot| slot.serial == serial.0);
        // Of a call that nothing is known of the session says whether it is over.
        if !known && !session.is_unanswered(call, serial.0) {
            return None;
        }
        Some(self.slot(call, serial.0)).filter(|slot| !slot.over)
    }

    /// The slot of the last call that had this id.
    fn slot(&mut self, call: CallId, serial: u64) -> &mut ServedSlot {
        let index = call.0 as usize;
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, ServedSlot::default);
        }
        let slot = &mut self.slots[index];
        if slot.serial != serial {
            // The handler of the call before cannot be aborted any more; why that call was, its serial says.
            (slot.serial, slot.over, slot.replied, slot.handler) = (serial, false, false, None);
        }
        slot
    }

    /// Whether this is still the call that it was, neither aborted nor over.
    pub(super) fn is_current(&mut self, session: &Session, call: CallId, serial: Serial) -> bool {
        self.current(session, call, serial).is_some()
    }

    /// Notes that the call gets its reply now; `false` if it must not have one.
    pub(super) fn replies(&mut self, session: &Session, call: CallId, serial: Serial) -> bool {
        self.current(session, call, serial).is_some_and(|slot| !std::mem::replace(&mut slot.replied, true))
    }

    /// Whether the call has its reply already.
    pub(super) fn has_replied(&mut self, session: &Session, call: CallId, serial: Serial) -> bool {
        self.current(session, call, serial).is_some_and(|slot| slot.replied)
    }

    /// Lets the handler be aborted with its call. If the call is over already, the handler is aborted now.
    pub(super) fn attach(&mut self, session: &Session, call: CallId, serial: Serial, handler: AbortHandle) {
        match self.current(session, call, serial) {
            Some(slot) => slot.handler = Some(handler),
            None => handler.abort(),
        }
    }

    /// The caller has lost interest, or its deadline has passed.
    pub(super) fn abort(&mut self, session: &Session, call: CallId, why: AbortReason) {
        self.slot(call, session.call_serial(call)).abort(why);
    }

    /// Why nobody waits for the call's answer any more, unless it has one.
    pub(super) fn aborted(&mut self, session: &Session, call: CallId, serial: Serial) -> Option<AbortReason> {
        if self.is_current(session, call, serial) {
            return None;
        }
        match self.slots.get(call.0 as usize).and_then(|slot| slot.aborted.as_deref()) {
            Some((aborted, why)) if *aborted == serial.0 => Some(*why),
            // It is over, or its slot has the next call already.
            _ => Some(AbortReason::Cancelled),
        }
    }

    /// The handler is done.
    pub(super) fn finish(&mut self, session: &Session, call: CallId, serial: Serial) {
        if let Some(slot) = self.current(session, call, serial) {
            slot.over = true;
            slot.handler = None;
        }
    }

    /// The connection has ended: whatever still runs works for nobody.
    pub(super) fn abort_all(&mut self, session: &Session) {
        self.ended = true;
        for (call, slot) in (0..).map(CallId).zip(&mut self.slots) {
            if slot.serial == session.call_serial(call) {
                slot.abort(AbortReason::Cancelled);
            }
        }
    }
}

impl ServedSlot {
    fn abort(&mut self, why: AbortReason) {
        if !self.over {
            self.aborted = Some(Box::new((self.serial, why)));
            self.over = true;
        }
        if let Some(handler) = self.handler.take() {
            handler.abort();
        }
    }
}
