//! The calls that we serve, and the handlers that work on them.

use tokio::task::AbortHandle;

use crate::{id::CallId, proto::AbortReason};

/// Proves which use of a call id is meant. Ids are reused, and a handler that was aborted may run on for a moment:
/// its answer must not reach the next call of the same id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Serial(u64);

/// The calls that are being served, by call id.
#[derive(Debug, Default)]
pub(super) struct ServedCalls {
    slots: Vec<ServedSlot>,
    last: u64,
}

#[derive(Debug, Default)]
struct ServedSlot {
    serial: u64,
    replied: bool,
    handler: Option<AbortHandle>,
    /// The call that had this slot last and was aborted, and why.
    aborted: Option<Box<(u64, AbortReason)>>,
}

impl ServedCalls {
    /// A call has arrived.
    #[inline]
    pub(super) fn open(&mut self, call: CallId) -> Serial {
        self.last += 1;
        let index = call.0 as usize;
        if index >= self.slots.len() {
            self.slots.resize_with(index + 1, ServedSlot::default);
        }
        let slot = &mut self.slots[index];
        // The handler of the call before cannot be aborted any more; why that call was, its serial says.
        (slot.serial, slot.replied) = (self.last, false);
        if slot.handler.is_some() {
            slot.handler = None;
        }
        Serial(self.last)
    }

    /// A serial for a one-way message, which has no id and can be neither answered nor aborted.
    #[inline]
    pub(super) fn anonymous(&mut self) -> Serial {
        self.last += 1;
        Serial(self.last)
    }

    #[inline]
    fn current(&mut self, call: CallId, serial: Serial) -> Option<&mut ServedSlot> {
        self.slots.get_mut(call.0 as usize).filter(|slot| slot.serial == serial.0)
    }

    /// Whether this is still the call that it was, neither aborted nor over.
    pub(super) fn is_current(&mut self, call: CallId, serial: Serial) -> bool {
        self.current(call, serial).is_some()
    }

    /// Notes that the call gets its reply now; `false` if it must not have one.
    pub(super) fn replies(&mut self, call: CallId, serial: Serial) -> bool {
        self.current(call, serial).is_some_and(|slot| !std::mem::replace(&mut slot.replied, true))
    }

    /// Notes that the call gets its reply now and that its handler is done; `false` if it must not have one.
    #[inline]
    pub(super) fn close(&mut self, call: CallId, serial: Serial) -> bool {
        self.current(call, serial).is_some_and(|slot| {
            slot.serial = 0;
            slot.handler = None;
            !slot.replied
        })
    }

    /// Whether the call has its reply already.
    pub(super) fn has_replied(&mut self, call: CallId, serial: Serial) -> bool {
        self.current(call, serial).is_some_and(|slot| slot.replied)
    }

    /// Lets the handler be aborted with its call. If the call is over already, the handler is aborted now.
    pub(super) fn attach(&mut self, call: CallId, serial: Serial, handler: AbortHandle) {
        match self.current(call, serial) {
            Some(slot) => slot.handler = Some(handler),
            None => handler.abort(),
        }
    }

    /// The caller has lost interest, or its deadline has passed.
    pub(super) fn abort(&mut self, call: CallId, why: AbortReason) {
        if let Some(slot) = self.slots.get_mut(call.0 as usize) {
            slot.abort(why);
        }
    }

    /// Why nobody waits for the call's answer any more, unless it has one.
    pub(super) fn aborted(&self, call: CallId, serial: Serial) -> Option<AbortReason> {
        let slot = self.slots.get(call.0 as usize)?;
        if slot.serial == serial.0 {
            return None;
        }
        match slot.aborted.as_deref() {
            Some((aborted, why)) if *aborted == serial.0 => Some(*why),
            // Its slot has the next call already.
            _ => Some(AbortReason::Cancelled),
        }
    }

    /// The handler is done.
    pub(super) fn finish(&mut self, call: CallId, serial: Serial) {
        if let Some(slot) = self.current(call, serial) {
            slot.serial = 0;
            slot.handler = None;
        }
    }

    /// The connection has ended: whatever still runs works for nobody.
    pub(super) fn abort_all(&mut self) {
        for slot in &mut self.slots {
            slot.abort(AbortReason::Cancelled);
        }
    }
}

impl ServedSlot {
    fn abort(&mut self, why: AbortReason) {
        if self.serial != 0 {
            self.aborted = Some(Box::new((self.serial, why)));
            self.serial = 0;
        }
        if let Some(handler) = self.handler.take() {
            handler.abort();
        }
    }
}
