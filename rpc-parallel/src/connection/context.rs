//! The call that a handler works on, without an argument for it.

use std::{cell::RefCell, time::Instant};

use crate::{
    connection::Target,
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
    pub(super) fn new(target: Target, deadline: Option<Instant>, trace: Option<TraceContext>) -> Self {
        Self { target, deadline, trace }
    }

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

    pub(crate) fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    /// Runs a part of the handler with this as the current call.
    pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let _restore = Restore(CURRENT.replace(Some(self.clone())));
        work()
    }
}

/// Puts back what was current, also when the handler panics.
struct Restore(Option<CallContext>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}
