//! What a thread knows while it is in handlers.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    mem::ManuallyDrop,
};

use crate::connection::{CallContext, replies::Collected};

/// What a thread knows while it is in handlers.
///
/// Whoever enters a handler puts things in and takes them out again, so that nothing is left to be dropped with the thread:
/// what is to be dropped has a state that each access has to look at, which there are several of in each call.
pub(super) struct Entered {
    /// The call that the current code works on.
    pub(super) call: RefCell<ManuallyDrop<Option<CallContext>>>,
    /// What the handlers of the connection that this thread serves right now have replied.
    pub(super) replies: RefCell<ManuallyDrop<Collected>>,
    spare: Cell<ManuallyDrop<Spare>>,
}

/// Memory of a future that is over, for the next one, if that is of the same type.
type Spare = Option<Box<dyn Any + Send>>;

thread_local! {
    static ENTERED: Entered = const {
        Entered {
            call: RefCell::new(ManuallyDrop::new(None)),
            replies: RefCell::new(ManuallyDrop::new(Collected::new())),
            spare: Cell::new(ManuallyDrop::new(None)),
        }
    };
}

/// What this thread knows.
#[inline]
pub(super) fn entered<T>(work: impl FnOnce(&Entered) -> T) -> T {
    ENTERED.with(work)
}

/// Memory of a future that is over, if there is some.
#[inline]
pub(crate) fn take_spare() -> Spare {
    ENTERED.with(|entered| ManuallyDrop::into_inner(entered.spare.replace(ManuallyDrop::new(None))))
}

/// Keeps the memory of a future that is over, if calls are being served.
#[inline]
pub(crate) fn keep_spare(spare: Box<dyn Any + Send>) {
    ENTERED.with(|entered| drop(ManuallyDrop::into_inner(entered.spare.replace(ManuallyDrop::new(Some(spare))))));
}

/// What one connection puts in while its calls are served.
#[derive(Default)]
pub(super) struct Serving {
    pub(super) replies: Collected,
    spare: Spare,
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
            let spare = ManuallyDrop::new(self.spare.take());
            self.spare = ManuallyDrop::into_inner(entered.spare.replace(spare));
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
