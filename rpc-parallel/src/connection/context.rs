//! The call that a handler works on, without an argument for it.

use std::{cell::RefCell, sync::Arc, time::Instant};

use crate::{
    connection::{Incoming, Target},
    proto::{AbortReason, TraceContext},
};

thread_local! {
    static CURRENT: RefCell<Option<CallContext>> = const { RefCell::new(None) };
}

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
    deadline: Option<Instant>,
    trace: Option<TraceContext>,
}

impl CallContext {
    /// The call that the current code works on, if it is a handler's.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Until when the caller waits, by this machine's clock. `None` if for as long as it takes.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Why nobody waits for the answer any more: then there is no use in going on. An `async` handler is dropped by
    /// itself; one that computes or blocks has to ask.
    pub fn aborted(&self) -> Option<AbortReason> {
        self.target.aborted()
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Whether the current code is a handler's.
    #[inline]
    pub(crate) fn is_there() -> bool {
        CURRENT.with_borrow(Option::is_some)
    }

    pub(crate) fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    /// Runs a part of a handler with its call as the current one. `call` must not be empty, and is not afterwards.
    pub(crate) fn enter<T>(call: &mut Option<Self>, work: impl FnOnce() -> T) -> T {
        let restore = Restore { outer: CURRENT.replace(call.take()), call };
        let result = work();
        drop(restore);
        result
    }

    /// Enters the handlers of several calls: each of them must be [announced](Self::announce) before.
    pub(super) fn enter_several<T>(work: impl FnOnce() -> T) -> T {
        Self::enter(&mut None, work)
    }

    /// Makes this the current call, whichever was before.
    pub(crate) fn announce(incoming: &Incoming) {
        let Incoming { target, deadline, trace, .. } = incoming;
        CURRENT.with_borrow_mut(|current| match current {
            // The last call's connection is this one's, nearly always: no reference needs to be counted.
            Some(Self { target: last, deadline: last_deadline, trace: last_trace })
                if Arc::ptr_eq(&last.shared, &target.shared) =>
            {
                let Target { shared: _, call, serial, one_way, uploads } = *target;
                (last.call, last.serial, last.one_way, last.uploads) = (call, serial, one_way, uploads);
                (*last_deadline, *last_trace) = (*deadline, *trace);
            }
            other => *other = Some(Self { target: target.clone(), deadline: *deadline, trace: *trace }),
        });
    }
}

/// Puts back what was current, also when the handler panics.
struct Restore<'a> {
    outer: Option<CallContext>,
    call: &'a mut Option<CallContext>,
}

impl Drop for Restore<'_> {
    fn drop(&mut self) {
        *self.call = CURRENT.replace(self.outer.take());
    }
}
