//! Runs the handler of a call: inline as far as it gets, then as a task of its own.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use crate::{
    connection::{CallContext, Incoming, Target},
    fault::PanicReport,
    handler::{Dispatch, Work},
    panic::{self, catch},
    wire::Status,
};

/// Enters a handler. Most are through at once and never cost a task.
pub(super) fn run(dispatch: &Arc<dyn Dispatch>, index: usize, incoming: Incoming) {
    CallContext::announce(&incoming);
    match catch(|| begin(dispatch, index, incoming)) {
        Ok(Work::Done) => {}
        Ok(Work::Future(work)) => {
            let Some((call, target)) = current() else { return };
            let task = tokio::spawn(Guarded { call, work });
            target.attach(task.abort_handle());
        }
        Ok(Work::Blocking(work)) => {
            let Some((mut call, target)) = current() else { return };
            let task = tokio::task::spawn_blocking(move || {
                if let Err(report) = catch(|| CallContext::enter(&mut call, work)) {
                    panicked(&call, &report);
                }
            });
            target.attach(task.abort_handle());
        }
        Err(report) => panicked(&CallContext::current(), &report),
    }
}

/// Enters the handler, and returns what is left to do.
fn begin(dispatch: &Arc<dyn Dispatch>, index: usize, incoming: Incoming) -> Work {
    let mut work = dispatch.invoke(index, incoming);
    if let Work::Future(future) = &mut work {
        // Nobody needs to be woken: what is not ready is polled again by its task at once.
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return Work::Done;
        }
    }
    work
}

fn current() -> Option<(Option<CallContext>, Target)> {
    let call = CallContext::current()?;
    let target = call.target().clone();
    Some((Some(call), target))
}

fn panicked(call: &Option<CallContext>, report: &PanicReport) {
    let Some(target) = call.as_ref().map(CallContext::target) else { return };
    let limit = target.shared.lock().session.message_limit();
    target.fail(Status::Panic, panic::encode(report, limit));
    target.close();
}

/// A handler in a task of its own, whose panic is told to the caller.
struct Guarded {
    /// Always there but while the handler runs.
    call: Option<CallContext>,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Future for Guarded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { call, work } = &mut *self;
        match catch(|| CallContext::enter(call, || work.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(report) => {
                panicked(call, &report);
                Poll::Ready(())
            }
        }
    }
}
