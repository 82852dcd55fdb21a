//! Memory for calls, used again.

use std::{
    cell::{Cell, RefCell},
    mem::{ManuallyDrop, take as take_all},
};

use super::{RawCall, State};
use crate::wire::Few;

thread_local! {
    /// Nothing here is dropped with the thread, or each access would have to look whether it was: [`End`] does that.
    static SPARE: ManuallyDrop<Spare> = const {
        ManuallyDrop::new(Spare {
            keeps: Cell::new(false),
            last: Cell::new(None),
            others: RefCell::new(Vec::new()),
            arguments: Cell::new(None),
        })
    };

    static END: End = const { End };
}

/// Calls that are over: most are, before their thread makes the next one.
struct Spare {
    /// Something may be kept, for it will be dropped with the thread.
    keeps: Cell<bool>,
    last: Cell<Option<Box<RawCall>>>,
    #[expect(clippy::vec_box, reason = "a call is handed out in its box")]
    others: RefCell<Vec<Box<RawCall>>>,
    /// The memory of the arguments that were sent last: all short calls of a thread can do with the same, which stays in
    /// the cache.
    #[expect(clippy::box_collection, reason = "handed on in one word")]
    arguments: Cell<Option<Box<Vec<u8>>>>,
}

/// How many a thread keeps.
const KEPT: usize = 64;

/// How much memory for arguments each of them keeps,
const KEPT_ARGUMENTS: usize = 256;

/// and each of the first few.
const KEPT_LONG_ARGUMENTS: usize = 8 << 10;
const FEW: usize = 4;

/// A call without a connection, a function, or arguments.
#[inline]
pub(super) fn take() -> Box<RawCall> {
    take_last().unwrap_or_else(take_other)
}

/// The same, if the last call that was over is still there.
#[inline(always)]
pub(super) fn take_last() -> Option<Box<RawCall>> {
    SPARE.with(|spare| spare.last.take())
}

#[cold]
#[inline(never)]
fn take_other() -> Box<RawCall> {
    SPARE.with(|spare| spare.others.borrow_mut().pop()).unwrap_or_default()
}

/// Memory for arguments.
#[inline]
#[expect(clippy::box_collection, reason = "handed on in one word")]
pub(super) fn arguments() -> Box<Vec<u8>> {
    SPARE.with(|spare| spare.arguments.take()).unwrap_or_default()
}

/// Keeps the memory of arguments that were sent.
#[inline]
#[expect(clippy::box_collection, reason = "handed on in one word")]
pub(super) fn give_arguments(place: &mut Option<Box<Vec<u8>>>) {
    if let Some(arguments) = place {
        arguments.clear();
        if arguments.capacity() <= KEPT_LONG_ARGUMENTS {
            SPARE.with(|spare| {
                if spare.keeps()
                    && let Some(before) = spare.arguments.replace(place.take())
                {
                    drop_arguments(before);
                }
            });
        }
    }
}

/// Keeps one and no more: rare, and out of the way of all others.
#[cold]
#[inline(never)]
#[expect(clippy::box_collection, reason = "handed on in one word")]
fn drop_arguments(arguments: Box<Vec<u8>>) {
    drop(arguments);
}

/// Keeps the memory of a call that is over and has nothing left.
#[inline]
pub(super) fn give(mut call: Box<RawCall>) {
    call.state = State::Unsent { one_way: false };
    call.few = Few::EMPTY;
    SPARE.with(|spare| spare.put(call));
}

/// The same once its arguments are [cleared](clear).
#[inline(never)]
pub(super) fn give_cleared(mut call: Box<RawCall>) {
    if let Some(arguments) = &mut call.arguments {
        clear(arguments);
    }
    call.state = State::Unsent { one_way: false };
    call.few = Few::EMPTY;
    SPARE.with(|spare| {
        if spare.keeps() {
            // A call that has none is given back sooner.
            let arguments = spare.arguments.take();
            spare.arguments.set(arguments.or_else(|| call.arguments.take()));
        }
        spare.put(call);
    });
}

#[cold]
#[inline(never)]
fn drop_call(call: Box<RawCall>) {
    drop(call);
}

/// Leaves a little memory, and more of it where few have any.
#[inline(never)]
fn clear(arguments: &mut Vec<u8>) {
    arguments.clear();
    if arguments.capacity() > KEPT_ARGUMENTS {
        let few = SPARE.with(|spare| spare.others.borrow().len() < FEW);
        arguments.shrink_to(if few { KEPT_LONG_ARGUMENTS } else { KEPT_ARGUMENTS });
    }
}

impl Spare {
    /// Whether something may be kept. A thread that ends keeps nothing any more.
    #[inline(always)]
    fn keeps(&self) -> bool {
        self.keeps.get() || self.begin()
    }

    #[cold]
    #[inline(never)]
    fn begin(&self) -> bool {
        self.keeps.set(END.try_with(|_| ()).is_ok());
        self.keeps.get()
    }

    #[inline(always)]
    fn put(&self, call: Box<RawCall>) {
        if !self.keeps() {
            return drop_call(call);
        }
        if let Some(before) = self.last.replace(Some(call)) {
            self.keep(before);
        }
    }

    #[inline(never)]
    fn keep(&self, call: Box<RawCall>) {
        let mut others = self.others.borrow_mut();
        if others.len() < KEPT {
            others.push(call);
        }
    }
}

/// Drops what was kept with the thread.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        SPARE.with(|spare| {
            spare.keeps.set(false);
            let others = take_all(&mut *spare.others.borrow_mut());
            drop((spare.last.take(), spare.arguments.take(), others));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many calls are kept.
    fn kept() -> usize {
        SPARE.with(|spare| {
            let last = spare.last.take();
            let count = usize::from(last.is_some()) + spare.others.borrow().len();
            spare.last.set(last);
            count
        })
    }

    #[test]
    fn a_thread_keeps_some_calls_and_none_when_it_ends() {
        std::thread::spawn(|| {
            let calls: Vec<_> = (0..2 * KEPT).map(|_| take()).collect();
            assert_eq!(kept(), 0);
            calls.into_iter().for_each(give);
            assert_eq!(kept(), KEPT + 1);
            drop(take());
            assert_eq!(kept(), KEPT);
            let mut call = take();
            call.arguments().extend([1, 2, 3]);
            give_cleared(call);
            assert_eq!(kept(), KEPT);
            let arguments = arguments();
            assert!(arguments.is_empty() && arguments.capacity() >= 3, "they are handed on");
            // As the thread's end does.
            drop(End);
            assert_eq!(kept(), 0);
        })
        .join()
        .unwrap();
    }
}
