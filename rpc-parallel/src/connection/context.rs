//! The call that a handler works on, without an argument for it.

use std::{
    mem::{ManuallyDrop, replace},
    sync::Arc,
    time::Instant,
};

use crate::{
    connection::{
        Incoming, Serial, Shared, Target,
        entered::{Entered, NOT_PLAIN, Plain, entered},
        incoming::Special,
    },
    fault::PanicReport,
    id::CallId,
    panic,
    proto::{AbortReason, TraceContext},
    wire::Status,
};

/// The call that the current code works on.
///
/// It is there in every handler of a worker trait, also across `.await` and on the blocking pool, but not in tasks
/// and threads that a handler starts. Calls that a handler makes inherit its deadline and trace by it.
///
/// ```
/// use rpc_parallel::CallContext;
///
/// /// A plain `fn` of a worker trait cannot be dropped when its caller gives up: it looks now and then.
/// fn crunch(rounds: u64) -> Option<u64> {
///     let call = CallContext::current();
///     let mut sum = 0u64;
///     for round in 0..rounds {
///         if round % 1024 == 0 && call.as_ref().is_some_and(|call| call.aborted().is_some()) {
///             return None;
///         }
///         sum = sum.wrapping_mul(31).wrapping_add(round);
///     }
///     Some(sum)
/// }
/// assert!(crunch(10_000).is_some());
/// ```
#[derive(Clone, Debug)]
pub struct CallContext {
    target: Target,
    special: Option<Box<Special>>,
}

impl CallContext {
    /// The call that the current code works on, if it is a handler's.
    pub fn current() -> Option<Self> {
        entered(|entered| {
            Self::write_plain(entered);
            Option::clone(&entered.call.borrow())
        })
    }

    /// Until when the caller waits, by this machine's clock. `None` if for as long as it takes.
    pub fn deadline(&self) -> Option<Instant> {
        self.special.as_ref()?.deadline
    }

    /// Why nobody waits for the answer any more: then there is no use in going on. An `async` handler is dropped by
    /// itself; one that computes or blocks has to ask.
    pub fn aborted(&self) -> Option<AbortReason> {
        self.target.aborted()
    }

    /// Whether the current code is a handler's.
    #[inline]
    pub(crate) fn is_there() -> bool {
        entered(|entered| entered.has_call.get())
    }

    pub(crate) fn trace(&self) -> Option<TraceContext> {
        self.special.as_ref()?.trace
    }

    /// Runs a part of a handler with its call as the current one. `call` must not be empty, and is not afterwards.
    pub(crate) fn enter<T>(call: &mut Option<Self>, work: impl FnOnce() -> T) -> T {
        let plain = entered(|entered| entered.plain.replace(NOT_PLAIN));
        let restore = Restore { outer: exchange(call.take()), plain, call };
        let result = work();
        drop(restore);
        result
    }

    /// The current call, for what goes on with it later.
    pub(crate) fn later() -> Option<(Option<Self>, Target)> {
        let call = Self::current()?;
        let target = call.target.clone();
        Some((Some(call), target))
    }

    /// Enters the handlers of several calls: each of them must be [announced](Self::announce) before.
    pub(super) fn enter_several<T>(work: impl FnOnce(&Entered) -> T) -> T {
        Self::enter(&mut None, || entered(work))
    }

    /// Prepares for calls of this connection.
    pub(super) fn begin(entered: &Entered, connection: &Arc<Shared>) {
        match &mut **entered.call.borrow_mut() {
            Some(Self { target, .. }) if Arc::ptr_eq(&target.shared, connection) => {}
            other => {
                let target = Target::plain(connection, CallId(0), Serial::NONE);
                *other = Some(Self { target, special: None });
                entered.has_call.set(true);
            }
        }
    }

    /// Makes this the current call, of the connection that was [begun](Self::begin) with: one that has neither streams nor
    /// anything special, and that the session has lent. Few ask for more than is here, which then is noted, and written to
    /// its place.
    #[inline]
    pub(super) fn announce_plain(entered: &Entered, call: CallId, size: usize) {
        // It is short.
        entered.plain.set(Plain { call, size: size as u32, serial: Serial::LENT });
    }

    /// Notes the current call, if the session has lent it. `None` if it was answered, or its connection is over.
    pub(super) fn note_lent() -> Option<Serial> {
        entered(|entered| {
            Self::write_plain(entered);
            Some(entered.plain.get().serial).filter(|serial| *serial != Serial::OVER)
        })
    }

    /// Makes this the current call, of the connection that was [begun](Self::begin) with.
    pub(super) fn announce(entered: &Entered, incoming: &Incoming<'_>) {
        entered.plain.set(NOT_PLAIN);
        if let Some(Self { target, special }) = &mut **entered.call.borrow_mut() {
            (target.call, target.serial) = (incoming.call, incoming.serial);
            (target.one_way, target.uploads) = (incoming.one_way, incoming.uploads);
            target.answered = (incoming.uploads > 0).then(Arc::default);
            special.clone_from(&incoming.special);
        }
    }

    /// Writes a current call that is plain to where any is.
    fn write_plain(entered: &Entered) {
        let Plain { call, size, mut serial } = entered.plain.get();
        if serial != Serial::NONE
            && let Ok(mut current) = entered.call.try_borrow_mut()
            && let Some(Self { target, special }) = &mut **current
        {
            if serial == Serial::LENT {
                let noted = target.shared.lock().session.open_lent(call, size as usize);
                serial = noted.map_or(Serial::OVER, Serial);
                entered.plain.set(Plain { call, size, serial });
            }
            (target.call, target.serial) = (call, serial);
            (target.one_way, target.uploads, target.answered) = (false, 0, None);
            *special = None;
        }
    }

    /// The current call's target, if the current code is a handler's.
    #[inline]
    pub(crate) fn with_target<T>(work: impl FnOnce(&Target) -> T) -> Option<T> {
        entered(|entered| {
            Self::write_plain(entered);
            Some(work(entered.call.try_borrow().ok()?.as_ref()?.target()))
        })
    }

    #[inline]
    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// The current call's handler has panicked: its caller is told.
    #[cold]
    pub(crate) fn panicked(report: &PanicReport) {
        let Some(target) = Self::with_target(Target::clone) else { return };
        let limit = target.shared.message_limit();
        target.fail(Status::Panic, panic::encode(report, limit));
        target.close();
    }
}

/// Makes this the current call, and returns the one before.
fn exchange(call: Option<CallContext>) -> Option<CallContext> {
    entered(|entered| {
        entered.has_call.set(call.is_some());
        ManuallyDrop::into_inner(replace(&mut *entered.call.borrow_mut(), ManuallyDrop::new(call)))
    })
}

/// Puts back what was current, also when the handler panics.
struct Restore<'a> {
    outer: Option<CallContext>,
    plain: Plain,
    call: &'a mut Option<CallContext>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        *self.call = exchange(self.outer.take());
        entered(|entered| entered.plain.set(self.plain));
    }
}
