//! What a thread knows while it is in handlers.

use std::{
    cell::{Cell, RefCell},
    mem::ManuallyDrop,
};

use crate::{
    connection::{CallContext, Serial, replies::Collected},
    id::CallId,
};

/// What a thread knows while it is in handlers.
///
/// Whoever enters a handler puts things in and takes them out again, so that nothing is left to be dropped with the thread:
/// what is to be dropped has a state that each access has to look at, which there are several of in each call.
pub(super) struct Entered {
    /// The call that the current code works on.
    pub(super) call: RefCell<ManuallyDrop<Option<CallContext>>>,
    /// Whether there is one: each call that is made asks for that.
    pub(super) has_call: Cell<bool>,
    /// If this has a serial, it is this one, of the same connection: it has neither streams nor anything special, and may not
    /// be written there yet.
    pub(super) plain: Cell<Plain>,
    /// What the handlers of the connection that this thread serves right now have replied.
    pub(super) replies: RefCell<ManuallyDrop<Collected>>,
}

thread_local! {
    static ENTERED: Entered = const {
        Entered {
            call: RefCell::new(ManuallyDrop::new(None)),
            has_call: Cell::new(false),
            plain: Cell::new(NOT_PLAIN),
            replies: RefCell::new(ManuallyDrop::new(Collected::new())),
        }
    };
}

/// A call that has nothing special.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain {
    pub(super) call: CallId,
    /// How long its arguments are.
    pub(super) size: u32,
    pub(super) serial: Serial,
}

/// The current call is any, or none.
pub(super) const NOT_PLAIN: Plain = Plain { call: CallId(0), size: 0, serial: Serial::NONE };

/// What this thread knows.
#[inline]
pub(super) fn entered<T>(work: impl FnOnce(&Entered) -> T) -> T {
    ENTERED.with(work)
}

/// The same, but inlined into the code that asks for it, which [`entered`] is not where `work` is long. There is always something,
/// for nothing here is dropped with the thread.
#[inline(always)]
pub(super) fn try_entered<T>(work: impl FnOnce(&Entered) -> T) -> Option<T> {
    ENTERED.try_with(work).ok()
}

impl Entered {
    /// Whether so much was replied that it is better sent before anything else is served.
    pub(super) fn has_many_replies(&self) -> bool {
        self.replies.try_borrow().is_ok_and(|replies| replies.are_many())
    }
}

/// What one connection puts in while its calls are served.
#[derive(Default)]
pub(super) struct Serving {
    pub(super) replies: Collected,
}

impl Serving {
    /// Runs `work` with this in place. Afterwards it is what `work` has left.
    pub(super) fn enter<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let mut outer = std::mem::take(self);
        outer.swap();
        let inside = Inside { outer, place: self };
        let result = work();
        drop(inside);
        result
    }

    /// Exchanges this and what is in place.
    fn swap(&mut self) {
        ENTERED.with(|entered| {
            std::mem::swap(&mut **entered.replies.borrow_mut(), &mut self.replies);
        });
    }
}

/// Puts things back also where there is a panic.
struct Inside<'a> {
    outer: Serving,
    place: &'a mut Serving,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.outer.swap();
        *self.place = std::mem::take(&mut self.outer);
    }
}
