//! The call that a handler works on, without an argument for it.

use std::{
    mem::{ManuallyDrop, replace},
    sync::Arc,
    time::Instant,
};

use crate::{
    connection::{
        Incoming, Serial, Shared, Target,
        entered::{Entered, entered},
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
        entered(|entered| Option::clone(&entered.call.borrow()))
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
        entered(|entered| entered.call.borrow().is_some())
    }

    pub(crate) fn trace(&self) -> Option<TraceContext> {
        self.special.as_ref()?.trace
    }

    /// Runs a part of a handler with its call as the current one. `call` must not be empty, and is not afterwards.
    pub(crate) fn enter<T>(call: &mut Option<Self>, work: impl FnOnce() -> T) -> T {
        let restore = Restore { outer: exchange(call.take()), call };
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

    /// Makes this the current call, whichever was before: one that has neither streams nor anything special.
    #[inline]
    pub(super) fn announce_plain(entered: &Entered, connection: &Arc<Shared>, call: CallId, serial: Serial) {
        match &mut **entered.call.borrow_mut() {
            // As below.
            Some(Self { target, special: None })
                if Arc::ptr_eq(&target.shared, connection) && target.answered.is_none() =>
            {
                (target.call, target.serial) = (call, serial);
                (target.one_way, target.uploads) = (false, 0);
            }
            other => *other = Some(Self { target: Target::plain(connection, call, serial), special: None }),
        }
    }

    /// Makes this the current call, whichever was before.
    pub(super) fn announce(entered: &Entered, connection: &Arc<Shared>, incoming: &Incoming<'_>) {
        match &mut **entered.call.borrow_mut() {
            // The last call's connection is this one's, nearly always: no reference needs to be counted.
            Some(Self { target, special }) if Arc::ptr_eq(&target.shared, connection) => {
                (target.call, target.serial) = (incoming.call, incoming.serial);
                if incoming.uploads > 0 || target.answered.is_some() {
                    target.answered = (incoming.uploads > 0).then(Arc::default);
                }
                (target.one_way, target.uploads) = (incoming.one_way, incoming.uploads);
                if special.is_some() || incoming.special.is_some() {
                    special.clone_from(&incoming.special);
                }
            }
            other => *other = Some(Self { target: incoming.target(connection), special: incoming.special.clone() }),
        }
    }

    /// The current call's target, if the current code is a handler's.
    #[inline]
    pub(crate) fn with_target<T>(work: impl FnOnce(&Target) -> T) -> Option<T> {
        entered(|entered| Some(work(entered.call.try_borrow().ok()?.as_ref()?.target())))
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
    entered(|entered| ManuallyDrop::into_inner(replace(&mut *entered.call.borrow_mut(), ManuallyDrop::new(call))))
}

/// Puts back what was current, also when the handler panics.
struct Restore<'a> {
    outer: Option<CallContext>,
    call: &'a mut Option<CallContext>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        *self.call = exchange(self.outer.take());
    }
}
