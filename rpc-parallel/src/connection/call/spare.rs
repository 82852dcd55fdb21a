//! Memory for calls, used again.

use std::cell::{Cell, RefCell};

use super::{RawCall, State};
use crate::wire::Few;

thread_local! {
    static SPARE: Spare = const {
        Spare { last: Cell::new(None), others: RefCell::new(Vec::new()), arguments: Cell::new(None) }
    };
}

/// Calls that are over: most are, before their thread makes the next one.
struct Spare {
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
    // A thread that ends has none any more.
    let spare = SPARE.try_with(|spare| spare.last.take().or_else(|| spare.others.borrow_mut().pop()));
    spare.ok().flatten().unwrap_or_else(fresh)
}

#[cold]
#[inline(never)]
fn fresh() -> Box<RawCall> {
    Box::default()
}

/// Memory for arguments.
#[inline]
#[expect(clippy::box_collection, reason = "handed on in one word")]
pub(super) fn arguments() -> Box<Vec<u8>> {
    SPARE.try_with(|spare| spare.arguments.take()).ok().flatten().unwrap_or_default()
}

/// Keeps the memory of arguments that were sent.
#[inline]
#[expect(clippy::box_collection, reason = "handed on in one word")]
pub(super) fn give_arguments(place: &mut Option<Box<Vec<u8>>>) {
    if let Some(arguments) = place {
        arguments.clear();
        if arguments.capacity() <= KEPT_LONG_ARGUMENTS {
            let _ = SPARE.try_with(|spare| {
                if let Some(before) = spare.arguments.replace(place.take()) {
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

/// Keeps the memory of a call that is over and has nothing left but its arguments.
#[inline]
pub(super) fn give(mut call: Box<RawCall>) {
    call.state = State::Unsent { one_way: false };
    call.few = Few::EMPTY;
    if let Some(arguments) = &mut call.arguments {
        clear(arguments);
    }
    let _ = SPARE.try_with(|spare| {
        if let Some(before) = spare.last.replace(Some(call)) {
            spare.keep(before);
        }
    });
}

/// Leaves a little memory, and more of it where few have any.
#[inline(never)]
fn clear(arguments: &mut Vec<u8>) {
    arguments.clear();
    if arguments.capacity() > KEPT_ARGUMENTS {
        let few = SPARE.try_with(|spare| spare.others.borrow().len() < FEW).unwrap_or_default();
        arguments.shrink_to(if few { KEPT_LONG_ARGUMENTS } else { KEPT_ARGUMENTS });
    }
}

impl Spare {
    #[inline(never)]
    fn keep(&self, call: Box<RawCall>) {
        let mut others = self.others.borrow_mut();
        if others.len() < KEPT {
            others.push(call);
        }
    }
}
