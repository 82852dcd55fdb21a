//! Memory for calls, used again.

use std::cell::RefCell;

use super::{RawCall, RawReply, State};
use crate::wire::{Payload, Status};

thread_local! {
    /// Calls that are over: most are, before their thread makes the next one.
    #[expect(clippy::vec_box, reason = "a call is handed out in its box")]
    static SPARE: RefCell<Vec<Box<RawCall>>> = const { RefCell::new(Vec::new()) };
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
    SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten().unwrap_or_default()
}

/// Keeps the memory of a call that is over and has nothing left but its arguments and its reply.
#[inline]
pub(super) fn give(mut call: Box<RawCall>) {
    call.state = State::Unsent { one_way: false };
    call.arguments.clear();
    if call.reply.is_special() {
        call.reply = RawReply { payload: Payload::default(), download: None, failure: None, status: Status::Ok };
    }
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if call.arguments.capacity() > KEPT_ARGUMENTS {
            let kept = if spare.len() < FEW { KEPT_LONG_ARGUMENTS } else { KEPT_ARGUMENTS };
            call.arguments.shrink_to(kept);
        }
        if spare.len() < KEPT {
            spare.push(call);
        }
    });
}
