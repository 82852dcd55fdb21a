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
    let call = incoming.context();
    match catch(|| call.enter(|| dispatch.invoke(index, incoming))) {
        Ok(Work::Done) => {}
        Ok(Work::Future(work)) => run_future(call, work),
        Ok(Work::Blocking(work)) => {
            let target = call.target().clone();
            let task = tokio::task::spawn_blocking(move || {
                if let Err(report) = catch(|| call.enter(work)) {
                    panicked(call.target(), &report);
                }
            });
            target.attach(task.abort_handle());
        }
        Err(report) => panicked(call.target(), &report),
    }
}

fn run_future(call: CallContext, mut work: Pin<Box<dyn Future<Output = ()> + Send>>) {
    // Nobody needs to be woken: what is not ready is polled again by its task at once.
    match catch(|| call.enter(|| work.as_mut().poll(&mut Context::from_waker(Waker::noop())))) {
        Ok(Poll::Ready(())) => {}
        Ok(Poll::Pending) => {
            let target = call.target().clone();
            let task = tokio::spawn(Guarded { call, work });
            target.attach(task.abort_handle());
        }
        Err(report) => panicked(call.target(), &report),
    }
}

fn panicked(target: &Target, report: &PanicReport) {
    let limit = target.shared.lock().session.message_limit();
    target.fail(Status::Panic, panic::encode(report, limit));
    target.close();
}

/// A handler in a task of its own, whose panic is told to the caller.
struct Guarded {
    call: CallContext,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Future for Guarded {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        match catch(|| this.call.enter(|| this.work.as_mut().poll(cx))) {
            Ok(poll) => poll,
            Err(report) => {
                panicked(this.call.target(), &report);
                Poll::Ready(())
            }
        }
    }
}
