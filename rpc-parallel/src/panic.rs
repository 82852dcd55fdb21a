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
    /// Whether a panic of this thread is only the answer to a question.
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<PanicReport>> = const { RefCell::new(None) };
}

/// Runs a part of a handler. A panic in it becomes a report; the process's own panic hook has run too, so that the
/// panic is on stderr as always.
#[inline]
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, PanicReport> {
    install();
    DEPTH.set(DEPTH.get() + 1);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| {
        let message = message(&*payload);
        // The last one may be another, which the handler has caught itself before it resumed this one.
        let taken = LAST.with_borrow_mut(Option::take).filter(|taken| taken.message == message);
        taken.unwrap_or(PanicReport { message, location: None })
    })
}

/// Runs what panics where something is missing, and says nothing of it.
pub(crate) fn succeeds(work: impl FnOnce()) -> bool {
    install();
    QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    QUIET.set(false);
    result.is_ok()
}

/// Runs what is run once more if it panics: nothing is said of that before.
#[inline]
pub(crate) fn put_off(work: impl FnOnce()) {
    if cfg!(panic = "abort") {
        // There is no second time.
        return work();
    }
    succeeds(work);
}

/// Only a hook can see where a panic happened. It stays in front of whatever hook the program has.
fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if QUIET.get() {
                return;
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_is_resumed_is_not_taken_for_one_that_was_caught_before() {
        let report = catch(|| {
            let _ = panic::catch_unwind(|| panic!("caught"));
            panic::resume_unwind(Box::new("resumed"));
        });
        assert_eq!(report.unwrap_err(), PanicReport { message: "resumed".into(), location: None });
        let report = catch(|| panic!("seen")).unwrap_err();
        assert!(report.message == "seen" && report.location.is_some());
    }
}
