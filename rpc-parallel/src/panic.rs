//! Panics of handlers, turned into reports.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    panic::{self, AssertUnwindSafe},
    pin::pin,
    sync::Once,
    task::Poll,
};

use crate::{fault::PanicReport, wire::cut_text};

thread_local! {
    /// How many handlers this thread is in: only their panics are taken down.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static LAST: RefCell<Option<PanicReport>> = const { RefCell::new(None) };
}

/// Runs a part of a handler. A panic in it becomes a report; the process's own panic hook has run too, so that the
/// panic is on stderr as always.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, PanicReport> {
    install();
    DEPTH.set(DEPTH.get() + 1);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| {
        let taken = LAST.with_borrow_mut(Option::take);
        taken.unwrap_or_else(|| PanicReport { message: message(&*payload), location: None })
    })
}

/// Only a hook can see where a panic happened. It stays in front of whatever hook the program has.
fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if DEPTH.get() > 0 {
                let report = PanicReport {
                    message: message(info.payload()),
                    location: info.location().map(ToString::to_string),
                };
                LAST.with_borrow_mut(|last| *last = Some(report));
            }
            previous(info);
        }));
    });
}

/// A report as the payload of a reply or of a stream's end. Of a message that does not fit the beginning is sent: that
/// there was a panic must not get lost.
pub(crate) fn encode(report: &PanicReport, limit: usize) -> Vec<u8> {
    // Encoding texts into memory cannot fail.
    let encode = |report: &PanicReport| postcard::to_stdvec(report).unwrap_or_default();
    let whole = encode(report);
    if whole.len() <= limit {
        return whole;
    }
    let message = format!("{}..", cut_text(&report.message, limit / 2));
    let location = report.location.clone().filter(|location| location.len() <= limit / 4);
    encode(&PanicReport { message, location })
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a value that is no text".to_owned()
    }
}

/// Like [`catch`], for a whole future.
pub(crate) async fn catch_future<F: Future>(future: F) -> Result<F::Output, PanicReport> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch(|| future.as_mut().poll(cx)) {
        Ok(poll) => poll.map(Ok),
        Err(report) => Poll::Ready(Err(report)),
    })
    .await
}
